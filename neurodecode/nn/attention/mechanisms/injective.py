"""Injective linear attention: different queries never get the same weights."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.nn.attention.base import Row
from neurodecode.nn.attention.linear import LinearAttention, Mixture
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Injective"]


@ATTENTION.register("injective")
class Injective(LinearAttention):
    r"""Subtract the mean likeness and add one over the number of keys, instead of dividing.

    .. math:: w_{ij} = \phi(q_i) \cdot \phi(k_j) - \frac1n \sum_s \phi(q_i) \cdot \phi(k_s)
              + \frac1n

    with :math:`\phi` a leaky rectifier. A division makes queries that differ in length alike.
    """

    paper = "Han et al. 2024, Bridging the divide: reconsidering softmax and linear attention"

    @property
    def n_features(self) -> int:
        """See `LinearAttention.n_features`."""
        return self.head_dim

    def query_features(self, q: Tensor) -> Tensor:
        """See `LinearAttention.query_features`."""
        return torch.nn.functional.leaky_relu(q, 0.1) * self.scale

    def key_features(self, k: Tensor) -> Tensor:
        """See `LinearAttention.key_features`."""
        return torch.nn.functional.leaky_relu(k, 0.1)

    def mixture(self, total: Tensor, count: Tensor) -> Mixture:
        """See `LinearAttention.mixture`."""
        return Mixture(torch.ones_like(total), (1 - total) / count)

    def likeness(self, row: Row) -> Tensor:
        """See `LinearAttention.likeness`."""
        query, keys = row.q[row.head, row.query], row.k[row.head, row.visible]
        mapped = [torch.where(x > 0, x, 0.1 * x) for x in (query, keys)]
        return mapped[1] @ mapped[0] * self.scale
