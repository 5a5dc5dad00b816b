"""Haxby 2001: both published layouts, cleaning within runs, block means."""

from __future__ import annotations

import numpy as np
import pytest
from dataset_worlds import AFFINE, write_haxby, write_nifti
from scipy.signal import detrend
from scipy.stats import zscore

from neurodecode.datasets import load
from neurodecode.datasets.volumes import read_volume
from neurodecode.errors import DataError
from neurodecode.preprocess.fmri import block_means, clean_runs


@pytest.mark.parametrize("nilearn_names", [False, True])
def test_blocks_are_cleaned_within_runs_and_averaged(tmp_path, rng, nilearn_names):
    mask = write_haxby(tmp_path, rng, nilearn_names=nilearn_names)
    reader = load("haxby2001", tmp_path)
    assert reader.subjects == ["1"]
    assert reader.stimuli() is None
    recording = reader.recording("1")
    assert recording.responses.shape == (9, int(mask.sum()))
    kinds = ["face", "house", "cat"]
    expected = [*kinds, "cat", "face", "house", "house", "cat", "face"]
    assert recording.stimulus_id.tolist() == expected
    assert recording.run.tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    # the same by hand with scipy: runs of 20 volumes, blocks at 2..6, 8..12, 14..18
    folder = tmp_path / "subj1" if nilearn_names else tmp_path
    volumes = read_volume(folder / "bold.nii.gz", ndim=4)[0].astype(float)
    inside = volumes[mask > 0].T
    cleaned = [
        zscore(detrend(inside[start : start + 20], axis=0), axis=0, ddof=1) for start in (0, 20, 40)
    ]
    by_hand = [run[block : block + 4].mean(axis=0) for run in cleaned for block in (2, 8, 14)]
    xyz = tuple(recording.features["xyz"].T)
    order = np.argsort([np.ravel_multi_index(place, mask.shape) for place in np.argwhere(mask > 0)])
    assert np.array_equal(np.argwhere(mask > 0)[order], np.stack(xyz, axis=1))
    np.testing.assert_allclose(recording.responses, by_hand, atol=1e-5)


def test_cleaning_a_run_does_not_touch_the_others(rng):
    volumes = rng.standard_normal((31, 5))
    run = np.repeat([0, 1, 2], [9, 12, 10])
    changed = volumes.copy()
    changed[run == 1] *= 7
    changed[run == 1] += np.arange(12)[:, None]
    before, after = clean_runs(volumes, run), clean_runs(changed, run)
    assert np.array_equal(before[run != 1], after[run != 1])
    np.testing.assert_allclose(before[run == 1], after[run == 1], atol=1e-6)


def test_blocks_end_with_the_label_and_with_the_run(rng):
    label = np.array(["a", "a", "rest", "a", "b", "b", "b", "rest", "rest", "b"])
    run = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
    volumes = rng.standard_normal((10, 3))
    blocks = block_means(volumes, label, run)
    assert blocks.label.tolist() == ["a", "a", "b", "b", "b"]
    assert blocks.run.tolist() == [0, 0, 0, 1, 1]
    assert blocks.n_volumes.tolist() == [2, 1, 2, 1, 1]
    np.testing.assert_allclose(blocks.responses[2], volumes[4:6].mean(axis=0), rtol=1e-6)


def test_only_rest_gives_no_blocks():
    blocks = block_means(np.zeros((4, 3)), np.array(["rest"] * 4), np.zeros(4, int))
    assert blocks.responses.shape == (0, 3)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            "shifted",
            r"mask.nii.gz, subject 1: affine differs from that of bold.nii.gz by up to 9 mm",
        ),
        ("cropped", r"shape \(5, 5, 2\) does not match \(6, 5, 2\) of bold.nii.gz"),
        ("labels", r"attributes_literal.txt, subject 1: 59 labels for 60 volumes"),
        ("words", r"attributes_literal.txt: expected lines of `label run`"),
        ("truncated", r"bold.nii.gz.*file is truncated"),
        ("gone", r"mask.nii.gz: file is missing"),
    ],
)
def test_broken_files_are_named(tmp_path, rng, how, message):
    mask = write_haxby(tmp_path, rng)
    labels, bold = tmp_path / "attributes_literal.txt", tmp_path / "bold.nii.gz"
    if how == "shifted":
        affine = AFFINE.copy()
        affine[2, 3] = 9.0
        write_nifti(tmp_path / "mask.nii.gz", mask, affine)
    elif how == "cropped":
        write_nifti(tmp_path / "mask.nii.gz", mask[1:])
    elif how == "labels":
        labels.write_text("\n".join(labels.read_text().splitlines()[:-1]))
    elif how == "words":
        labels.write_text("face zero\n")
    elif how == "truncated":
        bold.write_bytes(bold.read_bytes()[:-500])
    elif how == "gone":
        (tmp_path / "mask.nii.gz").unlink()
    with pytest.raises(DataError, match=message):
        load("haxby2001", tmp_path).recording("1")
