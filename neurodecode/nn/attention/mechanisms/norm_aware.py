"""Norm-aware linear attention: long queries look more sharply."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.nn.attention.base import Row
from neurodecode.nn.attention.linear import LinearAttention, Mixture
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["NormAware"]

_FLOOR = 1e-6


@ATTENTION.register("norm_aware")
class NormAware(LinearAttention):
    r"""Directions by cosine, sharpness by the norm of the query.

    With unit directions :math:`d`, and each coordinate as an angle
    :math:`\theta = \pi (1 - d) / 4` between 0 and :math:`\pi/2`, the likeness is

    .. math:: \sum_c |d^q_c|^{p}\, |k_c|^{\lambda} \cos(\theta^q_c - \theta^k_c), \qquad
              p = \lambda (1/2 + \tanh \|q\|),

    never negative, and zero in a coordinate in which query and key point opposite ways. The
    authors' code is not public; power and angle follow the paper's description.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    power : float
        The exponent.
    """

    paper = "Meng et al. 2025, NaLaFormer: norm-aware linear attention"

    def __init__(self, n_heads: int, head_dim: int, power: float = 2.0) -> None:
        super().__init__(n_heads, head_dim)
        self.power = power

    @property
    def n_features(self) -> int:
        """See `LinearAttention.n_features`."""
        return 2 * self.head_dim

    def query_features(self, q: Tensor) -> Tensor:
        """See `LinearAttention.query_features`."""
        power = self.power * (0.5 + q.norm(dim=-1, keepdim=True).tanh())
        direction = F.normalize(q, dim=-1)
        return _angles(direction, direction.abs().clamp(min=_FLOOR) ** power)

    def key_features(self, k: Tensor) -> Tensor:
        """See `LinearAttention.key_features`."""
        return _angles(F.normalize(k, dim=-1), k.abs().clamp(min=_FLOOR) ** self.power)

    def mixture(self, total: Tensor, count: Tensor) -> Mixture:
        """See `LinearAttention.mixture`."""
        return Mixture(1 / total.clamp(min=torch.finfo(total.dtype).tiny), None)

    def likeness(self, row: Row) -> Tensor:
        """See `LinearAttention.likeness`."""
        query, keys = row.q[row.head, row.query], row.k[row.head, row.visible]
        length = query.square().sum().sqrt()
        power = self.power * (0.5 + length.tanh())
        direction = query / length
        others = keys / keys.square().sum(1, keepdim=True).sqrt()
        apart = math.pi / 4 * (others - direction)
        sizes = direction.abs().clamp(min=_FLOOR) ** power * keys.abs().clamp(min=_FLOOR) ** (
            self.power
        )
        return (sizes * apart.cos()).sum(1)


def _angles(direction: Tensor, size: Tensor) -> Tensor:
    angle = math.pi / 4 * (1 - direction)
    return torch.cat([size * angle.cos(), size * angle.sin()], dim=-1)
