"""Hedgehog: linear attention with a learned, spiky feature map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurodecode.nn.attention.base import Row
from neurodecode.nn.attention.linear import LinearAttention, Mixture
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Hedgehog"]


@ATTENTION.register("hedgehog")
class Hedgehog(LinearAttention):
    """Features are the softmax of a learned projection and of its negative."""

    paper = "Zhang et al. 2024, The hedgehog and the porcupine: expressive linear attentions"

    def __init__(self, n_heads: int, head_dim: int) -> None:
        super().__init__(n_heads, head_dim)
        start = torch.eye(head_dim).repeat(n_heads, 1, 1)
        self.query_weight = nn.Parameter(start)
        self.key_weight = nn.Parameter(start.clone())

    @property
    def n_features(self) -> int:
        """See `LinearAttention.n_features`."""
        return 2 * self.head_dim

    def query_features(self, q: Tensor) -> Tensor:
        """See `LinearAttention.query_features`."""
        return _both_signs(q @ self.query_weight)

    def key_features(self, k: Tensor) -> Tensor:
        """See `LinearAttention.key_features`."""
        return _both_signs(k @ self.key_weight)

    def mixture(self, total: Tensor, count: Tensor) -> Mixture:
        """See `LinearAttention.mixture`."""
        return Mixture(1 / total.clamp(min=torch.finfo(total.dtype).tiny), None)

    def likeness(self, row: Row) -> Tensor:
        """See `LinearAttention.likeness`."""
        query = row.q[row.head, row.query] @ self.query_weight[row.head]
        keys = row.k[row.head, row.visible] @ self.key_weight[row.head]
        plus = keys.exp() / keys.exp().sum(1, keepdim=True)
        minus = (-keys).exp() / (-keys).exp().sum(1, keepdim=True)
        return plus @ query.softmax(0) + minus @ (-query).softmax(0)

    def feature_flops(self) -> int:
        """See `LinearAttention.feature_flops`."""
        return 2 * self.head_dim**2


def _both_signs(x: Tensor) -> Tensor:
    return torch.cat([x.softmax(-1), (-x).softmax(-1)], dim=-1)
