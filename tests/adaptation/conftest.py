"""Runs of a decoder and of an encoder that have never seen one of the subjects."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from decoding_world import make_world, write_augmented
from encoding_world import SIZE
from encoding_world import make_world as make_pictures

from neurodecode.cli import main


def fit(folder: Path, model: dict, data: dict, monitor: str, epochs: int, *callbacks) -> Path:
    """Train through the command line."""
    best = {"filename": "best", "monitor": monitor, "mode": "max", "enable_version_counter": False}
    save = {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": best}
    logger = {"save_dir": str(folder), "name": "", "version": ""}
    content = {
        "seed_everything": 3,
        "trainer": {
            "max_epochs": epochs, "accelerator": "cpu", "devices": 1, "log_every_n_steps": 1,
            "num_sanity_val_steps": 0, "callbacks": [save, *callbacks],
            "logger": {"class_path": "lightning.pytorch.loggers.CSVLogger", "init_args": logger},
        },
        "model": model, "data": data,
    }  # fmt: skip
    (folder / "given.yaml").write_text(yaml.safe_dump(content))
    assert main(["fit", "--config", str(folder / "given.yaml"), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Three subjects, and 40 pictures that nobody was shown."""
    return make_world(tmp_path_factory.mktemp("world"), unshown=40)


@pytest.fixture(scope="session")
def decoder_run(world, tmp_path_factory):
    """Folder of a decoder of two of the subjects."""
    made = write_augmented(world, tmp_path_factory.mktemp("made") / "synthetic", noise=0.5)
    network = {
        "class_path": "neurodecode.nn.decoder.BrainDecoder",
        "init_args": {"width": 16, "trunk": {
            "class_path": "neurodecode.nn.trunk.ResidualTrunk", "init_args": {"n_blocks": 1}}},
    }  # fmt: skip
    training = {"lr": 0.01, "token_weight": 1.0, "temperature": [0.1, 0.1]}
    training["mixup_temperature"] = 0.1
    model = {"class_path": "neurodecode.tasks.decode.DecodeTask",
             "init_args": {"decoder": network, **training}}  # fmt: skip
    files = {name: str(path) for name, path in world.data["embeddings"].items()}
    arguments = {
        "stores": str(world.root / "stores"), "embeddings": files, "batch_size": 16,
        "subjects": ["a.1", "b"], "synthetic": str(made), "synthetic_share": 0.25, "negatives": 9,
    }  # fmt: skip
    data = {"class_path": "neurodecode.loaders.ResponseDataModule", "init_args": arguments}
    return fit(tmp_path_factory.mktemp("run"), model, data, "val/top1", 30)


@pytest.fixture(scope="session")
def encoder_run(tmp_path_factory):
    """Folder of an encoder of one of two sessions, and the stores of both."""
    stores = make_pictures(tmp_path_factory.mktemp("pictures"))
    core = {"class_path": "neurodecode.nn.encoders.ConvCore",
            "init_args": {"channels": [6, 7], "kernels": [3, 3], "strides": [3, 2]}}  # fmt: skip
    network = {"class_path": "neurodecode.nn.encoders.SharedCoreEncoder",
               "init_args": {"core": core}}  # fmt: skip
    model = {"class_path": "neurodecode.tasks.encode.EncodeTask",
             "init_args": {"max_shift": 1, "lr": 0.02, "encoder": network}}  # fmt: skip
    arguments = {"stores": str(stores), "image_size": SIZE, "batch_size": 24, "subjects": ["a.1"]}
    data = {"class_path": "neurodecode.loaders.encoding.EncodingDataModule",
            "init_args": arguments}  # fmt: skip
    averaged = {"class_path": "neurodecode.tasks.encode_callbacks.AveragedWeights",
                "init_args": {"decay": 0.9}}  # fmt: skip
    folder = fit(tmp_path_factory.mktemp("core"), model, data, "val/r", 20, averaged)
    return SimpleNamespace(folder=folder, stores=stores)
