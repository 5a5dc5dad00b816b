"""What each region did: means over its voxels, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodecode.datasets.parcels import Parcellation
from neurodecode.datasets.volumes import check_same_space, open_nifti, read_mask
from neurodecode.errors import DataError

__all__ = ["BoldRun", "check_series", "region_means", "repetition_time"]


@dataclass(frozen=True)
class BoldRun:
    """One or more runs in one file.

    Parameters
    ----------
    bold : path
        4-D NIfTI.
    mask : path
        Voxels of the brain.
    label : array of str of shape (n_volumes,)
        What was shown or done at each volume, ``rest`` where nothing.
    run : array of int of shape (n_volumes,)
        Number of the run of each volume, from 1.
    session : int
        Which session.
    """

    bold: Path
    mask: Path
    label: np.ndarray
    run: np.ndarray
    session: int = 1


def repetition_time(files: list[BoldRun], subject: str) -> float:
    """Read the repetition time, which all files must share.

    Parameters
    ----------
    files : list of BoldRun
        Of one subject.
    subject : str
        Whose.

    Returns
    -------
    float
        In seconds.

    Raises
    ------
    DataError
        If a header does not tell it, or files differ.
    """
    known = {each.bold: _header_tr(each.bold) for each in files}
    missing = [path for path, tr_s in known.items() if not tr_s > 0]
    if missing:
        raise DataError("no repetition time in the header", file=missing[0], subject=subject,
                        field="pixdim[4]", fix="give it: --option tr_s=SECONDS")  # fmt: skip
    first, tr_s = next(iter(known.items()))
    for path, other in known.items():
        if abs(other - tr_s) > 1e-3:
            raise DataError(
                f"TR is {other:g} s, but {tr_s:g} s in {first.name}", file=path,
                subject=subject, field="pixdim[4]",
                fix="prepare runs of one TR, or give the true one: --option tr_s=SECONDS",
            )  # fmt: skip
    return tr_s


def _header_tr(path: Path) -> float:
    header = open_nifti(path).header
    zooms = header.get_zooms()
    unit = header.get_xyzt_units()[1]
    value = float(zooms[3]) if len(zooms) > 3 else 0.0
    return value * {"msec": 1e-3, "usec": 1e-6}.get(unit, 1.0)


def region_means(files: BoldRun, parcels: Parcellation, subject: str) -> np.ndarray:
    """Average over the voxels of each region, by nilearn.

    Parameters
    ----------
    files : BoldRun
        Volumes and mask.
    parcels : Parcellation
        Regions, in the grid of the mask.
    subject : str
        Whose, for errors.

    Returns
    -------
    array of shape (n_volumes, n_regions)
        In the unit of the file.

    Raises
    ------
    DataError
        If volumes, mask and labels do not belong together, the file is truncated, or a voxel of
        a region is not finite.
    """
    from nibabel.nifti1 import Nifti1Image
    from nilearn.regions import img_to_signals_labels

    bold = open_nifti(files.bold)
    mask, affine = read_mask(files.mask, subject)
    check_same_space(
        files.bold, bold.shape[:3], np.asarray(bold.affine), other=files.mask,
        other_shape=mask.shape, other_affine=affine, subject=subject,
    )  # fmt: skip
    if len(bold.shape) != 4 or bold.shape[3] != len(files.label):
        raise DataError(f"{len(files.label)} labels for volumes of shape {bold.shape}",
                        file=files.bold, subject=subject)  # fmt: skip
    inside = np.where(mask, parcels.labels, 0).astype(np.int32)
    try:
        values = np.asarray(bold.dataobj, dtype=np.float32)
    except (OSError, EOFError, ValueError) as error:
        raise DataError("file is truncated or unreadable", file=files.bold, subject=subject,
                        fix="download it again") from error  # fmt: skip
    _check_finite(values, inside, parcels, subject, files.bold)
    means, found, _ = img_to_signals_labels(
        Nifti1Image(values, affine), Nifti1Image(inside, affine), return_masked_atlas=True
    )
    return np.asarray(means)[:, np.argsort(found)]


def _check_finite(
    values: np.ndarray, inside: np.ndarray, parcels: Parcellation, subject: str, path: Path
) -> None:
    """Refuse what nilearn would take for zeros."""
    bad = ~np.isfinite(values).all(axis=3)
    spoiled = np.unique(inside[bad & (inside > 0)])
    if len(spoiled):
        raise DataError(
            f"{len(spoiled)} of {len(parcels.names)} regions have NaN in their voxels, first:"
            f" {parcels.names[spoiled[0] - 1]}",
            file=path, subject=subject, field="responses",
            fix="leave these voxels out of the mask",
        )  # fmt: skip


def check_series(series: np.ndarray, parcels: Parcellation, subject: str, path: Path) -> None:
    """Refuse regions without a signal.

    Parameters
    ----------
    series : array of shape (n_volumes, n_regions)
        Means.
    parcels : Parcellation
        Names of the regions.
    subject, path
        For errors.

    Raises
    ------
    DataError
        If a region is constant.
    """
    constant = series.std(axis=0) == 0
    if constant.any():
        raise DataError(
            f"{int(constant.sum())} of {len(constant)} regions are constant, first:"
            f" {parcels.names[int(np.argmax(constant))]}",
            file=path, subject=subject, field="responses",
            fix="leave their voxels out of the mask, or take an atlas without them",
        )  # fmt: skip
