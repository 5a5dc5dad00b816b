"""Training and prediction by two processes on the CPU (gloo), through the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import ONE, TWO, configuration, logged, neurodecode

from neurodecode.store import read_predictions

# each run starts torch and Lightning in two processes
pytestmark = pytest.mark.slow

DECODER = {
    "class_path": "neurodecode.tasks.decode.DecodeTask",
    "init_args": {
        "decoder": {
            "class_path": "neurodecode.nn.decoder.BrainDecoder", "init_args": {"width": 16}
        },
        "lr": 3e-3,
        "token_weight": 1.0,
    },
}  # fmt: skip


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


def assert_same_training(one: Path, two: Path, epoch: int) -> None:
    first, second = logged(one, epoch), logged(two, epoch)
    assert {"train/loss", "val/loss", "val/top1"} <= first.keys()
    assert second == pytest.approx(first, rel=1e-4)
    before, after = (weights(folder / "last.ckpt") for folder in (one, two))
    for name, values in before.items():
        torch.testing.assert_close(after[name], values, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def pair(data, tmp_path_factory) -> dict[str, Path]:
    """Folders of the decoder trained by one process and by two."""
    root = tmp_path_factory.mktemp("pair")
    for name, words in {"one": ONE, "two": TWO}.items():
        neurodecode("fit", *configuration(root / name, DECODER, data), *words)
    return {name: root / name for name in ("one", "two")}


def test_two_processes_train_as_one_does(pair):
    # dropout, mixing, synthetic trials and negatives are all in play
    assert_same_training(pair["one"], pair["two"], epoch=3)
    assert logged(pair["one"], 3)["train/latent"] > 0


def test_two_processes_predict_as_one_does(pair, data):
    words = configuration(pair["one"], DECODER, data)
    files = []
    for name, more in {"one": (), "two": TWO}.items():
        # 27 rows in batches of 4: seven batches, so that one of them is dealt twice
        neurodecode("predict", *words, "--ckpt_path", pair["one"] / "last.ckpt",
                    "--data.batch_size=4", *more)  # fmt: skip
        files.append(shutil.move(pair["one"] / "predictions.h5", pair["one"] / f"{name}.h5"))
    first, second = (read_predictions(path) for path in files)
    assert first.attrs == second.attrs
    for mine, theirs in zip(first.predictions, second.predictions, strict=True):
        assert mine.stimulus_id == theirs.stimulus_id
        assert mine.n_averaged == theirs.n_averaged
        for name, values in mine.arrays.items():
            np.testing.assert_allclose(theirs.arrays[name], values, rtol=1e-5, atol=1e-6)


def test_two_processes_train_a_prior_as_one_does(pair, data, tmp_path):
    prior = {
        "class_path": "neurodecode.tasks.prior.PriorTask",
        "init_args": {
            "decoder_checkpoint": str(pair["one"] / "last.ckpt"),
            "network": {
                "class_path": "neurodecode.nn.prior.PriorTransformer",
                "init_args": {"width": 8, "depth": 1, "n_heads": 2},
            },
            "sample_steps": 3,
        },
    }
    for name, words in {"one": ONE, "two": TWO}.items():
        given = configuration(tmp_path / name, prior, data | {"batch_size": 18})
        neurodecode("fit", *given, *words, "--trainer.max_epochs=2")
    assert_same_training(tmp_path / "one", tmp_path / "two", epoch=1)


@pytest.mark.parametrize("rank", [0, 1])
def test_after_one_process_died_a_restart_ends_where_the_training_would_have(
    pair, data, tmp_path, rank
):
    death = {"class_path": "killer.Killer", "init_args": {"rank": rank, "epoch": 2, "batch": 3}}
    killed = configuration(tmp_path, DECODER, data, death)
    # the other process is not left waiting: it ends with one line, or Lightning kills it as well
    done = neurodecode("fit", *killed, *TWO, codes=(2, -9))
    if done.returncode == 2:
        assert "another process of this run ended" in done.stderr.splitlines()[-1]
    assert weights(tmp_path / "last.ckpt")
    again = configuration(tmp_path, DECODER, data)
    neurodecode("fit", *again, *TWO, "--ckpt_path", tmp_path / "last.ckpt")
    assert logged(tmp_path, 3) == pytest.approx(logged(pair["two"], 3), rel=1e-6)
    before, after = (weights(folder / "last.ckpt") for folder in (pair["two"], tmp_path))
    for name, values in before.items():
        torch.testing.assert_close(after[name], values, rtol=1e-6, atol=1e-7)
