"""Attention with a mask that the values themselves decide on."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.errors import ConfigError
from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.gathered import gathered_attention
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["DynamicMask"]


@ATTENTION.register("dynamic_mask")
class DynamicMask(Attention):
    r"""Softmax attention to the keys of highest importance, which is added to the scores.

    Importance of key j in a head is :math:`e^{a \cdot \mathrm{softplus}(w \cdot v_j)}`: it
    depends on the value alone.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each; values must have as many.
    keep : int
        Keys that each query keeps, the most important ones it may see.
    """

    paper = "Shi et al. 2025, Trainable dynamic mask sparse attention"
    limit = "all keys kept, all equally important (a = 0)"
    chooses_keys = True
    order = 1

    def __init__(self, n_heads: int, head_dim: int, keep: int = 32) -> None:
        super().__init__(n_heads, head_dim)
        self.keep = keep
        self.weight = nn.Parameter(torch.randn(n_heads, head_dim, 1) * head_dim**-0.5)
        self.amount = nn.Parameter(torch.full((n_heads, 1), 0.1))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        if v.shape[-1] != self.head_dim:
            raise ConfigError(
                f"attention dynamic_mask needs values of {self.head_dim} dimensions,"
                f" not {v.shape[-1]}"
            )
        importance = (self.amount * F.softplus((v @ self.weight)[..., 0])).exp()
        ranked = importance.detach()[..., None, :].nan_to_num(nan=-torch.inf)
        if (allowed := call.seen.matrix()) is not None:
            ranked = ranked.masked_fill(~allowed, -torch.inf)
        index = ranked.topk(min(self.keep, call.seen.n_keys), dim=-1).indices
        index = index.expand(-1, -1, call.seen.n_queries, -1)
        bias = importance[..., None, :].expand(-1, -1, call.seen.n_queries, -1).gather(-1, index)
        valid = torch.ones((), dtype=torch.bool, device=q.device)
        return gathered_attention(
            q, k, v, index, valid, call.seen, self.scale, call.need_weights, bias
        )

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        values = row.v[row.head, row.visible]
        step = (1 + (values @ self.weight[row.head])[:, 0].exp()).log()
        importance = (self.amount[row.head] * step).exp()
        kept = importance.argsort(descending=True)[: self.keep]
        weights = torch.zeros_like(importance)
        weights[kept] = (row.scores(self.scale) + importance)[kept].softmax(-1)
        return weights

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        kept = min(self.keep, n_keys)
        flops = (4 * n_queries * kept + 2 * n_keys) * self.head_dim
        between = 2 * n_queries * kept * (self.head_dim + 1)
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """See `Attention.limit_options`."""
        return {"keep": n_keys}

    @torch.no_grad()
    def to_limit(self) -> None:
        """See `Attention.to_limit`."""
        self.amount.zero_()
