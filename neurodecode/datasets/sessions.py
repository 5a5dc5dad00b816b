"""Many files of single-trial volumes as one lazily read array of masked responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Part", "Sessions"]


@dataclass(frozen=True)
class Part:
    """One file of responses.

    Parameters
    ----------
    n_trials : int
        Trials in the file.
    read : callable
        Returns an array of shape (n_trials, n_voxels).
    """

    n_trials: int
    read: Callable[[], np.ndarray]


class Sessions:
    """Files one after the other, of which one is in memory at a time.

    Volumes are stored voxel by voxel (NSD's HDF5) or compressed as a whole (NIfTI), so that one
    trial costs as much as the file. The file last read is kept: reading trials in order costs
    each file once, and memory is one masked file.

    Parameters
    ----------
    parts : sequence of Part
        The files in order.
    n_voxels : int
        Voxels inside the mask.
    scale : float
        Every number is divided by it.
    """

    def __init__(self, parts: Sequence[Part], n_voxels: int, scale: float = 1.0) -> None:
        self._parts, self._scale = list(parts), np.float32(scale)
        self._starts = np.cumsum([0, *(part.n_trials for part in parts)])
        self.shape: tuple[int, ...] = (int(self._starts[-1]), n_voxels)
        self._kept: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        rows, columns = index if isinstance(index, tuple) else (index, slice(None))
        trials = np.arange(self.shape[0])[rows]
        flat = np.atleast_1d(trials)
        out = np.empty((len(flat), self.shape[1]), dtype=np.float32)
        files = np.searchsorted(self._starts, flat, side="right") - 1
        for number in np.unique(files):
            here = files == number
            out[here] = self._part(int(number))[flat[here] - self._starts[number]]
        out /= self._scale
        return (out if trials.ndim else out[0])[..., columns]

    def _part(self, number: int) -> np.ndarray:
        if self._kept is None or self._kept[0] != number:
            self._kept = None  # never two files in memory
            self._kept = (number, self._parts[number].read())
        return self._kept[1]
