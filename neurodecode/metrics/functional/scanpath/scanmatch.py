"""ScanMatch: alignment of fixations on a grid, similar where they are close."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.metrics.functional.scanpath.alignment import needleman_wunsch_table
from neurodecode.metrics.functional.scanpath.pairs import Padded, chunks, pad, sizes_of

__all__ = ["scanmatch", "scanmatch_sequences", "substitution_matrix"]


def substitution_matrix(bins: tuple[int, int], threshold: float) -> np.ndarray:
    """How much is gained by aligning one cell of the grid with another.

    Parameters
    ----------
    bins : tuple of int
        Columns and rows of the grid.
    threshold : float
        Distance in cells beyond which aligning costs instead of gaining.

    Returns
    -------
    array of shape (n_cells, n_cells)
        Threshold minus Euclidean distance; cells are counted along rows.
    """
    row, column = np.divmod(np.arange(bins[0] * bins[1]), bins[0])
    distance = np.hypot(row[:, None] - row, column[:, None] - column)
    return threshold - distance


def scanmatch_sequences(
    scanpaths: Sequence[np.ndarray],
    size: Sequence[int] | np.ndarray,
    bins: tuple[int, int] = (12, 8),
    temporal_bin: float | None = None,
) -> Padded:
    """Turn scanpaths into sequences of cells.

    Parameters
    ----------
    scanpaths : sequence of n arrays of shape (n_fixations, 3)
        x, y in pixels and duration in ms. Fixations off the image count for the nearest cell.
    size : tuple of int, or array of shape (n, 2)
        Width and height of the images.
    bins : tuple of int
        Columns and rows of the grid.
    temporal_bin : float, optional
        Milliseconds: a fixation is repeated once for each, rounded half to even, so that
        fixations shorter than half a bin vanish, as published. Without it durations are ignored.

    Returns
    -------
    Padded of int of shape (n, longest)
        Cells.

    Raises
    ------
    ValueError
        If durations are asked for and not known.
    """
    sizes = sizes_of(size, len(scanpaths))
    sequences = []
    for path, extent in zip(scanpaths, sizes):
        path = np.asarray(path, np.float64)
        cell = np.floor(path[:, :2] / (extent / bins)).astype(np.int64)
        column, row = np.clip(cell, 0, np.array(bins) - 1).T
        index = column + row * bins[0]
        if temporal_bin is not None:
            if np.isnan(path[:, 2]).any():
                raise ValueError("ScanMatch with a temporal bin needs the durations of fixations")
            index = np.repeat(index, np.round(path[:, 2] / temporal_bin).astype(np.int64))
        sequences.append(index)
    return pad(sequences)


def scanmatch(
    left: Sequence[np.ndarray],
    right: Sequence[np.ndarray],
    size: Sequence[int] | np.ndarray,
    *,
    bins: tuple[int, int] = (12, 8),
    threshold: float = 3.5,
    gap: float = 0.0,
    temporal_bin: float | None = None,
) -> np.ndarray:
    """Compare pairs of scanpaths by ScanMatch.

    Cristino, Mathôt, Theeuwes and Gilchrist 2010 (Behavior Research Methods 42, 692). As in the
    published code the best value anywhere in the table counts, and the empty alignment starts at
    `gap`; both matter only for a gap below 0.

    Parameters
    ----------
    left, right : sequence of n_pairs arrays of shape (n_fixations, 3)
        x, y in pixels and duration in ms.
    size : tuple of int, or array of shape (n_pairs, 2)
        Width and height of the images.
    bins : tuple of int
        Columns and rows of the grid.
    threshold : float
        See `substitution_matrix`.
    gap : float
        Gain of leaving out a fixation, not above 0.
    temporal_bin : float, optional
        See `scanmatch_sequences`.

    Returns
    -------
    array of shape (n_pairs,)
        1 for equal sequences; nan if nothing is left of one of them.
    """
    sizes = sizes_of(size, len(left))
    substitution = substitution_matrix(bins, threshold)
    result = np.empty(len(left))
    for part in chunks(len(left), 256):
        a = scanmatch_sequences(left[part], sizes[part], bins, temporal_bin)
        b = scanmatch_sequences(right[part], sizes[part], bins, temporal_bin)
        table = needleman_wunsch_table(
            substitution[a.values.T[:, None], b.values.T[None]], gap, boundary=gap
        )
        inside = (np.arange(table.shape[0])[:, None] <= a.length)[:, None] & (
            np.arange(table.shape[1])[:, None] <= b.length
        )[None]
        best = np.where(inside, table, -np.inf).max(axis=(0, 1))
        known = (a.length > 0) & (b.length > 0)
        longer = np.maximum(np.maximum(a.length, b.length), 1)
        result[part] = np.where(known, best / (substitution.max() * longer), np.nan)
    return result
