"""Magnitude-aware linear attention: weights sharpen as the query grows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.nn.attention.base import Row
from neurodecode.nn.attention.linear import LinearAttention, Mixture
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["MagnitudeAware"]


@ATTENTION.register("magnitude_aware")
class MagnitudeAware(LinearAttention):
    r"""Likeness times :math:`\beta`, minus :math:`\gamma`, instead of a division.

    With features :math:`\phi(x) = \mathrm{elu}(x) + 1`, S the sum of the likenesses and n the
    number of keys, :math:`\beta = 1 + 1/S` and :math:`\gamma = S/n`: weights sum to one and grow
    apart with the length of :math:`\phi(q)`, which a division would cancel.
    """

    paper = "Fan et al. 2025, Rectifying magnitude neglect in linear attention"

    @property
    def n_features(self) -> int:
        """See `LinearAttention.n_features`."""
        return self.head_dim

    def query_features(self, q: Tensor) -> Tensor:
        """See `LinearAttention.query_features`."""
        return (F.elu(q) + 1) * self.scale

    def key_features(self, k: Tensor) -> Tensor:
        """See `LinearAttention.key_features`."""
        return F.elu(k) + 1

    def mixture(self, total: Tensor, count: Tensor) -> Mixture:
        """See `LinearAttention.mixture`."""
        tiny = torch.finfo(total.dtype).tiny
        return Mixture(1 + 1 / total.clamp(min=tiny), -total / count)

    def likeness(self, row: Row) -> Tensor:
        """See `LinearAttention.likeness`."""
        query, keys = row.q[row.head, row.query], row.k[row.head, row.visible]
        mapped = [torch.where(x > 0, x + 1, x.exp()) for x in (query, keys)]
        return mapped[1] @ mapped[0] * self.scale
