"""Re-scoring that looks at all queries together: CSLS, Sinkhorn, one-to-one assignment.

These methods are transductive. A score obtained with them presupposes that the whole test set
was collected before the first answer was given, and is not comparable with one where each
trial was decoded by itself: every record must carry ``transductive=True``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_float
from neurodecode.registry import Registry

__all__ = ["RESCORERS", "csls", "hungarian", "hungarian_scores", "sinkhorn"]

RESCORERS: Registry[Callable[..., Tensor]] = Registry("transductive re-scoring")


@RESCORERS.register("csls")
def csls(scores: ArrayLike, k: int = 10) -> Tensor:
    r"""Cross-domain similarity local scaling: penalise hubs, candidates close to everything.

    .. math:: 2 \cos(x, y) - r_G(x) - r_Q(y)

    with r the mean cosine to the `k` nearest on the other side.

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_candidates)
        Cosines.
    k : int
        Neighbours; no more than there are queries or candidates.

    Returns
    -------
    Tensor of shape (n_queries, n_candidates)
        Re-scored matrix. Transductive.

    Raises
    ------
    ValueError
        If `k` does not fit the matrix.

    References
    ----------
    Conneau et al. 2018.
    """
    scores = as_float(scores)
    if not 1 <= k <= min(scores.shape):
        raise ValueError(f"k={k} neighbours in scores of shape {tuple(scores.shape)}")
    of_query = scores.topk(k, dim=1).values.mean(dim=1, keepdim=True)
    of_candidate = scores.topk(k, dim=0).values.mean(dim=0, keepdim=True)
    return 2 * scores - of_query - of_candidate


def _plan(kernel: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Plan with equal row masses for given column potentials, and its dual objective."""
    rows = -(kernel + columns).logsumexp(dim=1) - math.log(len(kernel))
    return (kernel + rows[:, None] + columns).exp(), rows.mean() + columns.mean()


def _newton_step(plan: Tensor, missing: Tensor) -> Tensor:
    """Change of column potentials that would supply the missing column mass."""
    mass = plan.sum(dim=0)
    curvature = mass.diag() - plan.T @ plan * len(plan)
    # adding a constant to all potentials changes nothing: fill that direction, and rounding
    curvature = curvature + mass.mean() / len(mass) + 1e-13 * mass.diag()
    return torch.linalg.solve(curvature, missing)


@RESCORERS.register("sinkhorn")
def sinkhorn(
    scores: ArrayLike,
    regularisation: float = 0.05,
    *,
    n_iterations: int = 200,
    tolerance: float = 1e-9,
) -> Tensor:
    r"""Entropic transport plan between queries and candidates, both used equally often.

    .. math:: P = \mathrm{diag}(u) \, e^{-(1 - \cos) / \epsilon} \, \mathrm{diag}(v)

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_candidates)
        Cosines.
    regularisation : float
        :math:`\epsilon`; smaller comes closer to a one-to-one assignment.
    n_iterations : int
        Most steps. The first hundred are Sinkhorn's, which nearly stall when the plan comes
        close to an assignment (1e5 steps in one check); Newton's on the dual follow.
    tolerance : float
        Largest share by which a row or column may miss its mass.

    Returns
    -------
    Tensor of float64 of shape (n_queries, n_candidates)
        Plan that sums to one. Transductive; it also assumes that every candidate was shown
        equally often.

    Raises
    ------
    ValueError
        If the plan does not settle.

    References
    ----------
    Cuturi 2013; Brauer et al. 2017 for the Newton steps.
    """
    kernel = (as_float(scores).double() - 1) / regularisation
    n_candidates = kernel.shape[1]
    columns = kernel.new_zeros(n_candidates)
    plan, objective = _plan(kernel, columns)
    for iteration in range(n_iterations):
        mass = plan.sum(dim=0)
        missing = 1 / n_candidates - mass
        if float(missing.abs().max()) * n_candidates <= tolerance:
            return plan
        sinkhorn_step = -(mass * n_candidates).log()
        step = sinkhorn_step if iteration < 100 else _newton_step(plan, missing)
        trial, reached = _plan(kernel, columns + step)
        while iteration >= 100 and not reached >= objective and step.abs().max() > 1e-12:
            step = step / 2
            trial, reached = _plan(kernel, columns + step)
        columns, plan, objective = columns + step, trial, reached
    raise ValueError(f"no transport plan after {n_iterations} steps; raise the regularisation")


def hungarian(scores: ArrayLike, *, seed: int = 0) -> Tensor:
    """One-to-one assignment with the largest total score.

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_candidates)
        With at least as many candidates as queries.
    seed : int
        Of the order in which queries and candidates are taken, which decides among equally
        good assignments. In their own order, where query ``i`` belongs to candidate ``i``, a
        decoder that collapsed to one answer would be given a perfect score.

    Returns
    -------
    Tensor of int of shape (n_queries,)
        Candidate of each query. Transductive.

    Raises
    ------
    ValueError
        If there are fewer candidates than queries.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    scores = as_float(scores)
    if scores.shape[0] > scores.shape[1]:
        raise ValueError(f"{scores.shape[0]} queries cannot share {scores.shape[1]} candidates")
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(size) for size in scores.shape)
    shuffled = scores.cpu().numpy()[np.ix_(rows, columns)]
    assigned = np.empty(len(rows), dtype=np.int64)
    assigned[rows] = columns[linear_sum_assignment(shuffled, maximize=True)[1]]
    return torch.from_numpy(assigned)


@RESCORERS.register("hungarian")
def hungarian_scores(scores: ArrayLike) -> Tensor:
    """Write the assignment of `hungarian` as a score matrix, for the metrics in `retrieval`.

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_candidates)
        With at least as many candidates as queries.

    Returns
    -------
    Tensor of shape (n_queries, n_candidates)
        1 for the assigned candidate, 0 for all others: only top-1 has a meaning.
    """
    assigned = hungarian(scores)
    result = torch.zeros(len(assigned), as_float(scores).shape[1], dtype=torch.float64)
    return result.scatter_(1, assigned[:, None], 1.0)
