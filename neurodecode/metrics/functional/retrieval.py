"""Retrieval: how high the true candidate ranks among all candidates, for each query.

Scores are (n_queries, n_candidates), larger is better. "Image retrieval" has decoded brain
responses as queries and images as candidates; "brain retrieval" is the transposed matrix.
Ties get the credit expected under a random order of the tied candidates, so a collapsed
decoder scores exactly chance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_float, as_index, rounding_error

__all__ = [
    "Comparison",
    "compare",
    "expected_top_k",
    "median_rank",
    "ranks",
    "repeated_draws",
    "top_k_credit",
]


class Comparison(NamedTuple):
    """How many distractors of each query score above, level with, and below the truth."""

    n_better: Tensor
    n_tied: Tensor
    n_lower: Tensor


def compare(
    scores: ArrayLike, truth: ArrayLike | None = None, *, tolerance: float | None = None
) -> Comparison:
    """Compare the score of the true candidate with those of all distractors.

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_candidates)
        Larger is better.
    truth : array-like of int of shape (n_queries,), optional
        True candidate of each query; by default candidate ``i`` for query ``i``.
    tolerance : float, optional
        Largest difference that counts as a tie; by default the rounding error of the scores.

    Returns
    -------
    Comparison
        Three tensors of int of shape (n_queries,). A distractor with an undefined score is in
        none of them; a query whose own score is undefined has every distractor above it.
    """
    scores = as_float(scores)
    index = as_index(truth, *scores.shape).to(scores.device)
    own = scores.gather(1, index[:, None])
    margin = rounding_error(scores) if tolerance is None else tolerance
    better = (scores > own + margin).sum(dim=1)
    lower = (scores < own - margin).sum(dim=1)
    defined = scores.isnan().logical_not().sum(dim=1)
    lost = own[:, 0].isnan()
    better = torch.where(lost, scores.shape[1] - 1, better)
    tied = torch.where(lost, 0, defined - 1 - better - lower)
    return Comparison(better, tied, lower)


def _credit(k: int, n_better: Tensor, n_tied: Tensor) -> Tensor:
    free_places = (k - n_better).clamp(min=0).double()
    return (free_places / (n_tied + 1)).clamp(max=1)


def top_k_credit(
    scores: ArrayLike,
    k: int = 1,
    truth: ArrayLike | None = None,
    *,
    tolerance: float | None = None,
) -> Tensor:
    """Whether the true candidate is among the best `k`, for each query.

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_candidates)
        Larger is better.
    k : int
        Places that count as found; more than there are candidates always hits.
    truth, tolerance
        As for `compare`.

    Returns
    -------
    Tensor of shape (n_queries,)
        1 or 0, or in between where the truth is tied across the k-th place: the share of
        orders of the tied candidates in which it is found. The mean is the accuracy; chance
        is ``k / n_candidates``.
    """
    counts = compare(scores, truth, tolerance=tolerance)
    return _credit(k, counts.n_better, counts.n_tied)


def ranks(
    scores: ArrayLike, truth: ArrayLike | None = None, *, tolerance: float | None = None
) -> Tensor:
    """Rank of the true candidate of each query, 1 being the best.

    Parameters
    ----------
    scores, truth, tolerance
        As for `compare`.

    Returns
    -------
    Tensor of shape (n_queries,)
        One plus the number of better distractors plus half the tied ones.
    """
    counts = compare(scores, truth, tolerance=tolerance)
    return 1 + counts.n_better + counts.n_tied.double() / 2


def median_rank(
    scores: ArrayLike, truth: ArrayLike | None = None, *, tolerance: float | None = None
) -> float:
    """Median over queries of the rank of the true candidate.

    Parameters
    ----------
    scores, truth, tolerance
        As for `compare`.

    Returns
    -------
    float
        Chance is ``(n_candidates + 1) / 2``. nan without queries.
    """
    return float(ranks(scores, truth, tolerance=tolerance).quantile(0.5)) if len(scores) else np.nan


def repeated_draws(
    scores: ArrayLike,
    n_candidates: int = 300,
    n_draws: int = 30,
    k: int = 1,
    *,
    seed: int = 0,
    tolerance: float | None = None,
) -> Tensor:
    """Top-k accuracy within random subsets of the test set, as MindEye reports it.

    Parameters
    ----------
    scores : array-like of shape (n_items, n_items)
        Query ``i`` belongs to candidate ``i``.
    n_candidates : int
        Items of each draw, used both as queries and as candidates.
    n_draws : int
        Number of draws.
    k : int
        Places that count as found.
    seed : int
        Of the draws.
    tolerance : float, optional
        As for `compare`.

    Returns
    -------
    Tensor of shape (n_draws,)
        Accuracy of each draw. The draws overlap: their spread is no confidence interval.

    Raises
    ------
    ValueError
        If the matrix is not square or smaller than a draw.
    """
    scores = as_float(scores)
    n_items = len(scores)
    if scores.shape != (n_items, n_items) or not 1 <= n_candidates <= n_items:
        raise ValueError(f"cannot draw {n_candidates} items from scores {tuple(scores.shape)}")
    rng = np.random.default_rng(seed)
    accuracies = []
    for _ in range(n_draws):
        chosen = torch.from_numpy(rng.permutation(n_items)[:n_candidates]).to(scores.device)
        subset = scores[chosen][:, chosen]
        accuracies.append(top_k_credit(subset, k, tolerance=tolerance).mean())
    return torch.stack(accuracies)


def expected_top_k(
    scores: ArrayLike,
    n_candidates: int,
    k: int = 1,
    truth: ArrayLike | None = None,
    *,
    tolerance: float | None = None,
) -> Tensor:
    """Exact expectation of the top-k credit over all subsets of candidates.

    What `repeated_draws` estimates, without its sampling error and for each query, so that an
    interval over stimuli can be had.

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_all_candidates)
        Larger is better.
    n_candidates : int
        Size of the subsets: the truth and ``n_candidates - 1`` distractors.
    k : int
        Places that count as found.
    truth, tolerance
        As for `compare`.

    Returns
    -------
    Tensor of shape (n_queries,)
        Probability of finding the truth. Distractors above the truth fall into a subset by a
        hypergeometric law; a tie leaves the truth's place in the full order uniform over the
        tied places, so the law is averaged over these.

    Raises
    ------
    ValueError
        If the subsets are larger than the set.
    """
    from scipy.stats import hypergeom

    scores = as_float(scores)
    n_distractors = scores.shape[1] - 1
    if not 1 <= n_candidates <= n_distractors + 1:
        raise ValueError(f"cannot draw {n_candidates} of {n_distractors + 1} candidates")
    above = np.arange(n_distractors + 1)
    found = hypergeom.cdf(k - 1, n_distractors, above, n_candidates - 1)
    cumulative = np.concatenate([[0.0], np.cumsum(found)])
    counts = compare(scores, truth, tolerance=tolerance)
    first, n_tied = counts.n_better.cpu().numpy(), counts.n_tied.cpu().numpy()
    total = cumulative[first + n_tied + 1] - cumulative[first]
    return torch.from_numpy(total / (n_tied + 1))
