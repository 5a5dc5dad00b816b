"""Scanpaths as padded tensors on the cells of a grid, one block for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from neurodecode.errors import DataError
from neurodecode.scanpaths import Scanpaths

__all__ = ["Looks", "cells_of", "looks_of"]


@dataclass(frozen=True)
class Looks:
    """Fixations of several viewers on several pictures; what is missing is padded.

    Parameters
    ----------
    cell : Tensor of int of shape (n_pictures, n_viewers, n_steps)
        Cells, numbered row by row; 0 in padding.
    duration : Tensor of shape (n_pictures, n_viewers, n_steps)
        Milliseconds, NaN where unknown and in padding.
    length : Tensor of int of shape (n_pictures, n_viewers)
        Fixations of each scanpath; 0 where a picture has fewer viewers.
    """

    cell: Tensor
    duration: Tensor
    length: Tensor

    @property
    def valid(self) -> Tensor:
        """Where there is a fixation, bool of the shape of `cell`."""
        step = torch.arange(self.cell.shape[2], device=self.cell.device)
        return step < self.length[..., None]

    def pictures(self, rows: Sequence[int] | Tensor) -> Looks:
        """Take some pictures.

        Parameters
        ----------
        rows : sequence of int
            Which.

        Returns
        -------
        Looks
            Theirs.
        """
        return replace(self, **{name: getattr(self, name)[rows] for name in _FIELDS})


_FIELDS = ("cell", "duration", "length")


def cells_of(xy: np.ndarray, size: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
    """Number the cells of positions; outside the picture, the nearest cell.

    Parameters
    ----------
    xy : array of shape (n, 2)
        Pixels.
    size : (int, int)
        Width and height of the picture.
    grid : (int, int)
        Rows and columns; the cells divide the picture evenly.

    Returns
    -------
    array of int of shape (n,)
        Row by row.
    """
    rows, columns = grid
    column = np.clip(np.floor(xy[:, 0] / size[0] * columns), 0, columns - 1)
    row = np.clip(np.floor(xy[:, 1] / size[1] * rows), 0, rows - 1)
    return (row * columns + column).astype(np.int64)


def looks_of(
    scanpaths: Scanpaths, stimuli: Sequence[str], grid: tuple[int, int], max_steps: int = 20
) -> Looks:
    """Sort scanpaths by picture.

    Parameters
    ----------
    scanpaths : Scanpaths
        With the size of every stimulus.
    stimuli : sequence of str
        Pictures, in the order in which they are wanted.
    grid : (int, int)
        Rows and columns.
    max_steps : int
        Scanpaths are cut after so many fixations.

    Returns
    -------
    Looks
        One row for each of `stimuli`.

    Raises
    ------
    DataError
        If nobody looked at any of them.
    """
    number = {name: i for i, name in enumerate(stimuli)}
    groups: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in stimuli]
    for path in scanpaths:
        if path.stimulus in number and len(path):
            cells = cells_of(path.xy, path.size, grid)
            pair = (cells[:max_steps], path.duration[:max_steps])
            groups[number[path.stimulus]].append(pair)
    viewers = max(map(len, groups), default=0)
    if not viewers:
        raise DataError("nobody looked at these pictures", field="stimulus", fix="check the split")
    steps = max(len(cells) for group in groups for cells, _ in group)
    cell = np.zeros((len(stimuli), viewers, steps), np.int64)
    duration = np.full(cell.shape, np.nan, np.float32)
    length = np.zeros(cell.shape[:2], np.int64)
    for i, group in enumerate(groups):
        for j, (cells, times) in enumerate(group):
            cell[i, j, : len(cells)], duration[i, j, : len(cells)] = cells, times
            length[i, j] = len(cells)
    return Looks(*map(torch.from_numpy, (cell, duration, length)))
