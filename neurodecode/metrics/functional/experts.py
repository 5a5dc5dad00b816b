r"""Several rankings of the same candidates as one: a product of experts.

Each method's scores are read as the logarithm of a probability, up to a temperature:

.. math:: p(j \mid i) \propto \prod_m \exp(s^m_{ij})^{w_m}

The weight :math:`w_m \ge 0` is trust divided by temperature; the two cannot be told apart, and
need not be. 1 for the log-likelihood of a well calibrated encoder, 0 for a method that adds
nothing. Were the experts independent given the candidate, the product of calibrated ones would
be the posterior itself; as their errors are shared, weights are fitted together, on validation
items.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_float, as_index

__all__ = ["expert_log_likelihood", "expert_posterior", "fit_posterior"]

#: Largest weight, in units of one over the spread of a method's scores. Where the truth always
#: comes first the likelihood grows with the weights for ever.
MOST = 100.0


def fit_posterior(
    scores_by_method: Mapping[str, ArrayLike],
    truth: ArrayLike | None = None,
    *,
    standardise: bool = False,
) -> dict[str, float]:
    """Find the weights under which the true candidates are likeliest.

    Parameters
    ----------
    scores_by_method : mapping of str to array-like of shape (n_items, n_candidates)
        Scores of each method on VALIDATION items, same items and candidates in the same order,
        larger is better. Constants of a row do not matter.
    truth : array-like of int of shape (n_items,), optional
        Column of the true candidate; by default item ``i`` belongs to candidate ``i``.
    standardise : bool
        Bring every row of every method to unit standard deviation first: a temperature for
        each item. Leave it off where the spread of a row tells how sure the method is.

    Returns
    -------
    dict of str to float
        Weight of each method, not negative, per unit of its scores. On these items the mean
        log-likelihood is at least that of the best method alone at its best temperature.

    Raises
    ------
    ValueError
        If there are no scores, they differ in shape, are not finite, or do not fit `truth`.

    Notes
    -----
    A conditional logit (McFadden 1974): the log-likelihood is concave in the weights, so the
    optimum found is the only one. Product of experts: Hinton 2002.
    """
    stacked = _stack(scores_by_method, standardise)
    index = as_index(truth, *stacked.shape[1:]).numpy()
    if not len(index):
        raise ValueError("no validation items to fit weights to")
    spread = np.sqrt(stacked.var(axis=2).mean(axis=1))
    usable = spread > 0
    scaled = stacked / np.where(usable, spread, 1.0)[:, None, None]
    alone = [_maximise(scaled, index, np.arange(len(scaled)) == m) for m in range(len(scaled))]
    best, start = min(alone, key=lambda found: found[0])
    joint, weights = _maximise(scaled, index, usable, start)
    if joint > best:
        weights = start
    final = np.where(usable, weights / np.where(usable, spread, 1.0), 0.0)
    return dict(zip(scores_by_method, final.tolist(), strict=True))


def expert_posterior(
    scores_by_method: Mapping[str, ArrayLike],
    weights: Mapping[str, float],
    *,
    standardise: bool = False,
) -> Tensor:
    """Log-probability of every candidate according to all methods together.

    Parameters
    ----------
    scores_by_method : mapping of str to array-like of shape (n_items, n_candidates)
        As for `fit_posterior`, for any items.
    weights : mapping of str to float
        From `fit_posterior`.
    standardise : bool
        As it was for `fit_posterior`.

    Returns
    -------
    Tensor of float64 of shape (n_items, n_candidates)
        In nats; the exponential of a row sums to one.

    Raises
    ------
    ValueError
        If scores and weights name different methods, or scores do not fit together.
    """
    if set(scores_by_method) != set(weights):
        raise ValueError(f"scores of {sorted(scores_by_method)}, weights of {sorted(weights)}")
    stacked = torch.from_numpy(_stack(scores_by_method, standardise))
    factors = torch.tensor([weights[name] for name in scores_by_method], dtype=torch.float64)
    return torch.einsum("m,mij->ij", factors, stacked).log_softmax(dim=1)


def expert_log_likelihood(
    scores_by_method: Mapping[str, ArrayLike],
    weights: Mapping[str, float],
    truth: ArrayLike | None = None,
    *,
    standardise: bool = False,
) -> float:
    """Mean log-probability of the true candidates.

    Parameters
    ----------
    scores_by_method, weights, truth, standardise
        As for `fit_posterior` and `expert_posterior`.

    Returns
    -------
    float
        In nats; ``-log(n_candidates)`` for a method that knows nothing.
    """
    logs = expert_posterior(scores_by_method, weights, standardise=standardise)
    index = as_index(truth, *logs.shape)
    return float(logs[torch.arange(len(index)), index].mean())


def _stack(scores_by_method: Mapping[str, ArrayLike], standardise: bool) -> np.ndarray:
    """Scores of all methods (n_methods, n_items, n_candidates), rows centred."""
    arrays = {name: as_float(values).double() for name, values in scores_by_method.items()}
    shapes = {name: tuple(values.shape) for name, values in arrays.items()}
    if len(set(shapes.values())) != 1 or len(next(iter(shapes.values()))) != 2:
        raise ValueError(f"scores do not share one shape (n_items, n_candidates): {shapes}")
    stacked = torch.stack(list(arrays.values())).cpu().numpy()
    if not np.isfinite(stacked).all():
        raise ValueError("scores are not finite")
    rounding = 16 * np.finfo(float).eps * np.abs(stacked).max(axis=2, keepdims=True, initial=0.0)
    stacked = stacked - stacked.mean(axis=2, keepdims=True)
    # the rest of equal scores less their mean is rounding, and would be blown up
    stacked[np.abs(stacked) <= rounding] = 0.0
    if standardise:
        spread = stacked.std(axis=2, keepdims=True)
        stacked = stacked / np.where(spread > 0, spread, 1.0)
    return stacked


def _maximise(
    scores: np.ndarray, truth: np.ndarray, free: np.ndarray, start: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Smallest mean negative log-likelihood, and its weights; those not free stay at zero."""
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    rows = np.arange(len(truth))
    of_truth = scores[:, rows, truth].mean(axis=1)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        logits = np.einsum("m,mij->ij", weights, scores)
        norm = logsumexp(logits, axis=1)
        expected = np.einsum("ij,mij->m", np.exp(logits - norm[:, None]), scores) / len(rows)
        return float(norm.mean() - weights @ of_truth), expected - of_truth

    bounds = [(0.0, MOST if allowed else 0.0) for allowed in free]
    start = np.where(free, 1.0, 0.0) if start is None else start
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"ftol": 1e-12, "gtol": 1e-8, "maxiter": 1000},
    )  # fmt: skip
    return float(found.fun), found.x
