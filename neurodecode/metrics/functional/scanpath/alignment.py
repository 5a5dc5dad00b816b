"""Alignment of sequences by dynamic programming, over many pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.metrics.functional.scanpath.pairs import Padded, pad

__all__ = ["edit_distance", "needleman_wunsch", "needleman_wunsch_table"]


def needleman_wunsch_table(
    score: np.ndarray, gap: float = 0.0, *, boundary: float = 0.0
) -> np.ndarray:
    """Best score of aligning every pair of beginnings.

    Parameters
    ----------
    score : array of shape (length_1, length_2, n_pairs)
        Gain of aligning element i of one sequence with element j of the other.
    gap : float
        Gain of leaving an element out, not above 0.
    boundary : float
        Gain of the empty alignment; published ScanMatch code begins with `gap`.

    Returns
    -------
    array of shape (length_1 + 1, length_2 + 1, n_pairs)
        The table (Needleman and Wunsch 1970, Journal of Molecular Biology 48, 443).
    """
    n, m, n_pairs = score.shape
    table = np.empty((n + 1, m + 1, n_pairs))
    table[:, 0] = boundary + gap * np.arange(n + 1)[:, None]
    table[0] = boundary + gap * np.arange(m + 1)[:, None]
    for i in range(n):
        # what comes from above or from the diagonal at once; from the left one after the other
        row = np.maximum(table[i, 1:] + gap, table[i, :-1] + score[i])
        if gap == 0:
            np.maximum.accumulate(row, axis=0, out=row)
            np.maximum(row, table[i + 1, 0], out=table[i + 1, 1:])
            continue
        for j in range(m):
            table[i + 1, j + 1] = np.maximum(row[j], table[i + 1, j] + gap)
    return table


def needleman_wunsch(
    left: Sequence[np.ndarray], right: Sequence[np.ndarray], gap: float = 0.0
) -> np.ndarray:
    """Align pairs of label sequences; a match gains 1, a mismatch 0.

    With gap 0 this is the length of the longest common subsequence over the longer length.

    Parameters
    ----------
    left, right : sequence of n_pairs arrays of int of shape (length,)
        Labels.
    gap : float
        Gain of leaving an element out.

    Returns
    -------
    array of shape (n_pairs,)
        Score divided by the longer length: 1 for equal sequences.
    """
    a, b = pad(left), pad(right)
    match = (a.values.T[:, None] == b.values.T[None]).astype(np.float64)
    table = needleman_wunsch_table(match, gap)
    end = table[a.length, b.length, np.arange(len(a.length))]
    return end / np.maximum(np.maximum(a.length, b.length), 1)


def edit_distance(left: Padded, right: Padded, *, transpositions: bool = False) -> np.ndarray:
    """Count insertions, deletions and substitutions between pairs of label sequences.

    Parameters
    ----------
    left, right : Padded of int of shape (n_pairs, longest)
        Labels, not negative.
    transpositions : bool
        Whether exchanging two neighbours counts 1, also with edits in between (Damerau 1964;
        Lowrance and Wagner 1975: ``ca`` to ``abc`` is 2, the restricted form says 3).

    Returns
    -------
    array of int of shape (n_pairs,)
        Levenshtein, or Damerau-Levenshtein distance.
    """
    a, b = left.values.astype(np.int64).T, right.values.astype(np.int64).T
    (n, n_pairs), m = a.shape, len(b)
    table = np.empty((n + 1, m + 1, n_pairs), np.int64)
    table[:, 0], table[0] = np.arange(n + 1)[:, None], np.arange(m + 1)[:, None]
    if transpositions:
        swaps = _Swaps(a, b, table)
    for i in range(1, n + 1):
        row = np.minimum(table[i - 1, 1:] + 1, table[i - 1, :-1] + (a[i - 1] != b))
        for j in range(1, m + 1):
            best = np.minimum(row[j - 1], table[i, j - 1] + 1)
            table[i, j] = np.minimum(best, swaps.cost(i, j)) if transpositions else best
        if transpositions:
            swaps.end_row(i)
    return table[left.length, right.length, np.arange(n_pairs)]


class _Swaps:
    """What an exchange of neighbours would cost, while the table is filled row by row."""

    def __init__(self, a: np.ndarray, b: np.ndarray, table: np.ndarray) -> None:
        self.a, self.b, self.table = a, b, table
        labels = int(max(a.max(initial=0), b.max(initial=0))) + 1
        self.pairs = np.arange(a.shape[1])
        self.last_row = np.zeros((labels, a.shape[1]), np.int64)  # where a label was in a, 0: never
        self.last_match = np.zeros(a.shape[1], np.int64)  # where b matched in this row, 0: never

    def cost(self, i: int, j: int) -> np.ndarray:
        k, other = self.last_row[self.b[j - 1], self.pairs], self.last_match
        before = self.table[np.maximum(k - 1, 0), np.maximum(other - 1, 0), self.pairs]
        cost = before + (i - k - 1) + 1 + (j - other - 1)
        possible = (k > 0) & (other > 0)
        self.last_match = np.where(self.a[i - 1] == self.b[j - 1], j, other)
        return np.where(possible, cost, np.iinfo(np.int64).max)

    def end_row(self, i: int) -> None:
        self.last_row[self.a[i - 1], self.pairs] = i
        self.last_match = np.zeros_like(self.last_match)
