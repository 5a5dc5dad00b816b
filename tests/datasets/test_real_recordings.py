"""The readers on real recordings: counts that the publishers state."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.datasets import load
from neurodecode.datasets.base import DATASETS
from neurodecode.datasets.locate import locate
from neurodecode.splits import check, make_split

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def v4(real_data):
    return load("v4", real_data / "v4_natural_images")


def test_v4_sessions(v4):
    neurons = {"190923": 33, "201025": 89, "210225": 55, "210621": 51}
    repeats = {"190923": 14, "201025": 12, "210225": 6, "210621": 16}
    assert list(v4.subjects) == sorted(neurons)
    for session in v4.subjects:
        recording = v4.recording(session)
        assert recording.responses.shape == (1200, neurons[session])
        assert recording.n_averaged == repeats[session]
        counts = recording.responses[:]
        assert counts.min() >= 0
        # means of `repeats` whole counts at most: not z-scored, not rescaled
        assert np.isfinite(counts).all()
        assert counts.max() < 30


def test_v4_pictures_that_occur_twice(v4):
    """Three are the same file (one of them in two sessions), a fourth only looks the same."""
    recordings = {session: v4.recording(session) for session in v4.subjects}
    ids = [recording.stimulus_id.tolist() for recording in recordings.values()]
    stimuli = v4.stimuli()
    assert sum(map(len, ids)) == 4800
    assert len(stimuli) == 4797
    assert [len(set(session)) for session in ids] == [1200, 1200, 1200, 1198]
    split = make_split("kfold", recordings, stimuli=stimuli, seed=1)
    assert len(split.duplicates) == 1
    names = {stimuli.names[row] for row in stimuli.rows(split.duplicates[0])}
    assert names == {"210225/image0220.jpg", "210621/image0167.jpg"}
    for fold in range(5):
        for recording in recordings.values():
            assert 236 <= len(split.trials(fold, recording)["test"]) <= 244
    check(split, recordings)


def test_haxby_blocks(real_data):
    recording = load("haxby2001", real_data / "haxby2001").recording("1")
    assert recording.responses.shape == (96, 530)
    assert np.bincount(recording.run).tolist() == [0, *[8] * 12]
    labels, counts = np.unique(recording.stimulus_id, return_counts=True)
    assert labels.tolist() == [
        "bottle", "cat", "chair", "face", "house", "scissors", "scrambledpix", "shoe",
    ]  # fmt: skip
    assert set(counts) == {12}
    split = make_split("leave-one-run-out", {"1": recording})
    assert len(split.folds) == 12
    for fold in range(12):
        test = split.trials(fold, recording)["test"]
        assert set(recording.run[test]) == {fold + 1}


def test_n170_runs(real_data):
    recording = load("n170", real_data / "n170_faces_houses").recording("1")
    done = recording.info["preprocess"]
    assert done["n_events"] == recording.n_trials + sum(done["rejected"].values())
    assert recording.responses.shape == (760, 4, 232)
    assert sorted(set(recording.run)) == [1, 2, 3, 4]
    assert dict(zip(*np.unique(recording.stimulus_id, return_counts=True), strict=True)) == {
        "face": 370, "house": 390,
    }  # fmt: skip


def test_real_recordings_are_located(real_data):
    readers = {name: reader for name, reader in DATASETS.items() if not name.startswith("mini-")}
    found = locate(real_data, readers)
    assert {name: path.name for name, path in found.items()} == {
        "haxby2001": "haxby2001",
        "haxby2001-series": "haxby2001",
        "n170": "n170_faces_houses",
        "v4": "v4_natural_images",
    }
