"""Pearson correlation and cosine, for pairs of rows, columns, and all rows with all rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_float, as_rows

__all__ = [
    "centre_rows",
    "correlation_distance",
    "correlation_matrix",
    "cosine_matrix",
    "pearson_r",
    "row_correlation",
]


def centre_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Subtract the mean of each row; measure what is left.

    Parameters
    ----------
    rows : Tensor of shape (n_rows, n_values)
        Floating point.

    Returns
    -------
    centred : Tensor of shape (n_rows, n_values)
        Zero-mean rows.
    norms : Tensor of shape (n_rows,)
        Euclidean norms; nan for rows that are constant up to rounding, which have no
        correlation with anything.
    """
    centred = rows - rows.mean(dim=1, keepdim=True)
    norms = torch.linalg.vector_norm(centred, dim=1)
    largest = rows.abs().amax(dim=1) if rows.shape[1] else torch.zeros_like(norms)
    resolution = 8 * torch.finfo(rows.dtype).eps * math.sqrt(max(rows.shape[1], 1))
    return centred, torch.where(norms > resolution * largest, norms, torch.nan)


def _by_chunks(rows: Tensor, chunk: int) -> list[Tensor]:
    return list(rows.split(chunk)) if len(rows) else []


def correlation_matrix(rows: ArrayLike, columns: ArrayLike, *, chunk: int = 256) -> Tensor:
    """Pearson correlation of every row of one array with every row of another.

    Parameters
    ----------
    rows : array-like of shape (n_rows, ...)
        Items are flattened.
    columns : array-like of shape (n_columns, ...)
        Items with the same number of values.
    chunk : int
        Rows centred at a time. Used for memory reasons.

    Returns
    -------
    Tensor of shape (n_rows, n_columns)
        nan where either item is constant.
    """
    centred_columns, column_norms = centre_rows(as_rows(columns))
    rows = as_rows(rows)
    result = rows.new_empty(len(rows), len(centred_columns))
    for start in range(0, len(rows), chunk):
        centred, norms = centre_rows(rows[start : start + chunk])
        product = centred @ centred_columns.T
        result[start : start + chunk] = product / norms[:, None] / column_norms
    return result.clamp_(-1, 1)


def cosine_matrix(rows: ArrayLike, columns: ArrayLike) -> Tensor:
    """Cosine of every row of one array with every row of another.

    Parameters
    ----------
    rows : array-like of shape (n_rows, ...)
        Items are flattened; they need not have unit norm.
    columns : array-like of shape (n_columns, ...)
        Items with the same number of values.

    Returns
    -------
    Tensor of shape (n_rows, n_columns)
        nan where either item is zero.
    """
    rows, columns = as_rows(rows), as_rows(columns)
    row_norms, column_norms = (torch.linalg.vector_norm(x, dim=1) for x in (rows, columns))
    return (rows @ columns.T / row_norms[:, None] / column_norms).clamp_(-1, 1)


def row_correlation(first: ArrayLike, second: ArrayLike, *, chunk: int = 256) -> Tensor:
    """Pearson correlation of each row with the row of the same number.

    Parameters
    ----------
    first, second : array-like of shape (n_items, ...)
        Items are flattened.
    chunk : int
        Rows centred at a time. Used for memory reasons.

    Returns
    -------
    Tensor of shape (n_items,)
        nan where either row is constant.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    first, second = as_rows(first), as_rows(second)
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {tuple(first.shape)} and {tuple(second.shape)}")
    pieces = []
    for a, b in zip(_by_chunks(first, chunk), _by_chunks(second, chunk), strict=True):
        (a, a_norm), (b, b_norm) = centre_rows(a), centre_rows(b)
        pieces.append((a * b).sum(dim=1) / a_norm / b_norm)
    return torch.cat(pieces).clamp_(-1, 1) if pieces else first.new_empty(0)


def pearson_r(predicted: ArrayLike, observed: ArrayLike, *, chunk: int = 1024) -> Tensor:
    """Pearson correlation over samples, one for each target (voxel, sensor, embedding value).

    Parameters
    ----------
    predicted, observed : array-like of shape (n_samples, n_targets)
        Model output and measurement.
    chunk : int
        Targets handled at a time. Used for memory reasons.

    Returns
    -------
    Tensor of shape (n_targets,)
        nan for targets that are constant in either array; count them with ``r.isnan().sum()``
        and say so, instead of averaging around them.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    return row_correlation(as_float(predicted).T, as_float(observed).T, chunk=chunk)


def correlation_distance(first: ArrayLike, second: ArrayLike) -> Tensor:
    """One minus the correlation of each pair of rows; lower is better.

    Parameters
    ----------
    first, second : array-like of shape (n_items, ...)
        Features of true and reconstructed images.

    Returns
    -------
    Tensor of shape (n_items,)
        Between 0 and 2; nan where either row is constant.
    """
    return 1 - row_correlation(first, second)
