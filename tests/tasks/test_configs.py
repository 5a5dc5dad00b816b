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
from neurodecode.losses import mix_responses
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.tasks import prior
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.prior import PriorTask

# voxels of nsdgeneral, subjects 1 to 8, as every publication on these data counts them
NSD_VOXELS = (15724, 14278, 15226, 13153, 13039, 17907, 12682, 14386)
VOXELS = {f"subj0{k + 1}": n for k, n in enumerate(NSD_VOXELS)}
FOUR = {name: VOXELS[name] for name in ("subj01", "subj02", "subj05", "subj07")}
L14 = {"joint": (257, 768), "text": (768,), "latent": (4, 64, 64)}


def context(n_features: dict[str, int], sizes: dict[str, tuple[int, ...]], *names: str):
    return BuildContext(n_features, {name: sizes[name] for name in names})


def sensors(kind: str, n_channels: int, n_times: int, subjects: tuple[str, ...], **targets):
    rng = torch.Generator().manual_seed(1)
    points = torch.randn(n_channels, 3, generator=rng, device="cpu").tolist()
    return BuildContext(
        dict.fromkeys(subjects, n_channels), targets,
        n_times=dict.fromkeys(subjects, n_times), sfreq=dict.fromkeys(subjects, 100.0),
        positions=dict.fromkeys(subjects, tuple(map(tuple, points))),
        modality=dict.fromkeys(subjects, kind),
    )  # fmt: skip


def joined(*parts: BuildContext) -> BuildContext:
    """Subjects of several data sets, as the DataModule calls them."""
    fields = ("n_features", "n_times", "sfreq", "positions", "modality")
    merged = {
        field: {
            f"{k}:{n}": v for k, each in enumerate(parts) for n, v in getattr(each, field).items()
        }
        for field in fields
    }
    return BuildContext(targets=parts[0].targets, **merged)


BIGG = {"patches": (256, 1664), "latent": (4, 28, 28)}
SMALL = {
    "tokens": (17, 128), "patches": (16, 128), "joint": (17, 128), "text": (128,),
    "latent": (4, 16, 16),
}  # fmt: skip
PEOPLE = {"01": 731, "02": 612}
PLACES = {
    "nsd/mindeye": context({"subj01": 15724}, L14, "joint", "latent"),
    "nsd/mindeye2": context(VOXELS, BIGG, "patches", "latent"),
    "nsd/see_through": context(FOUR, L14, "joint", "text", "latent"),
    "nsd/mindbridge": context(FOUR, L14, "joint", "text"),
    "mini/decoder": context(PEOPLE, SMALL, "tokens", "latent"),
    "mini/mindeye": context(PEOPLE, SMALL, "joint", "latent"),
    "mini/mindeye2": context(PEOPLE, SMALL, "patches", "latent"),
    "mini/see_through": context(PEOPLE, SMALL, "joint", "text", "latent"),
    "mini/mindbridge": context(PEOPLE, SMALL, "joint", "text"),
    "meeg/conv": sensors("meg", 60, 81, ("01", "02"), tokens=(17, 128)),
    "meeg/nice": sensors("eeg", 32, 81, ("01", "02"), tokens=(17, 128)),
    "meeg/atm": sensors("eeg", 32, 81, ("01", "02"), tokens=(17, 128)),
    "meeg/eegnet": sensors("eeg", 32, 81, ("01", "02"), tokens=(17, 128)),
    "meeg/joint": joined(
        BuildContext(PEOPLE, {"tokens": (17, 128)}, modality=dict.fromkeys(PEOPLE, "fmri")),
        sensors("meg", 60, 81, ("01", "02")), sensors("eeg", 32, 81, ("01", "02")),
    ),
    # as published: what is drawn from 272 sensors at 120 Hz, 63 at 250 Hz
    "meeg/things_meg": sensors("meg", 272, 181, ("1", "2", "3", "4"), pooled=(768,)),
    "meeg/things_eeg2_nice": sensors("eeg", 63, 250, ("01", "02"), pooled=(768,)),
    "meeg/things_eeg2_atm": sensors("eeg", 63, 250, ("01", "02"), pooled=(1024,)),
}  # fmt: skip
#: Prior, and the decoder whose tokens it is conditioned on.
PRIORS = {
    "nsd/mindeye_prior": "nsd/mindeye",
    "nsd/mindeye2_prior": "nsd/mindeye2",
    "nsd/see_through_prior": "nsd/see_through",
    "mini/prior": "mini/decoder",
}
#: Weights of each part at published size, counted by hand from the papers' descriptions.
PARTS = {
    "nsd/mindeye": {
        "adapters": (15724 + 1 + 2) * 4096,
        "trunk": 4 * (4096 + 1 + 2) * 4096,
        "token_head": (4096 + 1) * 257 * 768,
        "projector": 2 * 768 + 769 * 2048 + 2 * 2048 + 2049 * 2048 + 2 * 2048 + 2049 * 768,
    },
    "nsd/mindeye2": {
        "adapters": 4096 * (sum(NSD_VOXELS) + 8),
        "token_head": (4096 + 1) * 256 * 1664,
    },
    "nsd/see_through": {
        # linear map and norm, then the residual block and its norm
        "adapters": sum((n + 1 + 2) * 4096 + (4096 + 1 + 2) * 4096 for n in FOUR.values()),
        "trunk": 4 * (4096 + 1 + 2) * 4096,
        # norm, 257 x 128; attention of 768; perceptron 128 -> 1536 -> 768 with its norms
        "token_head": 2 * 4096 + 4097 * 257 * 128 + 256 + 129 * 3 * 768 + 769 * 128
        + 256 + 129 * 1536 + 2 * 1536 + 1537 * 768,
    },
    "nsd/mindbridge": {
        "adapters": 4 * (8193 * 128 + 129 * 8192 + (8192 + 1 + 2) * 2048),
        "builders": 4 * (2 * 2048 + 2049 * 8192 + 8193 * 128 + 129 * 8192),
        "trunk": 4 * (2048 + 1 + 2) * 2048,
        "token_head": 2049 * 257 * 768,
        "text_head": 2049 * 768,
        "projector": 0,
    },
    "meeg/things_meg": {
        # attention, 1 x 1; blocks: 270 or 320 -> 320 -> 320 -> 640 with norms; projection, time;
        # four subject layers. tests/nn counts them one by one
        "adapters": 270 * 2048 + 271 * 270
        + (3 * 270 + 1 + 2) * 320 + (3 * 320 + 1 + 2) * 320 + (3 * 320 + 1) * 640
        + 2 * (3 * 320 + 1 + 2) * 320 + (3 * 320 + 1) * 640
        + 321 * 2048 + 182 + 4 * 270**2,
        "trunk": 0,
        "token_head": 4 * 2048 + 2049 * 2048 + 2049 * 768,
        "retrieval_head": 4 * 2048 + 2049 * 2048 + 2049 * 768,
    },
    "meeg/things_eeg2_nice": {
        # convolutions 1 x 25, 63 x 1, 1 x 1 with two norms; 1440 -> 768, residual, norm; each
        # subject has its own
        "adapters": 2 * (26 * 40 + (40 * 63 + 1) * 40 + 41 * 40 + 4 * 40
                         + 1441 * 768 + 769 * 768 + 2 * 768),
    },
}  # fmt: skip


