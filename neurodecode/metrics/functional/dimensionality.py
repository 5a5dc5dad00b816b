"""How many dimensions the predictions of a method really use."""

from __future__ import annotations

import torch

from neurodecode.metrics.functional.arrays import ArrayLike, as_rows

__all__ = ["effective_rank"]


def effective_rank(rows: ArrayLike) -> float:
    r"""Effective rank of predictions: the exponential of the entropy of singular values.

    .. math:: \exp(-\sum_k p_k \log p_k), \quad p_k = \sigma_k / \sum_l \sigma_l

    with the singular values of the predictions less their mean over items. A decoder that gives
    one answer up to a factor has rank 1 however many values that answer has; n predictions
    cannot have more than n - 1.

    Parameters
    ----------
    rows : array-like of shape (n_items, ...)
        One prediction a row; flattened.

    Returns
    -------
    float
        Between 1 and ``min(n_items - 1, n_values)``; 0 if all predictions are the same.

    References
    ----------
    Roy and Vetterli 2007.
    """
    values = as_rows(rows).double()
    centred = values - values.mean(dim=0)
    sizes = torch.linalg.svdvals(centred)
    # what is left of equal rows after the mean was taken is rounding
    floor = torch.finfo(torch.float32).eps * torch.linalg.vector_norm(values)
    sizes = sizes[sizes > floor]
    if not len(sizes):
        return 0.0
    shares = sizes / sizes.sum()
    return float(torch.exp(-(shares * shares.log()).sum()))
