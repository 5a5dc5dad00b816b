"""Softmax attention."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.dense import dense_scores, visible_softmax
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Softmax"]


@ATTENTION.register("softmax")
class Softmax(Attention):
    """Scaled dot-product attention, by torch's fused kernels where no weights are asked for.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    dropout : float
        Of the weights, in training.
    """

    paper = "Vaswani et al. 2017, Attention is all you need"
    limit = "it is softmax attention"

    def __init__(self, n_heads: int, head_dim: int, dropout: float = 0.0) -> None:
        super().__init__(n_heads, head_dim)
        self.dropout = dropout

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        dropout = self.dropout if self.training else 0.0
        if call.need_weights:
            weights = visible_softmax(dense_scores(q, k, self.scale), call.seen)
            return F.dropout(weights, dropout) @ v, weights
        square = call.seen.mask is None and call.seen.causal and call.seen.offset == 0
        mask = None if square else call.seen.matrix()
        out = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=square
        )
        return out, None

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        return row.scores(self.scale).softmax(-1)

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`; fused kernels keep one number a query between."""
        flops = 4 * n_queries * n_keys * self.head_dim
        return self.costing(flops, n_queries, (n_queries, n_keys, n_batch, item_size))
