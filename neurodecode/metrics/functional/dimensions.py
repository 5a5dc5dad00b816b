"""How many dimensions an array of predictions really uses."""

from __future__ import annotations

import math

import torch

from neurodecode.metrics.functional.arrays import ArrayLike, as_rows

__all__ = ["effective_rank"]


def effective_rank(values: ArrayLike) -> float:
    r"""Exponential of the entropy of the shares of the singular values.

    .. math:: \exp\Big(-\sum_k p_k \log p_k\Big), \quad p_k = \sigma_k / \sum_l \sigma_l

    with :math:`\sigma` the singular values of the centred array.

    Parameters
    ----------
    values : array-like of shape (n_items, ...)
        Predicted embeddings or features, flattened.

    Returns
    -------
    float
        Between 1 and ``min(n_items - 1, n_values)``; 0 if all items are the same, nan if a value
        is not finite or there are no items. It grows with the number of items, so compare it
        with that of the targets of the same items: predictions far below their targets have
        collapsed onto few dimensions.

    References
    ----------
    Roy and Vetterli 2007.
    """
    rows = as_rows(values).double()
    if not len(rows) or not rows.isfinite().all():
        return math.nan
    centred = rows - rows.mean(dim=0)
    # through the smaller product: tokens have many more values than there are items
    product = centred @ centred.T if rows.shape[0] <= rows.shape[1] else centred.T @ centred
    power = torch.linalg.eigvalsh(product).clamp(min=0)
    # what rounding leaves of a zero in the product grows under the root
    floor = product.shape[0] * torch.finfo(power.dtype).eps * float(rows.square().sum())
    sizes = power[power > floor].sqrt()
    shares = sizes / sizes.sum()
    return float(torch.exp(-(shares * shares.log()).sum())) if len(shares) else 0.0
