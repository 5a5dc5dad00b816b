"""Routing attention: queries read the keys of their own cluster."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.gathered import gathered_attention
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Routing"]


@ATTENTION.register("routing")
class Routing(Attention):
    """Softmax attention within clusters, whose centres follow queries and keys (online k-means).

    Each token belongs to the centre closest in direction. The paper lets each centre choose its
    tokens instead, which evens out clusters but tells early tokens of late ones; tokens that
    choose do not. A query reads at most `window` keys of its cluster: the last ones when causal,
    else those around its own place among them. A query whose cluster has no visible key gives
    zeros.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    n_clusters : int
        Centres of each head.
    window : int
        Most keys of a query.
    decay : float
        Of the running means that the centres are; they move in training only.
    """

    paper = "Roy et al. 2021, Efficient content-based sparse attention with routing transformers"
    limit = "one cluster, window as long as the keys"
    chooses_keys = True
    order = 1

    def __init__(
        self,
        n_heads: int,
        head_dim: int,
        n_clusters: int = 8,
        window: int = 32,
        decay: float = 0.99,
    ) -> None:
        super().__init__(n_heads, head_dim)
        self.window, self.decay = window, decay
        start = F.normalize(torch.randn(n_heads, n_clusters, head_dim), dim=-1)
        self.centres: Tensor
        self.register_buffer("centres", start)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        with torch.no_grad():
            of_query, of_key = self._cluster(q), self._cluster(k)
            if self.training:
                self._follow(torch.cat([q, k], dim=2), torch.cat([of_query, of_key], dim=2))
            index, valid = self._table(of_query, of_key, call)
        return gathered_attention(
            q, k, v, index, valid, call.seen, self.scale, call.need_weights
        )  # fmt: skip

    def _cluster(self, tokens: Tensor) -> Tensor:
        """Number of the closest centre, (n_batch, n_heads, length)."""
        # a row that is not finite must have a cluster too; which one does not matter
        likeness = tokens @ self.centres.to(tokens).transpose(-2, -1)
        return likeness.nan_to_num().argmax(-1)

    def _follow(self, tokens: Tensor, clusters: Tensor) -> None:
        """Move centres towards the mean direction of their tokens; NaN takes no part."""
        fine = tokens.isfinite().all(-1, keepdim=True)
        units = F.normalize(tokens.masked_fill(~fine, 0).float(), dim=-1)
        member = F.one_hot(clusters, self.centres.shape[1]).to(units) * fine
        total = torch.einsum("bhnc,bhnd->hcd", member, units)
        moved = self.decay * self.centres + (1 - self.decay) * F.normalize(total, dim=-1)
        empty = member.sum((0, 2))[..., None] == 0
        self.centres.copy_(torch.where(empty, self.centres, F.normalize(moved, dim=-1)))

    def _table(self, of_query: Tensor, of_key: Tensor, call: Call) -> tuple[Tensor, Tensor]:
        """Keys that each query reads (n_batch, n_heads, n_queries, window), and which exist."""
        n_clusters, seen = self.centres.shape[1], call.seen
        # keys one cluster after the other, each in the order of time
        order = of_key.argsort(dim=-1, stable=True)
        member = F.one_hot(of_key, n_clusters)
        count = F.pad(member.cumsum(2), (0, 0, 1, 0))  # before each time, of each cluster
        size = count[:, :, -1]
        begin = (size.cumsum(-1) - size).gather(-1, of_query)
        until = seen.last_key() + 1
        if not call.seen.causal:
            middle = (2 * torch.arange(seen.n_queries, device=order.device) + 1) * seen.n_keys
            until = middle // (2 * seen.n_queries)
        place = count[:, :, until].gather(-1, of_query[..., None])[..., 0]
        width = min(self.window, seen.n_keys)
        first = place - width
        if not seen.causal:
            room = (size.gather(-1, of_query) - width).clamp(min=0)
            first = torch.minimum((place - width // 2).clamp(min=0), room)
        steps = first[..., None] + torch.arange(width, device=order.device)
        end = place if seen.causal else size.gather(-1, of_query)
        valid = (steps >= 0) & (steps < end[..., None])
        slot = (begin[..., None] + steps).clamp(0, seen.n_keys - 1)
        index = order.gather(-1, slot.flatten(2)).view_as(slot)
        return index, valid

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        centres = self.centres[row.head].to(row.q)
        mine = (centres @ row.q[row.head, row.query]).argmax()
        keys = torch.arange(row.seen.n_keys)
        if row.seen.causal:
            keys = keys[: row.query + row.seen.offset + 1]
        members = keys[(row.k[row.head, keys] @ centres.T).argmax(-1) == mine]
        if row.seen.causal:
            members = members[-self.window :]
        else:
            before = (2 * row.query + 1) * row.seen.n_keys // (2 * row.seen.n_queries)
            first = int((members < before).sum()) - min(self.window, row.seen.n_keys) // 2
            first = max(0, min(first, len(members) - self.window))
            members = members[first : first + self.window]
        inside = torch.isin(row.visible, members)
        weights = row.q.new_zeros(len(row.visible))
        if inside.any():
            weights[inside] = row.scores(self.scale)[inside].softmax(-1)
        return weights

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        n_clusters, width = self.centres.shape[1], min(self.window, n_keys)
        routing = 2 * (n_queries + n_keys) * n_clusters * self.head_dim
        flops = routing + 4 * n_queries * width * self.head_dim
        between = n_keys * n_clusters + 2 * n_queries * width * self.head_dim
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """See `Attention.limit_options`."""
        return {"n_clusters": 1, "window": n_keys}
