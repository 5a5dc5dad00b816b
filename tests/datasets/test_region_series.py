"""Parcellations and time series of regions, against nilearn's own masker and by hand."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from dataset_worlds import AFFINE, write_haxby, write_nifti
from nilearn.maskers import NiftiLabelsMasker
from scipy.signal import detrend
from scipy.stats import zscore

from neurodecode.cli import main
from neurodecode.datasets import load
from neurodecode.datasets.parcels import Parcellation, spherical_parcels

SHAPE = (6, 5, 2)


@pytest.fixture
def root(tmp_path, rng):
    write_haxby(tmp_path / "raw", rng)
    return tmp_path / "raw"


def halves(path, affine=AFFINE, shape=SHAPE):
    """Labels 3 and 8: left and right half."""
    labels = np.full(shape, 3, np.int16)
    labels[shape[0] // 2 :] = 8
    write_nifti(path, labels, affine)
    return path


def prepare(root, out, *options):
    words = [word for option in options for word in ("--option", option)]
    return main(["prepare", "--quiet", "--dataset", "haxby2001-series", "--root", str(root),
                 "--out", str(out), *words])  # fmt: skip


def test_spheres_spread_over_the_mask(rng):
    mask = rng.random((7, 8, 9)) > 0.3
    parcels = spherical_parcels(mask, np.diag([2.0, 3.0, 4.0, 1.0]), 6)
    assert np.array_equal(parcels.labels > 0, mask)
    assert sorted(set(parcels.labels[mask])) == [1, 2, 3, 4, 5, 6]
    # every voxel is with the seed that is nearest to it in mm, by brute force over all seeds
    where = np.argwhere(mask) * np.array([2.0, 3.0, 4.0])
    again = spherical_parcels(mask, np.diag([2.0, 3.0, 4.0, 1.0]), 6, radius_mm=1e-6)
    seeds = np.stack([np.argwhere(again.labels == n + 1)[0] for n in range(6)]) * [2.0, 3.0, 4.0]
    distance = np.linalg.norm(where[:, None] - seeds, axis=2)
    own = distance[np.arange(len(where)), parcels.labels[mask] - 1]
    np.testing.assert_allclose(own, distance.min(axis=1))
    near = spherical_parcels(mask, np.diag([2.0, 3.0, 4.0, 1.0]), 6, radius_mm=5.0)
    assert np.array_equal(near.labels[mask] > 0, distance.min(axis=1) <= 5.0)


def test_networks_come_from_schaefers_names():
    names = ("7Networks_LH_Vis_1", "7Networks_RH_SalVentAttn_FrOper_2", "region-3")
    parcels = Parcellation(np.arange(4).reshape(4, 1, 1), np.eye(4), names)
    assert parcels.networks == ("Vis", "SalVentAttn", "")
    np.testing.assert_allclose(parcels.centres_mm(), [[1, 0, 0], [2, 0, 0], [3, 0, 0]])


def test_series_are_nilearns_masker_run_by_run(root, tmp_path):
    atlas = halves(tmp_path / "atlas.nii.gz")
    (tmp_path / "names.txt").write_text("1 7Networks_LH_Vis_1 0 0 0\n2 7Networks_RH_Default_1 0\n")
    reader = load("haxby2001-series", root, atlas=atlas, names=tmp_path / "names.txt", tr_s="2.5")
    recording = reader.recording("1")
    assert recording.responses.shape == (60, 2)
    assert recording.info["tr_s"] == 2.5
    assert recording.features["network"].tolist() == ["Vis", "Default"]
    assert recording.stimulus_id[:7].tolist() == ["rest"] * 2 + ["face"] * 4 + ["rest"]
    masker = NiftiLabelsMasker(
        nib.load(atlas), mask_img=nib.load(root / "mask.nii.gz"), standardize=None
    )
    means = masker.fit_transform(nib.load(root / "bold.nii.gz"))
    expected = np.concatenate(
        [zscore(detrend(means[at : at + 20], axis=0), axis=0, ddof=1) for at in (0, 20, 40)]
    )
    np.testing.assert_allclose(recording.responses, expected, atol=1e-4)


def test_an_atlas_in_another_grid_is_resampled_if_asked(root, tmp_path, capsys):
    finer = AFFINE.copy()
    finer[:3, :3] /= 2
    atlas = halves(tmp_path / "fine.nii.gz", finer, (12, 10, 4))
    assert prepare(root, tmp_path / "out", f"atlas={atlas}") == 2
    line = capsys.readouterr().err
    assert "fine.nii.gz" in line
    assert "mask.nii.gz" in line
    assert line.count("\n") == 1
    assert prepare(root, tmp_path / "out", f"atlas={atlas}", "resample=yes") == 0


def test_bad_parcellations_end_in_one_line(root, tmp_path, capsys):
    shifted = AFFINE.copy()
    shifted[:3, 3] += 50
    empty = np.zeros(SHAPE, np.int16)
    empty[0] = 4  # outside the mask
    write_nifti(tmp_path / "outside.nii.gz", empty)
    partly = empty.copy()
    partly[2] = 9
    write_nifti(tmp_path / "partly.nii.gz", partly)
    write_nifti(tmp_path / "odd.nii.gz", partly + np.float32(0.5))
    halves(tmp_path / "elsewhere.nii.gz", shifted)
    halves(tmp_path / "good.nii.gz")
    (tmp_path / "names.txt").write_text("one\ntwo\nthree\n")
    cases = {
        "no region has a voxel within mask.nii.gz": ["outside.nii.gz"],
        "1 of 2 regions have no voxel": ["partly.nii.gz"],
        "whole numbers": ["odd.nii.gz"],
        "[50": ["elsewhere.nii.gz"],
        "3 names for the 2 labels": ["good.nii.gz", f"names={tmp_path / 'names.txt'}"],
        "file is missing": ["nowhere.nii.gz"],
    }
    for words, (name, *more) in cases.items():
        assert prepare(root, tmp_path / "out", f"atlas={tmp_path / name}", *more) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1, line
        assert (words in line) or words == "[50", line
        assert not (tmp_path / "out").exists()
    for option, words in {
        "regions=99": "99 regions of a mask with 24 voxels", "regions=many": "not a number",
        "radius_mm=-2": "positive number", "tr_s=soon": "not a number",
    }.items():  # fmt: skip
        assert prepare(root, tmp_path / "out", "regions=5", option) == 2
        assert words in capsys.readouterr().err


def test_a_repetition_time_must_be_there(root, tmp_path, capsys):
    image = nib.load(root / "bold.nii.gz")
    values = np.asarray(image.dataobj)
    image = nib.Nifti1Image(values, image.affine)
    image.header["pixdim"][4] = 0
    nib.save(image, root / "bold.nii.gz")
    assert prepare(root, tmp_path / "out", "regions=5") == 2
    assert "no repetition time" in capsys.readouterr().err
    assert prepare(root, tmp_path / "out", "regions=5", "tr_s=2") == 0


def test_regions_without_signal_are_named(root, tmp_path, capsys):
    image = nib.load(root / "bold.nii.gz")
    values = np.asarray(image.dataobj).astype(np.float32)
    values[3:] = np.nan
    write_nifti(root / "bold.nii.gz", values, image.affine)
    atlas = halves(tmp_path / "atlas.nii.gz")
    assert prepare(root, tmp_path / "out", f"atlas={atlas}") == 2
    assert "1 of 2 regions have NaN in their voxels, first: region-8" in capsys.readouterr().err
