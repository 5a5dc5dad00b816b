"""From the brain: EEG of miniature viewers on disk, and what it adds to a model of gaze."""

from __future__ import annotations

import json

import mne
import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.datasets.gaze import load_gaze
from neurodecode.datasets.mini.simulate_gaze import GazeOptions, simulate_gaze
from neurodecode.errors import DataError
from neurodecode.gaze.recorded import SaccadeDecoder, read_recorded


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("recorded")
    options = GazeOptions(viewers=2, scenes=7, arrays=56, image_size=40)
    simulate_gaze(root / "gaze", options, quiet=True)
    made = ["--world", "gaze-eeg", "--gaze", str(root / "gaze"), "--viewers", "1"]
    assert main(["--quiet", "simulate", *made, "--out", str(root / "eeg")]) == 0
    return root


def test_recordings_hold_every_fixation_of_the_searches(world):
    (found,) = read_recorded(world / "eeg")
    data = load_gaze("mini-gaze", world / "gaze")
    own = data.scanpaths.select(
        (data.scanpaths.viewer == found.viewer) & (data.scanpaths.task == "search_present")
    )
    assert len(found.number) == own.n_fixations.sum()
    path = own[0]
    rows = (found.stimulus == path.stimulus) & (found.target == path.target)
    np.testing.assert_allclose(found.xy[rows], path.xy, atol=0.01)
    np.testing.assert_allclose(found.before[rows][1:], path.xy[:-1], atol=0.01)
    assert np.isnan(found.before[rows][0]).all()
    raw = mne.io.read_raw_fif(world / "eeg" / f"sub-{found.viewer}_task-search_eeg.fif",
                              verbose="ERROR")  # fmt: skip
    assert len(mne.pick_types(raw.info, eeg=True)) == 32


def test_the_recording_says_where_the_eye_went_and_a_shuffled_one_does_not(world):
    (found,) = read_recorded(world / "eeg")
    moved = found.xy - np.where(np.isnan(found.before), 20.0, found.before)
    train = np.arange(len(moved)) % 4 > 0
    decoder = SaccadeDecoder().fit(found.epochs[train], moved[train], found.stimulus[train])
    r = np.corrcoef(decoder.model.predict(found.epochs[~train])[:, 0], moved[~train, 0])[0, 1]
    assert r > 0.8
    mixed = np.random.default_rng(0).permutation(found.epochs[train])
    blind = SaccadeDecoder().fit(mixed, moved[train], found.stimulus[train])
    # whoever knows nothing says so: errors as large as the saccades themselves
    assert np.trace(blind.covariance) > 0.8 * np.trace(np.cov(moved[train].T))
    assert np.trace(decoder.covariance) < 0.4 * np.trace(blind.covariance)


def test_decode_writes_what_the_recording_adds(world):
    where = ["--dataset", "mini-gaze", "--root", str(world / "gaze")]
    splits, out = world / "splits.json", world / "report"
    scanpath = ["--quiet", "scanpath"]
    assert main([*scanpath, "split", *where, "--scheme", "published", "--out", str(splits)]) == 0
    given = ["--recordings", str(world / "eeg"), "--splits", str(splits), "--out", str(out)]
    assert main([*scanpath, "decode", *where, *given]) == 0
    found = {(r["method"], r["metric"]): r for r in json.loads((out / "metrics.json").read_text())}
    gain = found["saccade_walk_eeg", "information_gain_bits"]
    assert gain["reference"] == "saccade_walk"
    assert gain["ci_low"] > 0.3
    accuracy = {method: r["value"] for (method, name), r in found.items() if name == "accuracy"}
    assert accuracy["saccade_walk_eeg"] > accuracy["saccade_walk"] + 0.2
    assert main([*scanpath, "decode", *where, *given, "--model", "oat"]) == 2  # has no density


def test_missing_files_are_named(world, tmp_path):
    with pytest.raises(DataError, match=r"no sub-.*simulate --world gaze-eeg"):
        read_recorded(tmp_path)
    source = next((world / "eeg").glob("*.fif"))
    (tmp_path / source.name).write_bytes(source.read_bytes())
    with pytest.raises(DataError, match=r"fixations.tsv.*beside the EEG"):
        read_recorded(tmp_path)
