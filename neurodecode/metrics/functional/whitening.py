"""Whitening of embeddings by their own statistics."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_rows

__all__ = ["whiten_rows"]


def whiten_rows(values: ArrayLike) -> tuple[Tensor, float]:
    r"""Centre items and divide out their covariance, shrunk after Ledoit and Wolf.

    .. math:: x' = \Sigma^{-1/2} (x - \mu), \quad \Sigma = (1 - a) S + a \, \mathrm{tr}(S) / d \, I

    Parameters
    ----------
    values : array-like of shape (n_items, ...)
        Embeddings, flattened; two items or more.

    Returns
    -------
    white : Tensor of float64 of shape (n_items, n_values)
        By the symmetric root, so that the axes keep their meaning and two whitened arrays can be
        compared.
    shrinkage : float
        ``a``, estimated from the items.

    Raises
    ------
    ValueError
        If there are fewer than two items, or all are the same.

    Notes
    -----
    The statistics are those of the items themselves. Given the test items of a decoder, the
    result is transductive.

    References
    ----------
    Ledoit and Wolf 2004; Kessy et al. 2018 for the symmetric root.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    rows = as_rows(values).double()
    if len(rows) < 2:
        raise ValueError("whitening needs two items or more")
    centred = rows - rows.mean(dim=0)
    left, sizes, right = torch.linalg.svd(centred, full_matrices=False)
    power = sizes**2 / len(rows)
    mean_power = float(power.sum()) / rows.shape[1]
    if mean_power <= torch.finfo(torch.float64).eps * float(rows.square().mean()):
        raise ValueError("all items are the same, there is nothing to whiten by")
    shrinkage = float(ledoit_wolf_shrinkage(centred.cpu().numpy(), assume_centered=True))
    # items span few of the dimensions: the rest of the root never meets them
    spread = ((1 - shrinkage) * power + shrinkage * mean_power).sqrt()
    gain = torch.where(power > 0, sizes / spread, 0.0)
    return (left * gain) @ right, shrinkage
