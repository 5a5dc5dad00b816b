"""MultiMatch: scanpaths as vectors, compared along the best alignment in five ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.metrics.functional.scanpath.pairs import chunks, pad, sizes_of
from neurodecode.metrics.functional.scanpath.simplification import Saccades, simplify

__all__ = ["MULTIMATCH", "Grouping", "multimatch"]

#: What each column of `multimatch` is.
MULTIMATCH = ("shape", "direction", "length", "position", "duration")

_RIGHT, _DOWN, _DIAGONAL = 0, 1, 2


@dataclass(frozen=True)
class Grouping:
    """When neighbouring saccades are taken for one.

    Parameters
    ----------
    direction : float
        Degrees: saccades that differ by less are joined.
    amplitude : float
        Pixels: shorter saccades are joined with the next.
    duration : float
        Milliseconds: only around fixations shorter than this.
    """

    direction: float
    amplitude: float
    duration: float


def multimatch(
    left: Sequence[np.ndarray],
    right: Sequence[np.ndarray],
    size: Sequence[int] | np.ndarray,
    *,
    grouping: Grouping | None = None,
) -> np.ndarray:
    """Compare pairs of scanpaths by MultiMatch.

    Jarodzka, Holmqvist and Nyström 2010 (ETRA, 211); Dewhurst et al. 2012 (Behavior Research
    Methods 44, 1079). The path through the matrix of differences of saccade vectors with the
    least sum aligns the saccades, and the median along it is scored. Not a difference of
    sequences: both may be equal in shape and far apart.

    Parameters
    ----------
    left, right : sequence of n_pairs arrays of shape (n_fixations, 3)
        x, y in pixels and duration in ms; unknown durations leave that dimension nan.
    size : tuple of int, or array of shape (n_pairs, 2)
        Width and height of the images.
    grouping : Grouping, optional
        Simplify first.

    Returns
    -------
    array of shape (n_pairs, 5)
        Similarity of `MULTIMATCH`, 1 for equal scanpaths; nan for fewer than three fixations.
    """
    sizes = sizes_of(size, len(left))
    result = np.full((len(left), 5), np.nan)
    long = np.array([min(len(a), len(b)) >= 3 for a, b in zip(left, right)], bool)
    rows = np.flatnonzero(long)
    first, second = (
        [_saccades(np.asarray(paths[row], np.float64), grouping) for row in rows]
        for paths in (left, right)
    )
    for part in chunks(len(rows)):
        diagonal = np.hypot(*sizes[rows[part]].T)
        result[rows[part]] = _compare(first[part], second[part], diagonal)
    return result


def _saccades(path: np.ndarray, grouping: Grouping | None) -> np.ndarray:
    saccades = Saccades(path[:-1, :2], np.diff(path[:, :2], axis=0), path[:, 2])
    if grouping is not None:
        saccades = simplify(saccades, grouping.direction, grouping.amplitude, grouping.duration)
    return np.column_stack(
        [saccades.start, saccades.vector, saccades.duration[: len(saccades.start)]]
    )


def _compare(
    left: Sequence[np.ndarray], right: Sequence[np.ndarray], diagonal: np.ndarray
) -> np.ndarray:
    a, b = pad(left), pad(right)
    # (length_1, length_2, n_pairs) of x, y, dx, dy, duration
    u, v = a.values.transpose(1, 0, 2)[:, None], b.values.transpose(1, 0, 2)[None]
    cost = np.hypot(*np.moveaxis(u[..., 2:4] - v[..., 2:4], -1, 0))
    on_path = _best_path(cost, a.length, b.length)
    angle = np.abs(np.arctan2(u[..., 3], u[..., 2]) - np.arctan2(v[..., 3], v[..., 2]))
    angle = np.minimum(angle, 2 * np.pi - angle)
    length = np.abs(np.hypot(u[..., 2], u[..., 3]) - np.hypot(v[..., 2], v[..., 3]))
    position = np.hypot(*np.moveaxis(u[..., :2] - v[..., :2], -1, 0))
    longest = np.maximum(u[..., 4], v[..., 4])
    with np.errstate(invalid="ignore", divide="ignore"):
        duration = np.abs(u[..., 4] - v[..., 4]) / longest
    scores = [
        1 - _median(cost, on_path) / (2 * diagonal),
        1 - _median(angle, on_path) / np.pi,
        1 - _median(length, on_path) / diagonal,
        1 - _median(position, on_path) / diagonal,
        1 - _median(duration, on_path),
    ]
    return np.stack(scores, axis=1)


def _best_path(cost: np.ndarray, n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Cells from corner to corner with the least sum; entering a cell costs what is in it."""
    rows, columns, n_pairs = cost.shape
    total = np.full(cost.shape, np.inf)
    step = np.zeros(cost.shape, np.int8)
    total[0, 0] = 0
    for i in range(rows):
        for j in range(columns):
            if i == j == 0:
                continue
            before = np.full((3, n_pairs), np.inf)
            if j:
                before[_RIGHT] = total[i, j - 1]
            if i:
                before[_DOWN] = total[i - 1, j]
            if i and j:
                before[_DIAGONAL] = total[i - 1, j - 1]
            # the diagonal wins ties: equal scanpaths are aligned one to one
            step[i, j] = 2 - before[::-1].argmin(axis=0)
            total[i, j] = before.min(axis=0) + cost[i, j]
    on_path = np.zeros(cost.shape, bool)
    i, j, pairs = n - 1, m - 1, np.arange(n_pairs)
    for _ in range(rows + columns - 1):
        on_path[i, j, pairs] = True
        taken = step[i, j, pairs]
        at_start = (i == 0) & (j == 0)
        i = np.where(at_start | (taken == _RIGHT), i, i - 1)
        j = np.where(at_start | (taken == _DOWN), j, j - 1)
    return on_path


def _median(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Median over the chosen cells of each pair, (n_pairs,); nan if one of them is nan."""
    chosen = np.where(where, values, np.inf).reshape(-1, values.shape[-1])
    unknown = (where & np.isnan(values)).any(axis=(0, 1))
    chosen = np.sort(np.where(np.isnan(chosen), np.inf, chosen), axis=0)
    n = where.sum(axis=(0, 1))
    pairs = np.arange(values.shape[-1])
    middle = (chosen[(n - 1) // 2, pairs] + chosen[n // 2, pairs]) / 2
    return np.where(unknown, np.nan, middle)
