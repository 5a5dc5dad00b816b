"""Gaussian adaptive attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.dense import dense_scores, masked_softmax, weigh
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Gaussian"]

_EPSILON = 1e-6


@ATTENTION.register("gaussian")
class Gaussian(Attention):
    r"""Softmax attention times a learned Gaussian of the standardised scores.

    With :math:`z_{ij} = (s_{ij} - \mu_i) / \sigma_i`, mean and deviation over the keys that
    query i sees, weights are proportional to
    :math:`e^{s_{ij}} \prod_g e^{-(z_{ij} - \delta_g)^2 / 2 c_g^2}`.

    The paper applies the density to features; here it is applied to scores, so that it has the
    same inputs as all others.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    n_gaussians : int
        Densities that are multiplied.
    """

    paper = "Ioannides et al. 2024, Gaussian adaptive attention is all you need"
    limit = "Gaussians of infinite width"

    def __init__(self, n_heads: int, head_dim: int, n_gaussians: int = 2) -> None:
        super().__init__(n_heads, head_dim)
        self.offset = nn.Parameter(torch.linspace(0, 1, n_gaussians).repeat(n_heads, 1))
        self.log_width = nn.Parameter(torch.full((n_heads, n_gaussians), 0.5))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        scores, allowed = dense_scores(q, k, self.scale), call.seen.matrix()
        inside = torch.ones_like(scores) if allowed is None else allowed.to(scores)
        n = inside.sum(-1, keepdim=True).clamp(min=1)
        mean = (scores * inside).sum(-1, keepdim=True) / n
        centred = scores - mean
        variance = (centred.square() * inside).sum(-1, keepdim=True) / n
        z = centred * (variance + _EPSILON).rsqrt()
        density = torch.zeros_like(scores)
        for offset, width in zip(self.offset.unbind(1), self.log_width.unbind(1), strict=True):
            far = (z - offset[:, None, None]) * (-width).exp()[:, None, None]
            density = density - far.square() / 2
        return weigh(masked_softmax(scores + density, allowed), v, call.need_weights)

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        scores = row.scores(self.scale)
        z = (scores - scores.mean()) / (scores.var(correction=0) + _EPSILON).sqrt()
        weights = (scores - scores.max()).exp()
        for offset, width in zip(self.offset[row.head], self.log_width[row.head], strict=True):
            weights = weights * torch.exp(-((z - offset) ** 2) / (2 * width.exp() ** 2))
        return F.normalize(weights, p=1, dim=0)

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        flops = 4 * n_queries * n_keys * self.head_dim
        between = 4 * n_queries * n_keys
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    @torch.no_grad()
    def to_limit(self) -> None:
        """See `Attention.to_limit`."""
        self.log_width.fill_(30.0)
