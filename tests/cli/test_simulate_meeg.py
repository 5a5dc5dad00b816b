"""The miniature world's EEG through the command line, from simulation to stores."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.splits import read_split
from neurodecode.store import ResponseStore

SMALL = ["--subjects", "2", "--images-per-subject", "20", "--shared", "6", "--image-size", "16",
         "--viewers", "1", "--train-images", "30", "--test-repeats", "3"]  # fmt: skip


def run(*words):
    return main([*map(str, words), "--quiet"])


@pytest.mark.slow
def test_eeg_is_divided_as_the_fmri_is(tmp_path, capsys):
    fmri = SMALL[:8]
    assert run("simulate", "--out", tmp_path / "fmri", *fmri) == 0
    assert run("prepare", "--dataset", "mini-fmri", "--root", tmp_path / "fmri",
               "--out", tmp_path / "stores-fmri") == 0  # fmt: skip
    assert run("simulate", "--world", "eeg", "--out", tmp_path / "eeg", *SMALL) == 0
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("low_hz: 1\nsfreq_hz: 100\ntmax_s: 0.5\nwhiten: epochs\n")
    words = ["prepare", "--dataset", "mini-eeg", "--root", tmp_path / "eeg", "--recipe", recipe,
             "--splits", tmp_path / "stores-fmri" / "splits.json"]  # fmt: skip
    assert run(*words, "--out", tmp_path / "stores") == 0
    ours, theirs = (read_split(tmp_path / name / "splits.json")
                    for name in ("stores", "stores-fmri"))  # fmt: skip
    assert ours.folds[0].digest == theirs.folds[0].digest
    store = ResponseStore(tmp_path / "stores" / "sub-e01.h5")
    assert store.shape == (30 * 2 + 6 * 3, 32, 71)
    assert store.units == "noise standard deviations"
    sides = ours.trials(0, store)
    assert len(sides["test"]) == 18
    assert store.info["preprocess"]["fitted"]["n_training_trials"] == len(sides["train"])
    # whitened in training: channels about as noisy as each other, whatever they were in volts
    spread = store.read(sides["train"]).std(axis=(0, 2))
    assert spread.max() / spread.min() < 3
    assert np.isfinite(store.read(np.arange(store.n_trials))).all()
    capsys.readouterr()
    assert run("simulate", "--world", "meg", "--out", tmp_path / "stores", *SMALL) == 2
    assert "is not empty and is not a miniature world" in capsys.readouterr().err
