"""Attention with the whole matrix of scores in memory."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.nn.attention.visibility import Visibility

__all__ = ["dense_scores", "masked_softmax", "visible_softmax", "weigh"]


def dense_scores(q: Tensor, k: Tensor, scale: float) -> Tensor:
    """Scaled dot products.

    Parameters
    ----------
    q : Tensor of shape (..., n_queries, head_dim)
        Queries.
    k : Tensor of shape (..., n_keys, head_dim)
        Keys.
    scale : float
        Factor.

    Returns
    -------
    Tensor of shape (..., n_queries, n_keys)
        Scores.
    """
    return (q * scale) @ k.transpose(-2, -1)


def masked_softmax(scores: Tensor, allowed: Tensor | None) -> Tensor:
    """Softmax over the keys that may be seen, in at least single precision.

    Parameters
    ----------
    scores : Tensor of shape (..., n_keys)
        Scores.
    allowed : Tensor of bool, broadcast to the scores, optional
        Keys that may be seen; a row without any gets zeros.

    Returns
    -------
    Tensor of shape (..., n_keys)
        Weights, of the type of the scores.
    """
    precise = torch.promote_types(scores.dtype, torch.float32)
    if allowed is None:
        return scores.softmax(-1, dtype=precise).to(scores.dtype)
    # a finite floor: the gradient of a row of -inf would be NaN
    floor = torch.finfo(scores.dtype).min
    weights = scores.masked_fill(~allowed, floor).softmax(-1, dtype=precise).to(scores.dtype)
    return weights * allowed


def weigh(weights: Tensor, v: Tensor, need_weights: bool) -> tuple[Tensor, Tensor | None]:
    """Read values by dense weights.

    Parameters
    ----------
    weights : Tensor of shape (..., n_queries, n_keys)
        Weights.
    v : Tensor of shape (..., n_keys, value_dim)
        Values.
    need_weights : bool
        Whether to hand the weights on.

    Returns
    -------
    Tensor of shape (..., n_queries, value_dim)
        Output.
    Tensor or None
        The weights.
    """
    return weights @ v, weights if need_weights else None


def visible_softmax(scores: Tensor, seen: Visibility) -> Tensor:
    """Softmax of dense scores under mask and causality.

    Parameters
    ----------
    scores : Tensor of shape (n_batch, n_heads, n_queries, n_keys)
        Scores.
    seen : Visibility
        Mask and causality.

    Returns
    -------
    Tensor of the same shape
        Weights.
    """
    return masked_softmax(scores, seen.matrix())
