"""NIfTI volumes: opening them, and checking that a mask belongs to the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import DataError

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image

__all__ = ["check_same_space", "open_nifti", "read_mask", "read_volume", "read_voxels"]

_AFFINE_TOLERANCE_MM = 1e-2


def open_nifti(path: str | Path) -> Nifti1Image:
    """Open a NIfTI file without reading its voxels.

    Parameters
    ----------
    path : path-like
        A ``.nii`` or ``.nii.gz`` file.

    Returns
    -------
    nibabel.Nifti1Image
        The image; its voxels stay on disk.

    Raises
    ------
    DataError
        If the file is missing or is not NIfTI.
    """
    import nibabel as nib

    if not Path(path).is_file():
        raise DataError("file is missing", file=path, fix="check the path or download it again")
    try:
        return nib.load(path)
    except (nib.filebasedimages.ImageFileError, OSError, EOFError, ValueError) as error:
        raise DataError("not a readable NIfTI file", file=path, fix="download it again") from error


def read_volume(path: str | Path, ndim: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Read a whole NIfTI file.

    Parameters
    ----------
    path : path-like
        A ``.nii`` or ``.nii.gz`` file.
    ndim : int
        Number of axes it must have; trailing axes of length one are dropped.

    Returns
    -------
    values : array of float32 of shape (x, y, z) or (x, y, z, n)
        Voxels, scaled as the header says.
    affine : array of shape (4, 4)
        Voxel index to millimetres.

    Raises
    ------
    DataError
        If the file is missing, truncated, not NIfTI, or has another number of axes.
    """
    image = open_nifti(path)
    try:
        values = np.asarray(image.dataobj, dtype=np.float32)
    except (OSError, EOFError, ValueError) as error:
        raise DataError("file is truncated", file=path, fix="download it again") from error
    while values.ndim > ndim and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != ndim:
        raise DataError(f"expected {ndim} axes, found shape {values.shape}", file=path)
    return values, np.asarray(image.affine)


def read_mask(path: str | Path, subject: str) -> tuple[np.ndarray, np.ndarray]:
    """Read which voxels are meant: those with a label above zero.

    Parameters
    ----------
    path : path-like
        A mask or a label volume.
    subject : str
        Whose mask, for the error message.

    Returns
    -------
    mask : array of bool of shape (x, y, z)
        The voxels.
    affine : array of shape (4, 4)
        Voxel index to millimetres.

    Raises
    ------
    DataError
        If the file is missing, broken or has no such voxel.
    """
    values, affine = read_volume(path)
    mask = values > 0
    if not mask.any():
        raise DataError("mask is empty", file=path, subject=subject, fix="take another mask")
    return mask, affine


def check_same_space(
    path: str | Path,
    shape: tuple[int, ...],
    affine: np.ndarray,
    *,
    other: str | Path,
    other_shape: tuple[int, ...],
    other_affine: np.ndarray | None = None,
    subject: str | None = None,
) -> None:
    """Refuse a volume that lies in another space than the data.

    Parameters
    ----------
    path : path-like
        The mask or label volume.
    shape : tuple of int
        Its shape.
    affine : array of shape (4, 4)
        Its affine, in mm.
    other : path-like
        The data it must fit.
    other_shape : tuple of int
        Shape of one volume of the data.
    other_affine : array of shape (4, 4), optional
        Affine of the data, in mm; not compared where the data carry none.
    subject : str, optional
        Whose data, for the error message.

    Raises
    ------
    DataError
        If shape or affine differ (by more than 0.01 mm).
    """
    if tuple(shape) != tuple(other_shape):
        raise DataError(
            f"shape {tuple(shape)} does not match {tuple(other_shape)} of {Path(other).name}",
            file=path,
            subject=subject,
            fix="use the mask of the same subject and space",
        )
    if other_affine is None:
        return
    if not np.allclose(affine, other_affine, atol=_AFFINE_TOLERANCE_MM):
        worst = float(np.abs(np.asarray(affine) - other_affine).max())
        raise DataError(
            f"affine differs from that of {Path(other).name} by up to {worst:.3g} mm",
            file=path,
            subject=subject,
            fix="resample the mask to the space of the data",
        )


def read_voxels(path: str | Path, mask: np.ndarray, affine: np.ndarray, subject: str) -> np.ndarray:
    """Read a volume inside a mask.

    Parameters
    ----------
    path : path-like
        A label or statistics volume.
    mask : array of bool of shape (x, y, z)
        Voxels, in C order.
    affine : array of shape (4, 4)
        Affine of the mask, in mm.
    subject : str
        Whose volume, for the error message.

    Returns
    -------
    array of float32 of shape (n_voxels,)
        The values.

    Raises
    ------
    DataError
        If the file is missing, broken or in another space than the mask.
    """
    values, own_affine = read_volume(path)
    check_same_space(
        path,
        values.shape,
        own_affine,
        other="the mask",
        other_shape=mask.shape,
        other_affine=affine,
        subject=subject,
    )
    return values[mask]
