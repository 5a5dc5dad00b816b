"""NSD's single-trial betas: int16 volumes of 300 x percent signal change, read in a mask."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import h5py
import numpy as np

from neurodecode.datasets.sessions import Part
from neurodecode.datasets.volumes import check_same_space, open_nifti
from neurodecode.errors import DataError
from neurodecode.store.hdf5 import get_dataset, open_hdf5

__all__ = ["BETA_SCALE", "open_session"]

BETA_SCALE = 300.0
"""Stored number per percent signal change."""

_VOLUMES_AT_ONCE = 50


def open_session(path: Path, mask: np.ndarray, affine: np.ndarray, subject: str) -> Part:
    """Check the betas of one session and prepare for reading them.

    Parameters
    ----------
    path : Path
        ``betas_sessionBB.hdf5`` or ``betas_sessionBB.nii.gz``.
    mask : array of bool of shape (x, y, z)
        Voxels to read, in C order.
    affine : array of shape (4, 4)
        Affine of the mask, in mm.
    subject : str
        Whose data, for error messages.

    Returns
    -------
    Part
        Number of trials, and a function that reads int16 of shape (n_trials, n_voxels).

    Raises
    ------
    DataError
        If the file is missing, broken, of another type, or in another space than the mask.
    """
    if path.suffix == ".hdf5":
        with open_hdf5(path) as file:
            betas = get_dataset(file, "betas")
            n_trials, space, dtype = betas.shape[0], betas.shape[:0:-1], betas.dtype
        other_affine = None
        read = partial(_read_hdf5, path, mask)
    else:
        image = open_nifti(path)
        n_trials, space, dtype = image.shape[-1], image.shape[:-1], image.get_data_dtype()
        other_affine = np.asarray(image.affine)
        read = partial(_read_nifti, path, mask)
    if dtype.kind != "i":
        raise DataError(
            f"expected int16 betas (300 x percent signal change), found {dtype}",
            file=path,
            subject=subject,
            field="betas",
        )
    # the betas are the reference: name them as what the mask does not fit
    check_same_space(
        path,
        space,
        affine if other_affine is None else other_affine,
        other="the mask",
        other_shape=mask.shape,
        other_affine=affine,
        subject=subject,
    )
    return Part(n_trials, read)


def _read_hdf5(path: Path, mask: np.ndarray) -> np.ndarray:
    """Read masked trials of shape (n_trials, n_voxels); in the file, axes are (trial, z, y, x)."""
    with open_hdf5(path) as file:
        betas = get_dataset(file, "betas")
        try:
            if (
                betas.chunks == (betas.shape[0], 1, 1, 1)
                and not betas.id.get_create_plist().get_nfilters()
            ):
                return _read_voxel_chunks(betas, mask)
            return _read_slabs(betas, mask)
        except OSError as error:
            raise DataError(
                "file is truncated or damaged", file=path, field="betas", fix="download it again"
            ) from error


def _read_voxel_chunks(betas: h5py.Dataset, mask: np.ndarray) -> np.ndarray:
    """Read NSD's own chunks, one voxel each, without HDF5's chunk cache."""
    out = np.empty((int(mask.sum()), betas.shape[0]), dtype=betas.dtype)
    written = betas.id.get_num_chunks() == int(np.prod(betas.shape[1:]))
    for row, (x, y, z) in enumerate(np.argwhere(mask).tolist()):
        if written:
            betas.id.read_direct_chunk((0, z, y, x), out=out[row].view(np.uint8))
        else:
            out[row] = betas[:, z, y, x]
    return np.ascontiguousarray(out.T)


def _read_slabs(betas: h5py.Dataset, mask: np.ndarray) -> np.ndarray:
    """Read any other chunking, one sagittal slab after the other."""
    parts = []
    for x in range(mask.shape[0]):
        y, z = np.nonzero(mask[x])
        if len(y):
            parts.append(betas[:, :, :, x][:, z, y])
    return np.concatenate(parts, axis=1)


def _read_nifti(path: Path, mask: np.ndarray) -> np.ndarray:
    import nibabel as nib

    image = nib.load(path, keep_file_open=True)
    n_trials = image.shape[-1]
    out = np.empty((n_trials, int(mask.sum())), dtype=np.int16)
    try:
        for start in range(0, n_trials, _VOLUMES_AT_ONCE):
            stop = min(start + _VOLUMES_AT_ONCE, n_trials)
            block = np.asanyarray(image.dataobj[..., start:stop])
            out[start:stop] = block[mask].T
    except (OSError, EOFError, ValueError) as error:
        raise DataError("file is truncated", file=path, fix="download it again") from error
    return out
