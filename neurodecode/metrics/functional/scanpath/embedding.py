"""Time-delay embedding: do pieces of one scanpath occur in another, wherever?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from neurodecode.metrics.functional.scanpath.alignment import edit_distance
from neurodecode.metrics.functional.scanpath.pairs import Padded, chunks, sizes_of
from neurodecode.metrics.functional.scanpath.strings import grid_labels

__all__ = ["sbtde", "sbtde_distances", "stde", "time_delay_distance"]

#: Pairs of pieces that fit into the processor's cache together.
_AT_ONCE = 4096


def time_delay_distance(human: np.ndarray, model: np.ndarray, k: int) -> np.ndarray:
    """Distance of every piece of `k` fixations of one scanpath to the nearest of another.

    Parameters
    ----------
    human, model : array of shape (n_fixations, 2)
        Positions, each with at least `k` fixations.
    k : int
        Length of the pieces.

    Returns
    -------
    array of shape (n_model - k + 1,)
        Euclidean distance of the stacked coordinates to the nearest human piece, over `k`.
    """
    ours, theirs = (
        sliding_window_view(np.asarray(path, np.float64), k, axis=0).reshape(len(path) - k + 1, -1)
        for path in (model, human)
    )
    square = ((ours[:, None] - theirs[None]) ** 2).sum(axis=2)
    return np.sqrt(square.min(axis=1)) / k


def stde(
    human: Sequence[np.ndarray], model: Sequence[np.ndarray], size: Sequence[int] | np.ndarray
) -> np.ndarray:
    """Scaled time-delay embedding similarity of pairs of scanpaths.

    Wang et al. 2011 (CVPR, 441); Zanca et al. 2019 (TPAMI). Coordinates are divided by the longer
    side of the image; for each k up to the shorter length the mean distance d_k of pieces of the
    model to their nearest human piece; the score is the mean of exp(-d_k). Not symmetric.

    Parameters
    ----------
    human, model : sequence of n_pairs arrays of shape (n_fixations, 2 or more)
        x, y in pixels, at least one fixation each.
    size : tuple of int, or array of shape (n_pairs, 2)
        Width and height of the images.

    Returns
    -------
    array of shape (n_pairs,)
        1 if every piece of the model occurs in the human scanpath.
    """
    longest = sizes_of(size, len(human)).max(axis=1)
    result = np.empty(len(human))
    for row, (theirs, ours, scale) in enumerate(zip(human, model, longest)):
        theirs = np.asarray(theirs, np.float64)[:, :2] / scale
        ours = np.asarray(ours, np.float64)[:, :2] / scale
        result[row] = _stde_of_pair(theirs, ours)
    return result


def _stde_of_pair(human: np.ndarray, model: np.ndarray) -> float:
    """Squared distances of longer pieces are sums along diagonals of those of single fixations."""
    single = ((model[:, None] - human[None]) ** 2).sum(axis=2)
    square, scores = single, []
    for k in range(1, min(len(human), len(model)) + 1):
        if k > 1:
            square = square[:-1, :-1] + single[k - 1 :, k - 1 :]
        scores.append(np.exp(-np.sqrt(square.min(axis=1)).mean() / k))
    return float(np.mean(scores))


def sbtde_distances(
    human: Sequence[np.ndarray],
    model: Sequence[np.ndarray],
    size: Sequence[int] | np.ndarray,
    *,
    grid: int = 4,
    transpositions: bool = True,
) -> list[np.ndarray]:
    """Mean edit distance of pieces of the model's string to the nearest human piece.

    Parameters
    ----------
    human, model : sequence of n_pairs arrays of shape (n_fixations, 2 or more)
        x, y in pixels, at least one fixation each.
    size : tuple of int, or array of shape (n_pairs, 2)
        Width and height of the images.
    grid : int
        Columns and rows.
    transpositions : bool
        See `edit_distance`.

    Returns
    -------
    list of n_pairs arrays of shape (shorter length,)
        For pieces of 1, 2, ... fixations, over the length of the piece.
    """
    sizes = sizes_of(size, len(human))
    theirs = [grid_labels(path, extent, grid) for path, extent in zip(human, sizes)]
    ours = [grid_labels(path, extent, grid) for path, extent in zip(model, sizes)]
    shorter = np.array([min(len(a), len(b)) for a, b in zip(theirs, ours)], np.int64)
    result = [np.empty(n) for n in shorter]
    for k in range(1, int(shorter.max(initial=0)) + 1):
        rows = np.flatnonzero(shorter >= k)
        distances = _nearest_pieces(
            [theirs[r] for r in rows], [ours[r] for r in rows], k, transpositions
        )
        for row, distance in zip(rows, distances):
            result[row][k - 1] = distance / k
    return result


def _nearest_pieces(
    human: Sequence[np.ndarray], model: Sequence[np.ndarray], k: int, transpositions: bool
) -> list[float]:
    """All pieces of all pairs in one edit distance; equal pairs of pieces are compared once."""
    pieces = [sliding_window_view(each, k) for each in (*model, *human)]
    # pieces are numbered, so that a pair of pieces is one number
    known, number = np.unique(np.concatenate(pieces), axis=0, return_inverse=True)
    numbers = np.split(number.ravel(), np.cumsum([len(each) for each in pieces])[:-1])
    ours, theirs = numbers[: len(model)], numbers[len(model) :]
    shapes = [(len(a), len(b)) for a, b in zip(ours, theirs)]
    both = np.concatenate([(a[:, None] * len(known) + b).ravel() for a, b in zip(ours, theirs)])
    unique, inverse = np.unique(both, return_inverse=True)
    left, right = np.divmod(unique, len(known))
    edits = np.empty(len(unique), np.int64)
    for part in chunks(len(unique), _AT_ONCE):
        length = np.full(len(unique[part]), k)
        first, second = Padded(known[left[part]], length), Padded(known[right[part]], length)
        edits[part] = edit_distance(first, second, transpositions=transpositions)
    edits = edits[inverse]
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    return [
        float(part.reshape(shape).min(axis=1).mean())
        for part, shape in zip(np.split(edits, ends), shapes)
    ]


def sbtde(
    human: Sequence[np.ndarray],
    model: Sequence[np.ndarray],
    size: Sequence[int] | np.ndarray,
    *,
    grid: int = 4,
    transpositions: bool = True,
) -> np.ndarray:
    """String-based time-delay embedding similarity: `stde` on strings of grid cells.

    Schwinn et al. 2022 (arXiv 2204.09093).

    Parameters
    ----------
    human, model, size, grid, transpositions
        As of `sbtde_distances`.

    Returns
    -------
    array of shape (n_pairs,)
        Mean over lengths k of exp(-d_k).
    """
    distances = sbtde_distances(human, model, size, grid=grid, transpositions=transpositions)
    return np.array([np.exp(-each).mean() for each in distances])
