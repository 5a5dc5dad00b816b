"""NSD's per-subject files for the miniature world: volumes, betas, and the truth."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from neurodecode.datasets.mini.anatomy import VOXEL_MM, Anatomy
from neurodecode.datasets.nsd.betas import BETA_SCALE
from neurodecode.datasets.nsd.paths import NsdPaths
from neurodecode.datasets.nsd.rois import ROI_LABELS

__all__ = ["write_betas", "write_ncsnr", "write_rois", "write_truth"]

_INT16 = np.iinfo(np.int16)


def _write_volume(path: Path, values: np.ndarray, anatomy: Anatomy) -> None:
    import nibabel as nib

    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(values, anatomy.affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((VOXEL_MM,) * 3)
    nib.save(image, path)


def _scatter(anatomy: Anatomy, values: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Put one value for each voxel of visual cortex into a copy of a volume."""
    volume = background.copy()
    volume[tuple(anatomy.xyz.T)] = values
    return volume


def write_rois(paths: NsdPaths, subject: str, anatomy: Anatomy, eccentricity: np.ndarray) -> None:
    """Write the label volumes (both hemispheres and each alone), their names, and the brain mask.

    Labels are -1 outside (this hemisphere's) cortex, 0 in cortex without a label, 1..N else.

    Parameters
    ----------
    paths : NsdPaths
        Where the files belong.
    subject : str
        Two digits.
    anatomy : Anatomy
        The brain.
    eccentricity : array of shape (n_voxels,)
        Of the receptive fields, in degrees; gives the volume ``prf-eccrois``.
    """
    retinotopic = anatomy.labels["prf-visualrois"] > 0
    rings = np.searchsorted([0.5, 1.0, 2.0, 4.0], eccentricity) + 1
    labels = {
        "nsdgeneral": np.ones(anatomy.n_voxels, dtype=np.int64),
        **anatomy.labels,
        "prf-eccrois": np.where(retinotopic, rings, 0),
    }
    outside = np.where(anatomy.cortex, 0, -1).astype(np.int16)
    left = np.zeros(anatomy.shape, dtype=bool)
    left[: anatomy.shape[0] // 2] = True
    for name, values in labels.items():
        volume = _scatter(anatomy, values, outside)
        _write_volume(paths.roi(subject, name), volume, anatomy)
        for side, here in (("lh", left), ("rh", ~left)):
            one = np.where(here, volume, -1).astype(np.int16)
            _write_volume(paths.roi(subject, f"{side}.{name}"), one, anatomy)
        table = paths.labels(subject, name)
        table.parent.mkdir(parents=True, exist_ok=True)
        names = enumerate(("Unknown", *ROI_LABELS.get(name, (name,))))
        table.write_text("".join(f"{number} {text}\n" for number, text in names))
    brain = anatomy.brain.astype(np.int16)
    _write_volume(paths.volume(subject, "brainmask"), brain, anatomy)


def write_ncsnr(paths: NsdPaths, subject: str, anatomy: Anatomy, ncsnr: np.ndarray) -> None:
    """Write the true noise-ceiling signal-to-noise ratio; 0 outside visual cortex.

    Parameters
    ----------
    paths : NsdPaths
        Where the file belongs.
    subject : str
        Two digits.
    anatomy : Anatomy
        The brain.
    ncsnr : array of shape (n_voxels,)
        Of visual cortex.
    """
    background = np.where(anatomy.brain, 0.0, np.nan).astype(np.float32)
    volume = _scatter(anatomy, ncsnr, background)
    _write_volume(paths.betas_folder(subject) / "ncsnr.nii.gz", volume, anatomy)


def write_betas(path: Path, betas: np.ndarray, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Write the betas of one session as NSD does.

    int16, 300 x percent signal change, axes (trial, z, y, x), one chunk for each voxel, 0
    outside the brain. The rest of the brain gets noise.

    Parameters
    ----------
    path : Path
        ``betas_sessionBB.hdf5``.
    betas : array of shape (n_trials, n_voxels)
        Of visual cortex, in percent signal change.
    anatomy : Anatomy
        The brain.
    rng : numpy.random.Generator
        Source of the noise.
    """
    n_trials = len(betas)
    volume = np.zeros((*anatomy.shape, n_trials), dtype=np.int16)
    noise = 2.0 * rng.standard_normal((int(anatomy.brain.sum()), n_trials), dtype=np.float32)
    volume[anatomy.brain] = _to_int16(noise)
    volume[tuple(anatomy.xyz.T)] = _to_int16(betas.T)
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.ascontiguousarray(volume.transpose(3, 2, 1, 0))
    with h5py.File(path, "w") as file:
        file.create_dataset("betas", data=stored, chunks=(n_trials, 1, 1, 1))


def _to_int16(percent: np.ndarray) -> np.ndarray:
    return np.clip(np.round(percent * BETA_SCALE), _INT16.min, _INT16.max).astype(np.int16)


def write_truth(path: Path, arrays: dict[str, np.ndarray], attrs: dict[str, object]) -> None:
    """Write what no scanner could tell.

    Parameters
    ----------
    path : Path
        ``truth/subjAA.h5``.
    arrays : dict of str to array
        Noise-free responses, receptive fields, tuning, noise.
    attrs : dict
        What the file holds, in words and numbers.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs.update(attrs)
        for name, values in arrays.items():
            file.create_dataset(name, data=values)
