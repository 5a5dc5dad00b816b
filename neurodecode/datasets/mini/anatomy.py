"""Small brains: which voxels there are, and to which region each belongs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from neurodecode.datasets.nsd.rois import ROI_LABELS

__all__ = ["Anatomy", "make_anatomy", "volume_shape"]

VOXEL_MM = 1.8
_SHAPES = ((17, 19, 15), (18, 17, 14), (16, 20, 15), (19, 18, 13))
_VOXELS = (731, 612, 868, 547)
_EARLY_SHARE, _MIDDLE_SHARE, _PATCH_SHARE = 0.45, 0.2, 0.035
#: region: label volume, stream in which it lies
_PATCHES = {
    "OFA": ("floc-faces", "lateral"),
    "FFA-1": ("floc-faces", "ventral"),
    "FFA-2": ("floc-faces", "ventral"),
    "OPA": ("floc-places", "parietal"),
    "PPA": ("floc-places", "ventral"),
    "EBA": ("floc-bodies", "lateral"),
    "FBA-1": ("floc-bodies", "ventral"),
    "VWFA-1": ("floc-words", "ventral"),
}


@dataclass(frozen=True)
class Anatomy:
    """One subject's volume.

    Parameters
    ----------
    shape : tuple of int
        Voxels along x (to the right), y (to the front) and z (up).
    brain, cortex : array of bool of shape (x, y, z)
        Masks.
    xyz : array of int of shape (n_voxels, 3)
        Voxels of visual cortex (nsdgeneral), in C order.
    position : array of shape (n_voxels, 3)
        Their place in the brain, each axis from -1 to 1.
    labels : dict of str to array of int of shape (n_voxels,)
        Label of each voxel in each volume of `ROI_LABELS`, 0 for none; without the
        eccentricities, which follow from the receptive fields.
    """

    shape: tuple[int, int, int]
    brain: np.ndarray
    cortex: np.ndarray
    xyz: np.ndarray
    position: np.ndarray
    labels: dict[str, np.ndarray]

    @property
    def n_voxels(self) -> int:
        """Voxels of visual cortex."""
        return len(self.xyz)

    @property
    def affine(self) -> np.ndarray:
        """Voxel index to mm; as in NSD the origin is the centre of the volume."""
        affine = np.diag([VOXEL_MM] * 3 + [1.0])
        affine[:3, 3] = -VOXEL_MM * (np.array(self.shape) - 1) / 2
        return affine

    @property
    def area(self) -> np.ndarray:
        """Early visual area of each voxel (V1, V2, V3, hV4), empty for the others."""
        names = np.array(["", *(name.rstrip("vd") for name in ROI_LABELS["prf-visualrois"])])
        return names[self.labels["prf-visualrois"]]

    @property
    def streams(self) -> np.ndarray:
        """Stream of each voxel."""
        return np.array(["", *ROI_LABELS["streams"]])[self.labels["streams"]]


def volume_shape(subject: int) -> tuple[int, int, int]:
    """Return the voxels along x, y and z of a subject (from 0)."""
    return _SHAPES[subject % len(_SHAPES)]


def make_anatomy(subject: int, rng: np.random.Generator) -> Anatomy:
    """Grow a brain.

    An ellipsoid with a cortical shell, of which the posterior part is visual cortex. Areas
    follow each other from the occipital pole to the front, the ventral halves hold the upper
    visual field; category regions are patches in their streams, one in each hemisphere.

    Parameters
    ----------
    subject : int
        Number from 0.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Anatomy
        The brain.
    """
    shape = volume_shape(subject)
    extra = int(rng.integers(500, 900))
    n_voxels = _VOXELS[subject] if subject < len(_VOXELS) else extra
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"), axis=-1)
    radius = np.linalg.norm(grid, axis=-1)
    brain = radius <= 1
    cortex = brain & (radius >= 0.62)
    behind = np.where(cortex, grid[..., 1] + 0.02 * rng.standard_normal(shape), np.inf)
    threshold = np.partition(behind.ravel(), n_voxels - 1)[n_voxels - 1]
    visual = behind <= threshold
    position = grid[visual]
    labels = _early_and_streams(position, rng)
    labels.update(_patches(position, labels["streams"], rng))
    return Anatomy(shape, brain, cortex, np.argwhere(visual), position, labels)


def _early_and_streams(position: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Areas and streams, from the occipital pole to the front."""
    n = len(position)
    x, y, z = position.T
    rank = np.argsort(np.argsort(y + 0.4 * np.abs(x) + 0.03 * rng.standard_normal(n))) / n
    areas = np.zeros(n, dtype=np.int64)
    streams = np.zeros(n, dtype=np.int64)
    upper = z < 0  # ventral cortex sees the upper visual field
    limits = np.cumsum([0.0, 0.16, 0.13, 0.10, _EARLY_SHARE - 0.39])
    for number, (low, high) in enumerate(pairwise(limits)):
        here = (rank >= low) & (rank < high)
        # labels alternate ventral, dorsal; hV4 is ventral only, V3d goes on where it ends
        areas[here & upper] = 2 * number + 1
        areas[here & ~upper] = min(2 * number + 2, 6)
    names = ROI_LABELS["streams"]
    streams[areas > 0] = 1 + names.index("early")
    streams[areas == 7] = 1 + names.index("midventral")
    middle = (areas == 0) & (rank < _EARLY_SHARE + _MIDDLE_SHARE)
    late = (areas == 0) & ~middle
    for chosen, prefix in ((middle, "mid"), (late, "")):
        streams[chosen] = 1 + names.index(f"{prefix}lateral")
        streams[chosen & (z < 0.0)] = 1 + names.index(f"{prefix}ventral")
        streams[chosen & (z > 0.4)] = 1 + names.index(f"{prefix}parietal")
    return {"prf-visualrois": areas, "streams": streams}


def _patches(
    position: np.ndarray, streams: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Category regions: the voxels nearest to a random one of the stream, on each side."""
    labels = {volume: np.zeros(len(position), np.int64) for volume, _ in _PATCHES.values()}
    size = max(3, round(_PATCH_SHARE * len(position) / 2))
    for region, (volume, stream_name) in _PATCHES.items():
        number = 1 + ROI_LABELS["streams"].index(stream_name)
        for left in (True, False):
            side = (position[:, 0] < 0) == left
            inside = np.flatnonzero((streams == number) & side)
            if not len(inside):
                continue
            centre = position[rng.choice(inside)]
            distance = np.linalg.norm(position[inside] - centre, axis=1)
            nearest = inside[np.argsort(distance, kind="stable")[:size]]
            labels[volume][nearest] = 1 + ROI_LABELS[volume].index(region)
    return labels
