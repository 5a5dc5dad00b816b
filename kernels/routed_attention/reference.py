"""Cross-attention with its map in plain torch, one head after the other."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["attend"]


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Attend, and average the weights over heads; see `routed_attention`.

    Parameters
    ----------
    q : Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Queries.
    k, v : Tensor of shape (n_batch, n_heads, n_tokens, head_dim)
        Keys and values.
    mask : Tensor of bool of shape (n_batch, n_tokens), optional
        Tokens that may be read.

    Returns
    -------
    Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Output.
    Tensor of shape (n_batch, n_queries, n_tokens)
        Map.
    """
    n_heads, scale = q.shape[1], q.shape[3] ** -0.5
    if mask is not None:
        # 0 * NaN is NaN: what may not be read must not be NaN
        k, v = (each.masked_fill(~mask[:, None, :, None], 0) for each in (k, v))
    outputs, total = [], None
    for head in range(n_heads):
        scores = (q[:, head] * scale) @ k[:, head].transpose(1, 2)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], torch.finfo(scores.dtype).min)
        precise = torch.promote_types(scores.dtype, torch.float32)
        weights = scores.softmax(-1, dtype=precise).to(scores.dtype)
        if mask is not None:
            weights = weights * mask[:, None]
        outputs.append(weights @ v[:, head])
        total = weights if total is None else total + weights
    assert total is not None
    return torch.stack(outputs, dim=1), total / n_heads
