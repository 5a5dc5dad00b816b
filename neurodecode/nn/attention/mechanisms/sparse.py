"""Instance-dependent sparse attention: each query reads the keys that a predictor promises."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.gathered import gathered_attention
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Sparse"]


@ATTENTION.register("sparse")
class Sparse(Attention):
    """Softmax attention to the k keys with the highest predicted scores.

    The predictor is a product of two narrow projections of query and key. It does not change the
    weights, but has the gradient of the scores of the keys it chose, and so learns to choose
    those that the loss wants to count more. Predictions are made for all pairs: choosing remains
    quadratic in length, with `rank` instead of `head_dim` operations a pair.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    keep : int
        Keys of each query.
    rank : int
        Width of the predictor.
    """

    paper = "Wei et al. 2023, Sparsifiner: learning sparse instance-dependent attention"
    limit = "all keys kept"
    chooses_keys = True

    def __init__(self, n_heads: int, head_dim: int, keep: int = 32, rank: int = 8) -> None:
        super().__init__(n_heads, head_dim)
        self.keep, self.rank = keep, rank
        # both begin alike, so that predictions begin as rough scores
        start = torch.randn(n_heads, head_dim, rank) * rank**-0.5
        self.query_down = nn.Parameter(start)
        self.key_down = nn.Parameter(start.clone())

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        narrow = self.scale * (q.detach() @ self.query_down)
        promised = narrow @ (k.detach() @ self.key_down).transpose(-2, -1)
        ranked = promised.detach()
        if (allowed := call.seen.matrix()) is not None:
            ranked = ranked.masked_fill(~allowed, -torch.inf)
        ranked = ranked.nan_to_num(nan=-torch.inf, neginf=-torch.inf)
        index = ranked.topk(min(self.keep, call.seen.n_keys), dim=-1).indices
        chosen = promised.gather(-1, index)
        valid = torch.ones((), dtype=torch.bool, device=q.device)
        return gathered_attention(
            q,
            k,
            v,
            index,
            valid,
            call.seen,
            self.scale,
            call.need_weights,
            bias=chosen - chosen.detach(),
        )

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        narrow = row.q[row.head, row.query] @ self.query_down[row.head]
        promised = row.k[row.head, row.visible] @ self.key_down[row.head] @ narrow
        kept = promised.argsort(descending=True)[: self.keep]
        weights = torch.zeros_like(promised)
        weights[kept] = row.scores(self.scale)[kept].softmax(-1)
        return weights

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        kept = min(self.keep, n_keys)
        predictor = 2 * self.rank * (n_queries * n_keys + (n_queries + n_keys) * self.head_dim)
        flops = predictor + 4 * n_queries * kept * self.head_dim
        between = 2 * n_queries * n_keys + 2 * n_queries * kept * self.head_dim
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """See `Attention.limit_options`."""
        return {"keep": n_keys}
