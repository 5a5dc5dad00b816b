"""Lightning attention: tiled causal linear attention that forgets."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.nn.attention import linear
from neurodecode.nn.attention.base import Attended, Call, Cost, Row
from neurodecode.nn.attention.dense import weigh
from neurodecode.nn.attention.linear import LinearAttention, Mixture, causal_sums
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Lightning"]


@ATTENTION.register("lightning")
class Lightning(LinearAttention):
    r"""Likeness of elu features, times :math:`\lambda_h^{|i - j|}`, divided by its sum.

    Each head forgets at a rate of its own (slopes as in ALiBi). The paper is causal and
    normalises the output instead; without causality the likeness fades to both sides of the
    query, and queries end with the keys.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    slowest : float or None
        Decay of the slowest head, 1 to forget nothing; that of ALiBi by default.
    """

    paper = "Qin et al. 2024, Lightning attention-2"

    def __init__(self, n_heads: int, head_dim: int, slowest: float | None = None) -> None:
        super().__init__(n_heads, head_dim)
        slopes = 2 ** (-8 * (torch.arange(n_heads) + 1) / n_heads)
        if slowest is not None:
            slopes = slopes / slopes.min() * -torch.tensor(slowest).log()
        self.decay: Tensor
        self.register_buffer("decay", (-slopes).exp())

    @property
    def n_features(self) -> int:
        """See `LinearAttention.n_features`."""
        return self.head_dim

    def query_features(self, q: Tensor) -> Tensor:
        """See `LinearAttention.query_features`."""
        return F.elu(q) + 1

    def key_features(self, k: Tensor) -> Tensor:
        """See `LinearAttention.key_features`."""
        return F.elu(k) + 1

    def mixture(self, total: Tensor, count: Tensor) -> Mixture:
        """See `LinearAttention.mixture`."""
        return Mixture(1 / total.clamp(min=torch.finfo(total.dtype).tiny), None)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        seen = call.seen
        of_query, of_key = self.query_features(q), self.key_features(k)
        if call.need_weights or not seen.per_key:
            gap = torch.arange(seen.n_queries, device=q.device)[:, None] + seen.offset
            gap = (gap - torch.arange(seen.n_keys, device=q.device)).abs()
            likeness = of_query @ of_key.transpose(-2, -1)
            likeness = likeness * self.decay.to(q)[:, None, None] ** gap
            if (allowed := seen.matrix()) is not None:
                likeness = likeness * allowed
            like, _ = self.mixture(likeness.sum(-1, keepdim=True), likeness)
            return weigh(likeness * like, v, call.need_weights)
        v = torch.cat([v, torch.ones_like(v[..., :1])], dim=-1)
        if seen.mask is not None:
            of_key = of_key * seen.mask.transpose(-2, -1)
        sums = causal_sums(of_query, of_key, v, self.decay)
        if not seen.causal:
            sums = sums + self._after(of_query, of_key, v)
        like, _ = self.mixture(sums[..., -1:], sums)
        return sums[..., :-1] * like, None

    def _after(self, of_query: Tensor, of_key: Tensor, v: Tensor) -> Tensor:
        """Sums over keys after each query: the past of the sequence read backwards."""
        n_queries, n_keys = of_query.shape[2], v.shape[2]
        # queries before the first key see all keys from there; those at the end see none
        ahead = max(0, n_keys - n_queries)
        back = (F.pad(of_query, (0, 0, ahead, 0)), of_key, v)
        if n_queries > n_keys:
            back = (of_query, *(F.pad(x, (0, 0, n_queries - n_keys, 0)) for x in back[1:]))
        # one step further: a key in the query's own place is in the past already
        query, key, value = (each.flip(2) for each in back)
        query, key, value = query[:, :, 1:], key[:, :, :-1], value[:, :, :-1]
        if not query.shape[2]:
            return torch.zeros_like(of_query[..., :1] * v[:, :, :1])
        sums = causal_sums(query, key, value, self.decay) * self.decay.to(v)[:, None, None]
        return F.pad(sums, (0, 0, 1, 0)).flip(2)[:, :, ahead:]

    def likeness(self, row: Row) -> Tensor:
        """See `LinearAttention.likeness`."""
        query, keys = row.q[row.head, row.query], row.k[row.head, row.visible]
        mapped = [torch.where(x > 0, x + 1, x.exp()) for x in (query, keys)]
        gap = (row.query + row.seen.offset - row.visible).abs()
        return mapped[1] @ mapped[0] * self.decay[row.head] ** gap

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`; without causality two passes, one from each end."""
        values, length = self.head_dim + 1, max(n_queries, n_keys)
        tiles = 2 * linear.TILE * (self.n_features + values) + 4 * self.n_features * values
        between = 2 * length * (self.n_features + values) + linear.TILE**2
        return self.costing(2 * length * tiles, between, (n_queries, n_keys, n_batch, item_size))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """See `Attention.limit_options`."""
        return {"slowest": 1.0}
