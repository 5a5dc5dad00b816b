"""The committed configurations fit the classes they name, at the sizes they were written for."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
import yaml
from jsonargparse import ArgumentParser

from neurodecode.context import BuildContext
from neurodecode.generate.memory import Memory
from neurodecode.loaders import ResponseDataModule
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.tasks import prior
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.prior import PriorTask

# voxels of nsdgeneral, subjects 1 to 8, as every publication on these data counts them
NSD_VOXELS = (15724, 14278, 15226, 13153, 13039, 17907, 12682, 14386)
NSD = BuildContext(
    {f"subj0{k + 1}": n for k, n in enumerate(NSD_VOXELS)},
    {"tokens": (256, 1664), "latent": (4, 28, 28)},
)
MINI = BuildContext({"01": 731, "02": 612}, {"tokens": (17, 128), "latent": (4, 16, 16)})
PLACES = {"nsd/mindeye2": NSD, "mini/decoder": MINI}
PRIORS = {"nsd/mindeye2_prior": NSD, "mini/prior": MINI}


def parse(cls: type, arguments: dict, skip: set[str] = frozenset()) -> dict:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(cls, "it", skip=set(skip), instantiate=False)
    return parser.instantiate(parser.parse_object({"it": arguments})).it.as_dict()


@pytest.mark.parametrize("name", [*PLACES, *PRIORS])
def test_data_arguments_are_known(repository, name):
    content = yaml.safe_load((repository / f"configs/{name}.yaml").read_text())
    assert content["data"]["class_path"] == "neurodecode.loaders.ResponseDataModule"
    parse(ResponseDataModule, content["data"]["init_args"])


@pytest.mark.parametrize("name", PLACES)
def test_decoder_is_built(repository, name):
    content = yaml.safe_load((repository / f"configs/{name}.yaml").read_text())
    arguments = parse(DecodeTask, content["model"]["init_args"], {"context"})
    with torch.device("meta"):
        task = DecodeTask(PLACES[name], **arguments)
    counts = {name: sum(p.numel() for p in part.parameters())
              for name, part in task.decoder.named_children()}  # fmt: skip
    if name == "nsd/mindeye2":
        assert counts["adapters"] == 4096 * (sum(NSD_VOXELS) + 8)
        assert counts["token_head"] == (4096 + 1) * 256 * 1664


@pytest.mark.parametrize("name", PRIORS)
def test_prior_is_built(repository, name, monkeypatch):
    content = yaml.safe_load((repository / f"configs/{name}.yaml").read_text())
    arguments = parse(PriorTask, content["model"]["init_args"], {"context"})
    with torch.device("meta"):
        decoder = BrainDecoder(PRIORS[name], width=16)
    holder = torch.nn.Module()
    holder.decoder = decoder
    monkeypatch.setattr(prior, "load_task", lambda *_: holder)
    # published sizes exist in name only; a prior that goes on from bundled weights is real
    with torch.device("cpu" if arguments.get("start_from") else "meta"):
        task = PriorTask(PRIORS[name], **arguments)
    n_tokens, dim = PRIORS[name].targets["tokens"]
    assert task.network.queries.shape[0] == n_tokens
    assert task.network.write[1].out_features == dim


def test_memory_of_generators(repository):
    """The options of configs/generators are options."""
    files = sorted((repository / "configs/generators").glob("*.yaml"))
    assert files
    for path in files:
        options = yaml.safe_load(path.read_text())
        assert set(options) <= {each.name for each in fields(Memory)}
        assert not Memory.of({**options, "device": "cpu"}, path.stem).vae_tiling
