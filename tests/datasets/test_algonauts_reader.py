from __future__ import annotations

import pickle

import numpy as np
import pytest
from dataset_worlds import write_algonauts2023

from neurodecode.cli import main
from neurodecode.datasets import load


@pytest.fixture
def root(tmp_path, rng):
    (tmp_path / "raw").mkdir()
    write_algonauts2023(tmp_path / "raw", rng)
    return tmp_path / "raw"


def test_vertices_of_both_hemispheres_and_their_regions(root):
    reader = load("algonauts2023", root)
    recording = reader.recording("02")
    files = [
        root / f"subj02/training_split/training_fmri/{s}_training_fmri.npy" for s in ("lh", "rh")
    ]
    wanted = np.concatenate([np.load(file) for file in files], axis=1)
    assert recording.responses.shape == (7, 9)
    np.testing.assert_array_equal(recording.responses[2:5], wanted[2:5])
    np.testing.assert_array_equal(recording.responses[3, [8, 1]], wanted[3, [8, 1]])
    features = recording.features
    assert features["vertex"].tolist() == [3, 9, 700, 10_241, 160_000, 0, 12, 10_242, 90_000]
    assert features["hemisphere"].tolist() == ["left"] * 5 + ["right"] * 4
    areas = ["", "V1v", "V1d", "", "V1v", "", "V1v", "V1d", ""]
    assert features["prf-visualrois"].tolist() == areas
    # the fifth stream is `ventral` where no table says otherwise; an area is more specific
    assert features["streams"].tolist() == [""] * 6 + ["ventral", "ventral", ""]
    assert features["roi"].tolist() == areas
    stimuli = reader.stimuli()
    assert len(stimuli.ids) == 11
    assert stimuli.names[:2] == ["nsd-00000", "nsd-00001"]
    shared = set(recording.stimulus_id) & set(reader.recording("01").stimulus_id)
    assert len(shared) == 2


class _Runs:
    def __reduce__(self):
        return print, ("this ran",)


MASKS, RESPONSES = "roi_masks", "training_split/training_fmri"


@pytest.mark.parametrize(("file", "content", "message"), [
    (f"{MASKS}/rh.all-vertices_fsaverage_space.npy", np.ones(163_842), "163842 vertices for 4"),
    (f"{MASKS}/lh.prf-visualrois_challenge_space.npy", np.ones(6), "6 labels for 5 vertices"),
    (f"{RESPONSES}/lh_training_fmri.npy", np.ones((5, 5)), "5 responses for 6"),
    (f"{MASKS}/mapping_prf-visualrois.npy", _Runs(), "mapping_prf-visualrois.npy"),
])  # fmt: skip
def test_what_does_not_fit_ends_in_one_line(root, tmp_path, capsys, file, content, message):
    if isinstance(content, np.ndarray):
        np.save(root / "subj01" / file, content)
    else:
        (root / "subj01" / file).write_bytes(pickle.dumps(content))
    words = ["prepare", "--dataset", "algonauts2023", "--root", str(root), "--quiet"]
    assert main([*words, "--out", str(tmp_path / "stores")]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert "this ran" not in said.out
    assert not (tmp_path / "stores").exists()
