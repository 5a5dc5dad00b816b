"""Single-trial betas in BIDS derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from dataset_worlds import write_bids, write_nifti, write_rows

from neurodecode.datasets import load
from neurodecode.datasets.prepare import PrepareOptions, prepare
from neurodecode.errors import DataError

FUNC = "sub-07/ses-a/func/sub-07_ses-a_task-look_run-10"


@pytest.fixture
def bids(tmp_path, rng):
    return tmp_path, write_bids(tmp_path, rng)


def test_runs_are_read_in_natural_order_without_trials_that_show_nothing(bids):
    root, written = bids
    recording = load("bids-betas", root, image_size=8).recording("07")
    mask = written["mask"]
    expected = np.concatenate(
        [written["a2"][mask].T, written["a10"][mask].T[[0, 2]], written["b1"][mask].T]
    )
    np.testing.assert_array_equal(recording.responses[:], expected)
    assert recording.run.tolist() == [2, 2, 2, 10, 10, 1, 1]
    assert recording.session.tolist() == [1, 1, 1, 1, 1, 2, 2]
    assert recording.info["sessions"] == ["a", "b"]
    ids = recording.stimulus_id.tolist()
    assert ids[1] == ids[4]  # dog_1 in both runs
    assert len(set(ids)) == 6


def test_table_may_list_more_than_there_are_betas(bids):
    root, written = bids
    betas = root / f"{FUNC}_space-T1w_desc-single_betas.nii.gz"
    write_nifti(betas, written["a10"][..., [0, 2]])
    recording = load("bids-betas", root).recording("07")
    found = recording.responses[3:5]
    np.testing.assert_array_equal(found, written["a10"][written["mask"]].T[[0, 2]])


def test_pictures_of_different_size_need_a_common_one(bids):
    root, _ = bids
    with pytest.raises(DataError, match=r"dog_4.png: image is 10x12 pixels, the first is 9x12"):
        load("bids-betas", root).stimuli().images[:]
    assert load("bids-betas", root, image_size="7").stimuli().images[:].shape == (6, 7, 7, 3)


def test_pictures_can_lie_elsewhere(bids, tmp_path_factory):
    root, _ = bids
    elsewhere = tmp_path_factory.mktemp("pictures") / "here"
    (root / "stimuli").rename(elsewhere)
    before = load("bids-betas", root, stimuli=str(elsewhere)).recording("07").stimulus_id
    assert len(set(before)) == 6


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("picture missing", r"dog_3.png: image is missing; check the stimulus folder"),
        ("picture corrupt", r"dog_3.png: image does not decode"),
        ("too many betas", r"subject 07, field stim_file: 5 betas for 2 trials with a picture"),
        ("no column", r"field stim_file: column is missing \(found: onset, image\)"),
        ("no table", r"run-10_space-T1w_desc-single_events.tsv: no event table beside it"),
        ("three axes", r"subject 07: expected 4 axes, found shape \(5, 4, 3\)"),
        ("no mask", r"subject 07: 0 masks match, one is needed \(found: none\)"),
        ("two masks", r"2 masks match, one is needed \(found: .*brain_mask.nii.gz, .*; name one"),
        ("mask elsewhere", r"shape \(4, 4, 3\) does not match \(5, 4, 3\)"),
    ],
)
def test_broken_files_are_named(bids, how, message):
    root, written = bids
    betas = root / f"{FUNC}_space-T1w_desc-single_betas.nii.gz"
    table = root / f"{FUNC}_events.tsv"
    mask = root / "sub-07" / "anat" / "sub-07_desc-visual_mask.nii.gz"
    picture = root / "stimuli" / "dog" / "dog_3.png"
    values = written["mask"].astype(np.int8)
    actions = {
        "picture missing": picture.unlink,
        "picture corrupt": lambda: picture.write_bytes(picture.read_bytes()[:40]),
        "too many betas": lambda: write_nifti(betas, np.zeros((5, 4, 3, 5), np.float32)),
        "no column": lambda: write_rows(table, ["onset", "image"], [(0, "a")]),
        "no table": table.unlink,
        "three axes": lambda: write_nifti(betas, np.zeros((5, 4, 3), np.float32)),
        "no mask": mask.unlink,
        "two masks": lambda: write_nifti(mask.with_name("sub-07_desc-brain_mask.nii.gz"), values),
        "mask elsewhere": lambda: write_nifti(mask, values[1:]),
    }
    actions[how]()
    with pytest.raises(DataError, match=message):
        load("bids-betas", root, image_size=8).recording("07")


def test_mask_is_chosen_by_name(bids):
    root, written = bids
    everything = np.ones((5, 4, 3), np.int8)
    write_nifti(root / "sub-07" / "anat" / "sub-07_desc-brain_mask.nii.gz", everything)
    chosen = load("bids-betas", root, mask="desc-brain").recording("07")
    assert chosen.n_features == 60
    assert written["mask"].sum() < 60


def test_broken_betas_leave_no_store(bids, tmp_path):
    root, _ = bids
    betas = root / f"{FUNC}_space-T1w_desc-single_betas.nii.gz"
    betas.write_bytes(betas.read_bytes()[:-60])
    out = tmp_path / "stores"
    with pytest.raises(DataError, match=r"betas.nii.gz: .*; download it again"):
        prepare(load("bids-betas", root, image_size=8), out, PrepareOptions())
    assert not out.exists()
