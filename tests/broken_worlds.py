"""Ways in which files from outside are broken."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
from dataset_worlds import AFFINE, NsdWorld, write_nifti
from scipy.io import savemat


def cut(path: Path, share: float = 2 / 3) -> None:
    """Truncate a file, as an interrupted download would."""
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def make_older(path: Path) -> None:
    """Let a store be of format version 0."""
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 0


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.folder,)


NSD_BREAKS = {
    "design missing a key": "field subjectim: entry is missing",
    "design truncated": "truncated or is not a MATLAB file",
    "betas truncated": "file is truncated",
    "betas not HDF5": "not a readable HDF5 file",
    "betas without data set": "field betas: data set is missing (found: beta)",
    "betas of floats": "expected int16 betas",
    "betas too few": "6 betas for 7 trials of session 2",
    "betas in another space": "shape (5, 3, 4) does not match (5, 4, 3)",
    "mask missing": "nsdgeneral.nii.gz, subject 02: file is missing",
    "mask shifted": "affine differs",
    "mask empty": "mask is empty",
    "mask truncated": "not a readable NIfTI file",
    "behaviour disagrees": "does not agree with nsd_expdesign.mat (trial 5)",
    "behaviour without column": "field 73KID: column is missing",
    "pictures missing": "file is missing",
    "pictures too few": "4 pictures, but the design shows number",
}


def break_nsd(nsd: NsdWorld, how: str, rng: np.random.Generator) -> None:
    """Damage one file of a healthy NSD."""
    design = nsd.root / "nsddata/experiments/nsd/nsd_expdesign.mat"
    betas = nsd.folder / "betas_session02.hdf5"
    mask = nsd.rois / "nsdgeneral.nii.gz"
    pictures = nsd.root / "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"
    behaviour = nsd.root / "nsddata/ppdata/subj02/behav/responses.tsv"
    lines = behaviour.read_text().splitlines()
    arrays = {"betas of floats": nsd.betas[2] / 300, "betas too few": nsd.betas[2][:6]}
    arrays["betas in another space"] = nsd.betas[2].transpose(0, 2, 1, 3)
    arrays["betas without data set"] = nsd.betas[2]
    if how in arrays:
        with h5py.File(betas, "w") as file:
            file["beta" if "without" in how else "betas"] = arrays[how]
    elif how == "design missing a key":
        savemat(design, {"masterordering": nsd.order, "sharedix": [[1]]})
    elif how in ("design truncated", "betas truncated", "mask truncated"):
        path = {"design": design, "betas": betas, "mask": mask}[how.split()[0]]
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    elif how == "betas not HDF5":
        betas.write_bytes(b"<html>404</html>")
    elif how == "mask missing":
        mask.unlink()
    elif how == "mask shifted":
        shifted = AFFINE.copy()
        shifted[0, 3] = 3.6
        write_nifti(mask, nsd.general, shifted)
    elif how == "mask empty":
        write_nifti(mask, -np.ones_like(nsd.general))
    elif how == "behaviour disagrees":
        cells = lines[5].split("\t")
        cells[4] = str(int(cells[4]) % 10 + 1)
        behaviour.write_text("\n".join([*lines[:5], "\t".join(cells), *lines[6:]]))
    elif how == "behaviour without column":
        behaviour.write_text("\n".join([lines[0].replace("73KID", "IMAGE"), *lines[1:]]))
    elif how == "pictures missing":
        pictures.unlink()
    elif how == "pictures too few":
        with h5py.File(pictures, "w") as file:
            file["imgBrick"] = nsd.images[:4]


BIDS_BREAKS = {
    "betas truncated": ("ses-b", "not a readable NIfTI file"),
    "betas of another run": ("ses-b", "subject 07, field stim_file: 5 betas for 2 trials"),
    "no events": ("ses-b", "no event table beside it"),
    "mask of another shape": ("mask.nii.gz, subject 07: shape (5, 4, 2) does not match",),
    "mask elsewhere": ("mask.nii.gz, subject 07: affine differs", "by up to 5 mm"),
    "mask empty": ("mask.nii.gz, subject 07: mask is empty",),
    "NaN": ("subject 07, field responses: ", "NaN, 0 constant): ", "(2, 2, ", "--drop-bad-voxels"),
    "constant": ("subject 07, field responses: ", "(0 NaN, ", "(2, 2, ", "--drop-bad-voxels"),
    "picture missing": ("dog_3.png: image is missing",),
    "picture truncated": ("dog_3.png: image does not decode",),
    "picture is text": ("dog_3.png: image does not decode",),
}


def break_bids(root: Path, how: str, rng: np.random.Generator) -> None:
    """Damage one file of a healthy derivative."""
    betas = next(root.glob("sub-07/ses-b/func/*_betas.nii.gz"))
    mask = next(root.glob("sub-07/anat/*_mask.nii.gz"))
    picture = root / "stimuli" / "dog" / "dog_3.png"
    shifted = AFFINE.copy()
    shifted[0, 3] = 5.0
    bad = rng.standard_normal((5, 4, 3, 2))
    bad[2, 2] = np.nan if how == "NaN" else 1.0
    everywhere = np.ones((5, 4, 3), np.int8)
    if how.endswith("truncated"):
        cut(picture if "picture" in how else betas, 0.5)
    elif how == "betas of another run":
        write_nifti(betas, np.ones((5, 4, 3, 5)))
    elif how == "no events":
        next(betas.parent.glob("*_events.tsv")).unlink()
    elif how == "mask of another shape":
        write_nifti(mask, everywhere[..., :2])
    elif how == "mask elsewhere":
        write_nifti(mask, everywhere, shifted)
    elif how == "mask empty":
        write_nifti(mask, 0 * everywhere)
    elif how in ("NaN", "constant"):
        write_nifti(mask, everywhere)
        write_nifti(betas, bad)
    elif how == "picture missing":
        picture.unlink()
    elif how == "picture is text":
        picture.write_text("<html>404</html>")


HAXBY_BREAKS = {
    "volumes truncated": "bold.nii.gz, subject 1: file is truncated",
    "mask missing": "mask.nii.gz, subject 1: file is missing",
    "mask empty": "mask.nii.gz, subject 1: mask is empty",
    "mask of another shape": "mask.nii.gz, subject 1: shape (6, 5, 3) does not match",
    "labels too few": "attributes_literal.txt, subject 1: 57 labels for 60 volumes",
}


def break_haxby(root: Path, how: str) -> None:
    """Damage one file of a healthy Haxby folder."""
    mask, labels = root / "mask.nii.gz", root / "attributes_literal.txt"
    if how == "volumes truncated":
        cut(root / "bold.nii.gz")
    elif how == "mask missing":
        mask.unlink()
    elif how == "mask empty":
        write_nifti(mask, np.zeros((6, 5, 2)))
    elif how == "mask of another shape":
        write_nifti(mask, np.ones((6, 5, 3)))
    elif how == "labels too few":
        labels.write_text("\n".join(labels.read_text().splitlines()[:-3]))


V4_BREAKS = {
    "counts pickled": "subject 190923: file holds pickled Python objects, which can run code",
    "bare pickle": "subject 190923: file holds pickled Python objects, which can run code",
    "counts truncated": "responses_190923.npy, subject 190923: file is truncated",
    "counts too few": "responses_190923.npy, subject 190923: 6 responses for 7 images",
    "archive truncated": "images_190923.zip: not a readable zip file",
    "picture is text": "images_190923.zip, field images_190923/z.jpg: image does not decode",
    "silent neuron": "subject 190923, field responses: 1 of 9 features are bad (0 NaN, 1 constant)",
}


def break_v4(root: Path, how: str, bomb: Bomb) -> None:
    """Damage one file of healthy V4 recordings."""
    counts = root / "responses_repeat_averaged" / "responses_190923.npy"
    archive = root / "images" / "images_190923.zip"
    values = np.load(counts)
    if how == "counts pickled":
        np.save(counts, np.array([bomb], dtype=object), allow_pickle=True)
    elif how == "bare pickle":
        counts.write_bytes(pickle.dumps(bomb))
    elif how.endswith("truncated"):
        cut(counts if "counts" in how else archive)
    elif how == "counts too few":
        np.save(counts, values[:, :6])
    elif how == "picture is text":
        with zipfile.ZipFile(archive, "a") as file:
            file.writestr("images_190923/z.jpg", b"<html>404</html>")
    elif how == "silent neuron":
        values[4] = 0
        np.save(counts, values)
