from __future__ import annotations

from pathlib import Path

import pytest
from decoding_world import World, make_world

from neurodecode.cli import main
from neurodecode.pretrained import PretrainedDecoder


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> World:
    made = make_world(tmp_path_factory.mktemp("world"))
    # the contract between the stages: the folder of the stores has the name of the data set
    (made.root / "tiny").symlink_to(made.root / "stores")
    return made


@pytest.fixture(scope="session")
def run(world, tmp_path_factory) -> Path:
    """Folder of a decoder that was trained for one epoch on the command line."""
    folder = tmp_path_factory.mktemp("run")
    words = [
        "--model=neurodecode.tasks.decode.DecodeTask",
        "--model.decoder=neurodecode.nn.decoder.BrainDecoder",
        "--model.decoder.width=16",
        "--model.decoder.adapter=neurodecode.nn.adapters.MLPAdapter",
        "--model.decoder.adapter.dropout=0.25",
        "--seed_everything=3",
        "--trainer.max_epochs=1",
        "--trainer.accelerator=cpu",
        f"--trainer.default_root_dir={folder}",
        "--trainer.callbacks+=lightning.pytorch.callbacks.ModelCheckpoint",
        f"--trainer.callbacks.dirpath={folder}",
        "--trainer.callbacks.filename=best",
        "--trainer.logger=lightning.pytorch.loggers.CSVLogger",
        f"--trainer.logger.save_dir={folder}",
        "--trainer.logger.name=",
        "--trainer.logger.version=",
        "--trainer.log_every_n_steps=1",
        "--trainer.callbacks+=neurodecode.tasks.writer.PredictionWriter",
        f"--trainer.callbacks.path={folder / 'predictions.h5'}",
    ]
    given = [*world.cli(f"--data.stores={world.root / 'tiny'}"), *words]
    assert main(["fit", *given, "--quiet"]) == 0
    best = ["--ckpt_path", str(folder / "best.ckpt")]
    assert main(["predict", *given, *best, "--quiet"]) == 0
    return folder


@pytest.fixture(scope="session")
def exported(run, tmp_path_factory) -> Path:
    """Folder that the command wrote."""
    out = tmp_path_factory.mktemp("export") / "decoder"
    words = ["export", "--checkpoint", run / "best.ckpt", "--out", out]
    assert main([*map(str, words), "--quiet"]) == 0
    return out


@pytest.fixture(scope="session")
def model(exported) -> PretrainedDecoder:
    return PretrainedDecoder.from_pretrained(exported)
