"""Taking arrays of any kind into the functional core."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["ArrayLike", "as_float", "as_index", "as_rows", "rounding_error"]

ArrayLike = Tensor | np.ndarray | Sequence


def as_tensor(values: ArrayLike) -> Tensor:
    """Share memory with `values` where that is safe, else copy.

    Parameters
    ----------
    values : Tensor, array or nested sequence
        Read-only arrays (memory maps, HDF5 slices) and reversed ones are copied, as torch
        cannot hold them.

    Returns
    -------
    Tensor
        Same shape, dtype and device.
    """
    if isinstance(values, np.ndarray):
        held = values.flags.writeable and min(values.strides, default=0) >= 0
        values = values if held else values.copy()
    return torch.as_tensor(values)


def as_float(values: ArrayLike) -> Tensor:
    """Take values in as floating point of at least single precision.

    Parameters
    ----------
    values : Tensor, array or nested sequence
        Any shape.

    Returns
    -------
    Tensor
        float64 stays float64; everything else becomes float32.
    """
    tensor = as_tensor(values)
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def as_rows(values: ArrayLike) -> Tensor:
    """Flatten every item to one floating-point row.

    Parameters
    ----------
    values : array-like of shape (n_items, ...)
        Features, tokens or images.

    Returns
    -------
    Tensor of shape (n_items, n_values)
        At least single precision.
    """
    rows = as_float(values)
    return rows.reshape(len(rows), math.prod(rows.shape[1:]))


def as_index(truth: ArrayLike | None, n_queries: int, n_candidates: int) -> Tensor:
    """Column of the true candidate of every query.

    Parameters
    ----------
    truth : array-like of int of shape (n_queries,), optional
        By default query ``i`` belongs to candidate ``i``.
    n_queries, n_candidates : int
        Shape of the score matrix.

    Returns
    -------
    Tensor of int of shape (n_queries,)
        Checked indices.

    Raises
    ------
    ValueError
        If there is not exactly one existing candidate for each query.
    """
    if truth is None and n_queries > n_candidates:
        raise ValueError(f"{n_queries} queries for {n_candidates} candidates need `truth`")
    index = torch.arange(n_queries) if truth is None else as_tensor(truth).long()
    if index.shape != (n_queries,):
        raise ValueError(f"truth has shape {tuple(index.shape)} for {n_queries} queries")
    if n_queries and (int(index.min()) < 0 or int(index.max()) >= n_candidates):
        raise ValueError(f"truth names a candidate outside 0..{n_candidates - 1}")
    return index


def rounding_error(scores: Tensor) -> Tensor:
    """Difference below which two scores of a row may be one number rounded twice.

    Parameters
    ----------
    scores : Tensor of shape (n_queries, n_candidates)
        Similarities or log-likelihoods.

    Returns
    -------
    Tensor of shape (n_queries, 1)
        16 units in the last place of the largest finite magnitude of each row. Products of
        identical rows differ by that much when they fall into different blocks of a matrix
        product; the order of such scores carries no information.
    """
    magnitude = scores.abs().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    largest = magnitude.amax(dim=1, keepdim=True) if scores.shape[1] else magnitude.sum(1, True)
    return 16 * torch.finfo(scores.dtype).eps * largest
