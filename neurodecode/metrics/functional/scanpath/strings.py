"""Scanpaths as strings of grid cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.metrics.functional.scanpath.alignment import edit_distance
from neurodecode.metrics.functional.scanpath.pairs import pad, sizes_of

__all__ = ["grid_labels", "string_edit", "string_similarity"]


def grid_labels(xy: np.ndarray, size: Sequence[float], grid: int = 4) -> np.ndarray:
    """Name the cell of each fixation.

    Published code divides by ``width // grid`` and lets positions at the right edge spill into
    the next row; here the edge belongs to the last cell, and so does everything beyond it.

    Parameters
    ----------
    xy : array of shape (n_fixations, 2 or more)
        Pixels.
    size : tuple of float
        Width and height of the image.
    grid : int
        Columns and rows.

    Returns
    -------
    array of int of shape (n_fixations,)
        Column plus `grid` times row.
    """
    cell = np.floor(np.asarray(xy, np.float64)[:, :2] / np.asarray(size) * grid).astype(np.int64)
    column, row = np.clip(cell, 0, grid - 1).T
    return column + grid * row


def string_edit(
    left: Sequence[np.ndarray],
    right: Sequence[np.ndarray],
    size: Sequence[int] | np.ndarray,
    *,
    grid: int = 4,
    transpositions: bool = False,
) -> np.ndarray:
    """Edit distance of the strings of grid cells of pairs of scanpaths.

    Brandt and Stark 1997 (Journal of Cognitive Neuroscience 9, 27).

    Parameters
    ----------
    left, right : sequence of n_pairs arrays of shape (n_fixations, 2 or more)
        x, y in pixels.
    size : tuple of int, or array of shape (n_pairs, 2)
        Width and height of the images.
    grid : int
        Columns and rows.
    transpositions : bool
        See `edit_distance`.

    Returns
    -------
    array of int of shape (n_pairs,)
        Number of edits.
    """
    sizes = sizes_of(size, len(left))
    first = pad([grid_labels(path, extent, grid) for path, extent in zip(left, sizes)])
    second = pad([grid_labels(path, extent, grid) for path, extent in zip(right, sizes)])
    return edit_distance(first, second, transpositions=transpositions)


def string_similarity(
    left: Sequence[np.ndarray],
    right: Sequence[np.ndarray],
    size: Sequence[int] | np.ndarray,
    *,
    grid: int = 4,
) -> np.ndarray:
    """One minus the edit distance over the longer length.

    Parameters
    ----------
    left, right, size, grid
        As of `string_edit`.

    Returns
    -------
    array of shape (n_pairs,)
        1 for equal strings, 0 if everything had to be edited.
    """
    longer = np.maximum([len(path) for path in left], [len(path) for path in right])
    return 1 - string_edit(left, right, size, grid=grid) / longer
