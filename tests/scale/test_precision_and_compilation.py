"""bfloat16 and torch.compile, switched on from the command line."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from command_line import configuration, logged, neurodecode
from test_two_processes import DECODER, weights

from neurodecode.store import read_predictions

pytestmark = pytest.mark.slow


def test_bfloat16_trains_and_predicts(data, tmp_path):
    words = [*configuration(tmp_path, DECODER, data), "--trainer.precision=bf16-mixed"]
    neurodecode("fit", *words, "--trainer.max_epochs=2")
    assert np.isfinite(logged(tmp_path, 1)["train/loss"])
    assert {each.dtype for each in weights(tmp_path / "last.ckpt").values()} == {torch.float32}
    rough, exact = [], []
    for found, more in ((rough, []), (exact, ["--trainer.precision=32-true"])):
        neurodecode("predict", *words, "--ckpt_path", tmp_path / "last.ckpt", *more)
        found += read_predictions(tmp_path / "predictions.h5").predictions
    for one, two in zip(rough, exact, strict=True):
        mine, theirs = one.arrays["tokens"], two.arrays["tokens"]
        assert mine.dtype == np.float32
        assert 0 < np.abs(mine - theirs).max() < 0.05 * np.abs(theirs).max()


@pytest.mark.parametrize("backend", ["eager", "inductor"])
def test_a_compiled_network_learns_the_same(data, tmp_path, backend):
    compiled = {
        "class_path": "neurodecode.tasks.compiled.CompiledNetwork",
        "init_args": {"backend": backend},
    }
    for name, more in (("plain", []), ("compiled", [compiled])):
        words = configuration(tmp_path / name, DECODER, data, *more)
        neurodecode("fit", *words, "--trainer.max_epochs=2")
    plain, other = (weights(tmp_path / name / "last.ckpt") for name in ("plain", "compiled"))
    assert plain.keys() == other.keys()  # no _orig_mod
    if backend == "eager":
        for name, values in plain.items():
            torch.testing.assert_close(other[name], values, rtol=1e-4, atol=1e-5)
    # inductor draws other random numbers for dropout
    assert (
        logged(tmp_path / "compiled", 1)["train/loss"] < logged(tmp_path / "plain", 0)["train/loss"]
    )
    # a checkpoint of either is read by the other
    neurodecode("predict", *configuration(tmp_path / "plain", DECODER, data),
                "--ckpt_path", tmp_path / "compiled" / "last.ckpt")  # fmt: skip
