"""Mixture of heads: each token is served by the heads that a router chooses."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.nn.attention.base import Attended, Call, Cost, Row
from neurodecode.nn.attention.mechanisms.softmax import Softmax
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["MixtureOfHeads"]


@ATTENTION.register("mixture_of_heads")
class MixtureOfHeads(Softmax):
    """Softmax attention, the heads of each query weighted by a router.

    Some heads serve every query; of the others, the k with the highest router scores. Weights of
    each group are a softmax times the number of heads in use, so that equal scores give one, and
    a second router weighs the two groups (times two). All heads are computed, as in the authors'
    code: what is saved is capacity, not time.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    shared : int or None
        Heads that serve every query; a quarter by default.
    keep : int or None
        Further heads of each query; half of the others by default.
    dropout : float
        Of the attention weights, in training.
    """

    paper = "Jin et al. 2024, MoH: multi-head attention as mixture-of-head attention"
    limit = "all heads shared, routers undecided"

    def __init__(
        self,
        n_heads: int,
        head_dim: int,
        shared: int | None = None,
        keep: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(n_heads, head_dim, dropout)
        self.shared = max(1, n_heads // 4) if shared is None else min(shared, n_heads)
        routed = n_heads - self.shared
        self.keep = min(routed, -(-routed // 2) if keep is None else keep)
        width = n_heads * head_dim
        self.router = nn.Parameter(torch.randn(width, n_heads) * width**-0.5)
        self.balance = nn.Parameter(torch.randn(width, 2) * width**-0.5 * bool(self.keep))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        out, weights = super().attend(q, k, v, call)
        gates = self.gates(q.transpose(1, 2).flatten(2)).transpose(1, 2)[..., None]
        return out * gates, None if weights is None else weights * gates

    def gates(self, tokens: Tensor) -> Tensor:
        """Weight of every head for every query.

        Parameters
        ----------
        tokens : Tensor of shape (..., n_heads * head_dim)
            Queries of all heads together.

        Returns
        -------
        Tensor of shape (..., n_heads)
            Weights, zero for heads that are not used.
        """
        scores = tokens @ self.router
        shared, routed = scores.split([self.shared, self.n_heads - self.shared], dim=-1)
        shared = shared.softmax(-1) * self.shared
        if not self.keep:
            return torch.cat([shared, torch.zeros_like(routed)], dim=-1)
        floor = routed.topk(self.keep, dim=-1).values[..., -1:]
        routed = routed.masked_fill(routed < floor, -torch.inf).softmax(-1) * self.keep
        first, second = (2 * (tokens @ self.balance).softmax(-1)).split(1, dim=-1)
        return torch.cat([shared * first, routed * second], dim=-1)

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        token = row.q[:, row.query].flatten()
        scores = token @ self.router
        shared, routed = scores[: self.shared], scores[self.shared :]
        balance = 2 * F.softmax(token @ self.balance, dim=0) if self.keep else (1.0, 0.0)
        weights = super().row(row)
        if row.head < self.shared:
            return weights * self.shared * shared.softmax(0)[row.head] * balance[0]
        best = routed.argsort(descending=True)[: self.keep].tolist()
        if row.head - self.shared not in best:
            return weights * 0
        chance = routed[best].softmax(0)[best.index(row.head - self.shared)]
        return weights * self.keep * chance * balance[1]

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        routers = 2 * n_queries * self.head_dim * (self.n_heads + 2 * bool(self.keep))
        flops = 4 * n_queries * n_keys * self.head_dim + routers
        return self.costing(flops, 3 * n_queries, (n_queries, n_keys, n_batch, item_size))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """See `Attention.limit_options`."""
        return {"shared": self.n_heads}

    @torch.no_grad()
    def to_limit(self) -> None:
        """See `Attention.to_limit`."""
        self.router.zero_()
        self.balance.zero_()