def parse(cls: type, arguments: dict, skip: set[str] = frozenset()) -> dict:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(cls, "it", skip=set(skip), instantiate=False)
    return parser.instantiate(parser.parse_object({"it": arguments})).it.as_dict()


@pytest.mark.parametrize("name", [*PLACES, *PRIORS])
def test_data_arguments_are_known(repository, name):
    content = yaml.safe_load((repository / f"configs/{name}.yaml").read_text())
    assert content["data"]["class_path"] == "neurodecode.loaders.ResponseDataModule"
    parse(ResponseDataModule, content["data"]["init_args"])


def init_args(repository, name: str, section: str) -> dict:
    content = yaml.safe_load((repository / f"configs/{name}.yaml").read_text())
    return content[section]["init_args"]


@pytest.mark.parametrize("name", PLACES)
def test_decoder_is_built_and_stepped(repository, name):
    arguments = parse(DecodeTask, init_args(repository, name, "model"), {"context"})
    sizes = PLACES[name]
    meta = torch.device("meta" if name.startswith("nsd") else "cpu")
    with meta:
        task = DecodeTask(sizes, **arguments)
    counts = {name: sum(p.numel() for p in part.parameters())
              for name, part in task.decoder.named_children()}  # fmt: skip
    for part, expected in PARTS.get(name, {}).items():
        assert counts[part] == expected, part
    responses = {
        each: torch.randn(
            3, n, *([sizes.n_times[each]] if each in sizes.n_times else []), device=meta
        )
        for each, n in sizes.n_features.items()
    }
    n = 3 * len(responses)
    targets = {each: torch.randn(n, *shape, device=meta) for each, shape in sizes.targets.items()}
    for epoch in (0, 59):
        mixing, temperature = task.phases.at(epoch, 60)
        given, mixup = mix_responses(responses) if mixing else (responses, None)
        losses = task.losses(task(given), targets, temperature, mixup, responses=given)
        losses["loss"].backward()
    idle = {each for each, p in task.named_parameters() if p.grad is None}
    assert not idle
    if meta.type == "cpu":
        assert losses["loss"].isfinite()


@pytest.mark.parametrize("name", PLACES)
def test_data_and_decoder_name_the_same_targets(repository, name):
    data = init_args(repository, name, "data")
    assert set(data["embeddings"]) == set(PLACES[name].targets)
    if name.startswith("nsd"):
        chosen = data.get("subjects") or list(VOXELS)
        assert list(PLACES[name].n_features) == chosen


@pytest.mark.parametrize("name", PRIORS)
def test_prior_is_built(repository, name, monkeypatch):
    content = yaml.safe_load((repository / f"configs/{name}.yaml").read_text())
    arguments = parse(PriorTask, content["model"]["init_args"], {"context"})
    sizes = PLACES[PRIORS[name]]
    assert set(content["data"]["init_args"]["embeddings"]) == set(sizes.targets)
    with torch.device("meta"):
        target = init_args(repository, PRIORS[name], "model")["decoder"]["init_args"].get("target")
        decoder = BrainDecoder(sizes, width=16, target=target or "tokens", low_level=None)
    holder = torch.nn.Module()
    holder.decoder = decoder
    monkeypatch.setattr(prior, "load_task", lambda *_: holder)
    # published sizes exist in name only; a prior that goes on from bundled weights is real
    with torch.device("cpu" if arguments.get("start_from") else "meta"):
        task = PriorTask(sizes, **arguments)
    n_tokens, dim = sizes.targets[decoder.target]
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
