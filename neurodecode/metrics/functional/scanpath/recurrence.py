"""Recurrence: how often, and in which order, a scanpath comes back to where it (or another) was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["RECURRENCE", "cross_recurrence", "recurrence"]

#: What each column of `recurrence` is.
RECURRENCE = ("recurrence", "determinism", "laminarity", "centre_of_recurrence")


def recurrence(
    scanpaths: Sequence[np.ndarray], radius: float, *, shortest_line: int = 2
) -> np.ndarray:
    """Recurrence measures of single scanpaths.

    Anderson, Bischof, Laidlaw, Risko and Kingstone 2013 (Behavior Research Methods 45, 842): of
    the pairs of fixations i < j, the percentage that are closer than `radius`; of these R, the
    percentage on diagonal lines (the same order again), on horizontal or vertical lines (stayed,
    or came back to stay), and the mean lag j - i in percent of the longest possible.

    Parameters
    ----------
    scanpaths : sequence of n arrays of shape (n_fixations, 2 or more)
        x, y in pixels.
    radius : float
        Pixels.
    shortest_line : int
        Recurrences in a row that make a line.

    Returns
    -------
    array of shape (n, 4)
        Percent, see `RECURRENCE`; nan for a single fixation, and for all but the first without
        any recurrence.
    """
    result = np.full((len(scanpaths), 4), np.nan)
    for row, path in enumerate(scanpaths):
        close = np.triu(_close(path, path, radius), 1)
        n, total = len(close), int(close.sum())
        if n < 2:
            continue
        result[row, 0] = 100 * 2 * total / (n * (n - 1))
        if total:
            upright = _on_lines(close, _rows, shortest_line) + _on_lines(
                close, _columns, shortest_line
            )
            first, second = np.nonzero(close)
            result[row, 1] = 100 * _on_lines(close, _diagonals, shortest_line) / total
            result[row, 2] = 100 * upright / (2 * total)
            result[row, 3] = 100 * (second - first).sum() / ((n - 1) * total)
    return result


def cross_recurrence(
    left: Sequence[np.ndarray],
    right: Sequence[np.ndarray],
    radius: float,
    *,
    shortest_line: int = 2,
) -> np.ndarray:
    """Recurrence measures of pairs of scanpaths.

    Anderson, Anderson, Kingstone and Bischof 2015 (Behavior Research Methods 47, 1377), with all
    fixations of both scanpaths.

    Parameters
    ----------
    left, right : sequence of n_pairs arrays of shape (n_fixations, 2 or more)
        x, y in pixels.
    radius : float
        Pixels.
    shortest_line : int
        Recurrences in a row that make a line.

    Returns
    -------
    array of shape (n_pairs, 3)
        Percent: pairs of fixations closer than `radius`; of these, those on diagonal lines, and
        those on horizontal or vertical lines (nan without any).
    """
    result = np.full((len(left), 3), np.nan)
    for row, (first, second) in enumerate(zip(left, right)):
        close = _close(first, second, radius)
        total = int(close.sum())
        result[row, 0] = 100 * close.mean()
        if total:
            upright = _on_lines(close, _rows, shortest_line) + _on_lines(
                close, _columns, shortest_line
            )
            result[row, 1] = 100 * _on_lines(close, _diagonals, shortest_line) / total
            result[row, 2] = 100 * upright / (2 * total)
    return result


def _close(left: np.ndarray, right: np.ndarray, radius: float) -> np.ndarray:
    a, b = (np.asarray(path, np.float64)[:, :2] for path in (left, right))
    return np.hypot(*np.moveaxis(a[:, None] - b[None], -1, 0)) < radius


def _rows(close: np.ndarray) -> np.ndarray:
    return close


def _columns(close: np.ndarray) -> np.ndarray:
    return close.T


def _diagonals(close: np.ndarray) -> np.ndarray:
    """Shift each row so that diagonals become columns, and hand those over as rows."""
    n, m = close.shape
    shifted = np.zeros((n, n + m - 1), bool)
    row, column = np.indices((n, m))
    shifted[row, column - row + n - 1] = close
    return shifted.T


def _on_lines(close: np.ndarray, lines: Callable[[np.ndarray], np.ndarray], shortest: int) -> int:
    """Number of recurrences in runs of at least `shortest`."""
    rows = lines(close)
    padded = np.pad(rows.astype(np.int8), ((0, 0), (1, 1))).ravel()
    change = np.diff(padded)
    lengths = np.flatnonzero(change == -1) - np.flatnonzero(change == 1)
    return int(lengths[lengths >= shortest].sum())
