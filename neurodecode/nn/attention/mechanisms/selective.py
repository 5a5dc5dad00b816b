"""Softmax attention with a temperature that each query and value sets for itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.dense import dense_scores, visible_softmax
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Selective"]


@ATTENTION.register("selective")
class Selective(Attention):
    r"""Inverse temperatures from what a token is and how much it can see.

    Scores of query i are multiplied by
    :math:`1 + \tanh(w_q \cdot q_i) + \sigma(\alpha) \log n_i`, with :math:`n_i` the number of
    keys that it sees; value j is multiplied by :math:`1 + \tanh(w_v \cdot k_j)`.

    The paper reads temperatures from the token before projection; here query and key stand for
    it.
    """

    paper = "Zhang et al. 2024, Selective attention: enhancing transformer through context control"
    limit = "all temperatures one"

    def __init__(self, n_heads: int, head_dim: int) -> None:
        super().__init__(n_heads, head_dim)
        self.query_weight = nn.Parameter(torch.randn(n_heads, head_dim, 1) * 0.1)
        self.value_weight = nn.Parameter(torch.randn(n_heads, head_dim, 1) * 0.1)
        self.alpha = nn.Parameter(torch.full((n_heads, 1, 1), -3.0))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        seeing = call.seen.count().clamp(min=1).to(q).log()
        sharp = 1 + (q @ self.query_weight).tanh() + self.alpha.sigmoid() * seeing
        weights = visible_softmax(dense_scores(q * sharp, k, self.scale), call.seen)
        weights = weights * (1 + (k @ self.value_weight).tanh()).transpose(-2, -1)
        return weights @ v, weights if call.need_weights else None

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        head, query = row.head, row.q[row.head, row.query]
        seeing = torch.tensor(float(len(row.visible)), dtype=query.dtype).log()
        sharp = 1 + (query @ self.query_weight[head]).tanh()
        sharp = sharp + self.alpha[head, 0].sigmoid() * seeing
        loud = 1 + (row.k[head, row.visible] @ self.value_weight[head])[:, 0].tanh()
        return (row.scores(self.scale) * sharp).softmax(-1) * loud

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        flops = (4 * n_queries * n_keys + 2 * (n_queries + n_keys)) * self.head_dim
        between = 2 * n_queries * n_keys
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    @torch.no_grad()
    def to_limit(self) -> None:
        """See `Attention.to_limit`."""
        self.query_weight.zero_()
        self.value_weight.zero_()
        self.alpha.fill_(-100.0)
