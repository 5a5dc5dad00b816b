"""Two-way identification: is a prediction more like its own stimulus than like another."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_float
from neurodecode.metrics.functional.correlation import correlation_matrix
from neurodecode.metrics.functional.retrieval import compare

__all__ = ["Ties", "two_way_from_scores", "two_way_identification"]

Ties = Literal["strict", "half"]


def two_way_from_scores(
    scores: ArrayLike,
    truth: ArrayLike | None = None,
    *,
    ties: Ties = "half",
    tolerance: float | None = None,
) -> Tensor:
    """Share of distractors that score below the true candidate, for each query.

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_candidates)
        Larger is better.
    truth : array-like of int of shape (n_queries,), optional
        True candidate of each query; by default candidate ``i`` for query ``i``.
    ties : {"half", "strict"}
        Credit for a distractor that scores the same: half, or none.
    tolerance : float, optional
        Largest difference that counts as a tie; by default the rounding error of the scores.

    Returns
    -------
    Tensor of shape (n_queries,)
        Between 0 and 1, chance .5. Comparisons with an undefined score are lost under either
        rule. nan if there is no distractor.

    Raises
    ------
    ValueError
        If `ties` is neither rule.
    """
    if ties not in ("half", "strict"):
        raise ValueError(f"ties is {ties!r}, not 'half' or 'strict'")
    scores = as_float(scores)
    counts = compare(scores, truth, tolerance=tolerance)
    wins = counts.n_lower.double()
    if ties == "half":
        wins = wins + counts.n_tied / 2
    n_distractors = scores.shape[1] - 1
    return wins / n_distractors if n_distractors > 0 else torch.full_like(wins, torch.nan)


def two_way_identification(
    real: ArrayLike,
    predicted: ArrayLike,
    *,
    ties: Ties = "strict",
    tolerance: float | None = None,
) -> Tensor:
    """Two-way identification from features of true and reconstructed images.

    For reconstruction ``j`` the share of true images ``i`` other than ``j`` with
    ``r(real_i, predicted_j) < r(real_j, predicted_j)``, r being Pearson's correlation.

    Parameters
    ----------
    real : array-like of shape (n_items, ...)
        Features of the true images; flattened.
    predicted : array-like of shape (n_items, ...)
        Features of the reconstructions, same order.
    ties : {"strict", "half"}
        The published scores are strict: ties are wrong.
    tolerance : float, optional
        As for `two_way_from_scores`.

    Returns
    -------
    Tensor of shape (n_items,)
        Score of each reconstruction, chance .5. The true images vary for a fixed
        reconstruction: one constant reconstruction for all then scores .5 on average, where
        the swapped roles would give 0 under the strict rule.

    References
    ----------
    Ozcelik and VanRullen 2023; Scotti et al. 2023.
    """
    scores = correlation_matrix(predicted, real)
    return two_way_from_scores(scores, ties=ties, tolerance=tolerance)
