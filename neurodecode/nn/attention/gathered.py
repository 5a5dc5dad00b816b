"""Attention in which every query reads a few keys of its own."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.nn.attention.dense import masked_softmax
from neurodecode.nn.attention.visibility import Visibility

__all__ = ["gathered_attention"]

#: Gathered keys that are in memory at once; a query more is read in the next round.
_BLOCK = 2**24


def gathered_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    index: Tensor,
    valid: Tensor,
    seen: Visibility,
    scale: float,
    need_weights: bool,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Softmax attention to listed keys.

    Parameters
    ----------
    q : Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Queries.
    k, v : Tensor of shape (n_batch, n_heads, n_keys, head_dim)
        Keys and values.
    index : Tensor of int of shape (n_queries, n) or (n_batch, n_heads, n_queries, n)
        Keys of each query, none twice among the valid ones.
    valid : Tensor of bool, broadcast to `index`
        Entries of the list that count.
    seen : Visibility
        Mask and causality; what may not be seen is left out.
    scale : float
        Factor of the scores.
    need_weights : bool
        Whether dense weights are wanted.
    bias : Tensor, broadcast to (n_batch, n_heads, n_queries, n), optional
        Added to the scores.

    Returns
    -------
    Tensor of shape (n_batch, n_heads, n_queries, value_dim)
        Output.
    Tensor of shape (n_batch, n_heads, n_queries, n_keys) or None
        Weights, zero off the list.
    """
    n_batch, n_heads, n_queries, dim = q.shape
    index = index.expand(n_batch, n_heads, *index.shape[-2:])
    allowed = (valid & seen.at(index)).expand(index.shape)
    width = index.shape[-1]
    step = max(1, _BLOCK // (n_batch * n_heads * width * dim))
    outputs, lists = [], []
    for start in range(0, n_queries, step):
        rows = slice(start, start + step)
        chosen = index[:, :, rows]
        scores = torch.einsum("bhqd,bhqnd->bhqn", q[:, :, rows] * scale, _take(k, chosen))
        if bias is not None:
            scores = scores + bias.expand(index.shape)[:, :, rows]
        weights = masked_softmax(scores, allowed[:, :, rows])
        outputs.append(torch.einsum("bhqn,bhqnd->bhqd", weights, _take(v, chosen)))
        lists.append(weights)
    out = torch.cat(outputs, dim=2) if len(outputs) > 1 else outputs[0]
    if not need_weights:
        return out, None
    dense = q.new_zeros(n_batch, n_heads, n_queries, k.shape[2])
    return out, dense.scatter_add(-1, index, torch.cat(lists, dim=2))


def _take(values: Tensor, index: Tensor) -> Tensor:
    """Rows of `values` (n_batch, n_heads, n, dim) by `index` (n_batch, n_heads, n_queries, k)."""
    flat = index.flatten(2)[..., None].expand(-1, -1, -1, values.shape[-1])
    return values.gather(2, flat).unflatten(2, index.shape[2:])
