"""Behaviour in visual search: what is visited, revisited and found, and when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = [
    "BEHAVIOUR",
    "behaviour",
    "behaviour_difference",
    "found_by",
    "found_curve_mismatch",
    "scanpath_ratio",
]

#: What each column of `behaviour` is.
BEHAVIOUR = ("correct", "length", "search", "refixation", "revisit")


def behaviour(sequences: Sequence[np.ndarray], targets: Sequence[int]) -> np.ndarray:
    """Describe scanpaths over objects.

    Fang et al. 2024 (ECCV, object-level attention transformer). Fixations in a row on one object
    are a visit; its first visit is search, further visits are revisits, further fixations of a
    visit are refixations. The three ratios are shares of all fixations and sum to 1.

    Parameters
    ----------
    sequences : sequence of n arrays of int of shape (n_fixations,)
        Object of each fixation, at least one.
    targets : sequence of n int
        Object that was searched for.

    Returns
    -------
    array of shape (n, 5)
        See `BEHAVIOUR`; ``correct`` is whether the last fixation is on the target.
    """
    rows = []
    for sequence, target in zip(sequences, targets):
        sequence = np.asarray(sequence)
        visits = sequence[np.flatnonzero(np.diff(sequence, prepend=sequence[0] - 1))]
        n, first = len(sequence), len(np.unique(visits))
        rows.append(
            (sequence[-1] == target, n, first / n, (n - len(visits)) / n, (len(visits) - first) / n)
        )
    return np.array(rows, np.float64).reshape(-1, len(BEHAVIOUR))


def behaviour_difference(human: np.ndarray, model: np.ndarray) -> float:
    """Mean relative error of a model's behaviour (delta; Fang et al. 2024).

    Parameters
    ----------
    human, model : array of shape (5,)
        Means of `behaviour`.

    Returns
    -------
    float
        0 for the same behaviour; nan where people never do something, since an error relative to
        nothing has no size (published code leaves that term out and divides by 5 all the same).
    """
    human, model = np.asarray(human, np.float64), np.asarray(model, np.float64)
    if (human == 0).any():
        return float("nan")
    return float((np.abs(human - model) / human).mean())


def found_by(first_on_target: np.ndarray, n_fixations: int) -> np.ndarray:
    """Share of trials in which the target was fixated by fixation 1, 2, ...

    Parameters
    ----------
    first_on_target : array of shape (n_trials,)
        Number of the first fixation on the target, from 1, not counting the one that the
        experiment enforces at the start; nan where it was never fixated.
    n_fixations : int
        Length of the curve.

    Returns
    -------
    array of shape (n_fixations,)
        Never falls; its sum is the area under the curve of Yang et al. 2020 (TFP-AUC).
    """
    first = np.asarray(first_on_target, np.float64)
    return (first[None] <= np.arange(1, n_fixations + 1)[:, None]).mean(axis=1)


def found_curve_mismatch(curve: np.ndarray, human: np.ndarray) -> float:
    """Sum of the differences between two curves of `found_by` (Yang et al. 2020).

    Parameters
    ----------
    curve, human : array of shape (n_fixations,)
        Shares.

    Returns
    -------
    float
        0 for equal curves.
    """
    return float(np.abs(np.asarray(curve) - np.asarray(human)).sum())


def scanpath_ratio(xy: np.ndarray, target: np.ndarray) -> float:
    """Straight way from the first fixation to the target over the way that was taken.

    Parameters
    ----------
    xy : array of shape (n_fixations, 2)
        From the start to the first fixation on the target.
    target : array of shape (2,)
        Middle of the target.

    Returns
    -------
    float
        At most 1; nan if the gaze did not move.
    """
    xy = np.asarray(xy, np.float64)
    way = np.hypot(*np.diff(xy, axis=0).T).sum()
    straight = np.hypot(*(xy[0] - np.asarray(target)))
    return float(min(straight / way, 1)) if way > 0 else float("nan")
