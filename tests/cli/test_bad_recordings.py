"""Broken recordings through `neurodecode prepare`: one line, exit code 2, nothing written."""

from __future__ import annotations

import pytest
from broken_worlds import (
    BIDS_BREAKS,
    HAXBY_BREAKS,
    NSD_BREAKS,
    V4_BREAKS,
    Bomb,
    break_bids,
    break_haxby,
    break_nsd,
    break_v4,
    cut,
)
from dataset_worlds import write_bids, write_haxby, write_nsd, write_v4

from neurodecode.cli import main
from neurodecode.store import ResponseStore

WRITERS = {"nsd": write_nsd, "bids-betas": write_bids, "haxby2001": write_haxby, "v4": write_v4}
#: What makes each tiny world pass when nothing is broken.
OPTIONS = {
    "nsd": [],
    "bids-betas": ["--image-size", 8, "--n-folds", 2],
    "haxby2001": ["--val-share", 0.4],
    "v4": ["--n-folds", 2],
}


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


def prepare(name, root, out, *words):
    where = ["--root", root, "--out", out / "stores"]
    return ["prepare", "--dataset", name, *where, *OPTIONS[name], *words]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_the_worlds_are_healthy_before_they_are_broken(name, root, out, rng):
    WRITERS[name](root, rng)
    assert main([*map(str, prepare(name, root, out)), "--quiet"]) == 0
    assert list(out.glob("stores/sub-*.h5"))


@pytest.mark.parametrize("how", sorted(NSD_BREAKS))
def test_nsd(how, root, out, rng, refuse):
    break_nsd(write_nsd(root, rng), how, rng)
    refuse(prepare("nsd", root, out), str(root), NSD_BREAKS[how])


@pytest.mark.parametrize("form", ["nifti", "hdf5"])
def test_last_session_of_nsd_is_truncated(form, root, out, rng, refuse):
    folder = write_nsd(root, rng, form=form).folder
    # so little is missing that only reading the voxels tells
    cut(next(folder.glob("betas_session03*")), 0.98)
    refuse(prepare("nsd", root, out), f"{folder}/betas_session03", "truncated")


def test_nsd_without_its_design(root, out, rng, refuse):
    write_nsd(root, rng)
    (root / "nsddata/experiments/nsd/nsd_expdesign.mat").unlink()
    refuse(prepare("nsd", root, out), f"file {root}", "there is no nsddata/experiments/nsd/nsd_exp")


@pytest.mark.parametrize("how", sorted(BIDS_BREAKS))
def test_bids(how, root, out, rng, refuse):
    write_bids(root, rng)
    break_bids(root, how, rng)
    refuse(prepare("bids-betas", root, out), str(root), *BIDS_BREAKS[how])


@pytest.mark.parametrize(("how", "n_bad"), [("NaN", 3), ("constant", 3)])
def test_bad_voxels_are_dropped_only_if_asked(how, n_bad, root, out, rng, refuse):
    write_bids(root, rng)
    break_bids(root, how, rng)
    command = prepare("bids-betas", root, out)
    refuse(command, f"{n_bad} of 60 voxels are bad")
    assert main([*map(str, command), "--drop-bad-voxels", "--quiet"]) == 0
    assert ResponseStore(out / "stores" / "sub-07.h5").n_features == 60 - n_bad


@pytest.mark.parametrize("how", sorted(HAXBY_BREAKS))
def test_haxby(how, root, out, rng, refuse):
    write_haxby(root, rng)
    break_haxby(root, how)
    refuse(prepare("haxby2001", root, out), f"file {root}", HAXBY_BREAKS[how])


@pytest.mark.parametrize("how", sorted(V4_BREAKS))
def test_v4(how, root, out, rng, refuse, tmp_path):
    write_v4(root, rng)
    break_v4(root, how, Bomb(tmp_path / "bomb"))
    refuse(prepare("v4", root, out), f"file {root}", V4_BREAKS[how])
    assert not (tmp_path / "bomb").exists()


@pytest.mark.parametrize(
    ("name", "known"),
    [("nsd", "02"), ("bids-betas", "07"), ("haxby2001", "1"), ("v4", "190923, 201025")],
)
def test_unknown_subject(name, known, root, out, rng, refuse):
    WRITERS[name](root, rng)
    command = prepare(name, root, out, "--subjects", "99")
    refuse(command, f"file {root}, subject 99: unknown subject; known: {known}")


@pytest.mark.parametrize("size", ["big", "-3", "0"])
def test_impossible_size_of_pictures(size, root, out, rng, refuse):
    write_nsd(root, rng)
    command = prepare("nsd", root, out, "--option", f"image_size={size}")
    refuse(command, f"image_size is {size}; give a positive number of pixels")


def test_a_file_is_where_the_folder_should_be(root, out, rng, refuse):
    write_v4(root, rng)
    (out / "stores").touch()
    refuse(prepare("v4", root, out), f"file {out}/stores: File exists", keeps=("stores",))


@pytest.mark.usefixtures("full_disk")
def test_full_disk(root, out, rng, refuse):
    write_v4(root, rng)
    refuse(prepare("v4", root, out), f"file {out}/stores", "no space left on the disk")


@pytest.mark.usefixtures("full_disk")
def test_simulation_on_a_full_disk(out, refuse):
    command = ["simulate", "--out", out / "world", "--subjects", 1, "--images-per-subject", 9]
    refuse([*command, "--shared", 3, "--image-size", 16], f"file {out}/world: no space left")
