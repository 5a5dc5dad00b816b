"""Parcellations: which region of the brain a voxel belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.volumes import read_mask, read_volume
from neurodecode.errors import ConfigError, DataError

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image

__all__ = ["NETWORKS", "Parcellation", "atlas_parcels", "spherical_parcels"]

#: The seven networks of Yeo et al. (2011), as Schaefer's atlas abbreviates them.
NETWORKS = ("Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default")
_SCHAEFER = re.compile(r"(?:7|17)Networks_[LR]H_([A-Za-z]+)")


@dataclass(frozen=True)
class Parcellation:
    """Regions of one brain.

    Parameters
    ----------
    labels : array of int of shape (x, y, z)
        Number of the region of each voxel from 1, 0 where there is none.
    affine : array of shape (4, 4)
        Voxel index to mm.
    names : tuple of str of length n_regions
        Region 1, region 2, ...
    """

    labels: np.ndarray
    affine: np.ndarray
    names: tuple[str, ...]

    @property
    def networks(self) -> tuple[str, ...]:
        """Network of each region where its name tells it as Schaefer's do, else empty."""
        found = (_SCHAEFER.match(name) for name in self.names)
        return tuple(match[1] if match else "" for match in found)

    def centres_mm(self) -> np.ndarray:
        """Centre of gravity of each region.

        Returns
        -------
        array of shape (n_regions, 3)
            In mm; NaN for a region without voxels.
        """
        where = np.argwhere(self.labels > 0)
        which = self.labels[tuple(where.T)] - 1
        count = np.bincount(which, minlength=len(self.names))
        sums = [np.bincount(which, weights=axis, minlength=len(self.names)) for axis in where.T]
        with np.errstate(invalid="ignore"):
            mean = np.stack(sums, axis=1) / count[:, None]
        return mean @ self.affine[:3, :3].T + self.affine[:3, 3]

    def image(self) -> Nifti1Image:
        """Labels as an image, for nilearn.

        Returns
        -------
        nibabel.Nifti1Image
            Of int32.
        """
        from nibabel.nifti1 import Nifti1Image

        return Nifti1Image(self.labels.astype(np.int32), self.affine)


def spherical_parcels(
    mask: np.ndarray, affine: np.ndarray, n_regions: int, radius_mm: float = np.inf
) -> Parcellation:
    """Spread spheres evenly over a mask; needs no atlas.

    Centres are voxels: the first is nearest to the middle of the mask, each of the others is
    the one furthest from all before it. A voxel belongs to the centre nearest to it, if that is
    within the radius.

    Parameters
    ----------
    mask : array of bool of shape (x, y, z)
        Voxels to divide.
    affine : array of shape (4, 4)
        Voxel index to mm.
    n_regions : int
        How many regions.
    radius_mm : float
        Voxels further than this from every centre belong to no region.

    Returns
    -------
    Parcellation
        Regions named ``sphere-001``, ...

    Raises
    ------
    ConfigError
        If there are more regions than voxels, or none.
    """
    where = np.argwhere(mask)
    if not 1 <= n_regions <= len(where):
        raise ConfigError(f"{n_regions} regions of a mask with {len(where)} voxels; give 1 to that")
    if not radius_mm > 0:
        raise ConfigError(f"radius is {radius_mm:g} mm; give a positive number")
    place = where @ affine[:3, :3].T + affine[:3, 3]
    owner, nearest = _nearest_centres(place, n_regions)
    labels = np.zeros(mask.shape, dtype=np.int32)
    labels[tuple(where.T)] = np.where(nearest <= radius_mm, owner + 1, 0)
    return Parcellation(
        labels, affine, tuple(f"sphere-{number + 1:03d}" for number in range(n_regions))
    )


def _nearest_centres(place: np.ndarray, n_centres: int) -> tuple[np.ndarray, np.ndarray]:
    """Farthest-point centres: which is nearest to each place, and how far it is."""
    first = np.argmin(np.linalg.norm(place - place.mean(axis=0), axis=1))
    nearest = np.linalg.norm(place - place[first], axis=1)
    owner = np.zeros(len(place), dtype=np.int64)
    for number in range(1, n_centres):
        distance = np.linalg.norm(place - place[np.argmax(nearest)], axis=1)
        closer = distance < nearest
        owner[closer], nearest = number, np.minimum(nearest, distance)
    return owner, nearest


def atlas_parcels(path: str | Path, names: str | Path | None = None) -> Parcellation:
    """Read an atlas: a label volume, and the names of its regions.

    Parameters
    ----------
    path : path-like
        NIfTI file of integers, 0 where there is no region.
    names : path-like, optional
        A line for each label, in increasing order, the name its only or second word (Schaefer's
        ``..._order.txt`` has ``1 7Networks_LH_Vis_1 120 18 131 0``). Without, names are
        ``region-<label>``.

    Returns
    -------
    Parcellation
        Labels renumbered from 1 without gaps.

    Raises
    ------
    DataError
        If a file is missing or broken, labels are not whole numbers, or there are more or fewer
        names than labels.
    """
    read_mask(path, "atlas")
    values, affine = read_volume(path)
    if not np.array_equal(values, np.round(values)) or values.min() < 0:
        raise DataError(
            "labels of an atlas must be whole numbers from 0", file=path,
            fix="give the label volume, not a map of probabilities",
        )  # fmt: skip
    found, labels = np.unique(values.astype(np.int64), return_inverse=True)
    labels = labels.reshape(values.shape) + (found[0] != 0)
    numbers = found[found > 0]
    named = [f"region-{number}" for number in numbers] if names is None else _read_names(names)
    if len(named) != len(numbers):
        raise DataError(
            f"{len(named)} names for the {len(numbers)} labels of {Path(path).name}", file=names,
            fix="give the table that belongs to the atlas",
        )  # fmt: skip
    return Parcellation(labels.astype(np.int32), affine, tuple(named))


def _read_names(path: str | Path) -> Sequence[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("names of regions cannot be read", file=path) from error
    words = [line.split() for line in lines if line.strip()]
    return [line[1] if len(line) > 1 and line[0].isdigit() else line[0] for line in words]
