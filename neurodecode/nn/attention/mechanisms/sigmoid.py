"""Sigmoid attention."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.dense import dense_scores, weigh
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Sigmoid"]


@ATTENTION.register("sigmoid")
class Sigmoid(Attention):
    """Every key counts by itself: the sigmoid of score and bias.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    bias : float or None
        Added to the scores; minus the logarithm of the number of visible keys by default, so that
        weights sum to about one.
    normalise : bool
        Divide by the sum of the weights.
    """

    paper = "Ramapuram et al. 2024, Theory, analysis, and best practices for sigmoid self-attention"
    limit = "far below zero the sigmoid is the exponential: bias -20, normalised"

    def __init__(
        self, n_heads: int, head_dim: int, bias: float | None = None, normalise: bool = False
    ) -> None:
        super().__init__(n_heads, head_dim)
        self.bias, self.normalise = bias, normalise

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        scores = dense_scores(q, k, self.scale)
        if self.bias is None:
            scores = scores - call.seen.count().clamp(min=1).to(scores).log()
        else:
            scores = scores + self.bias
        weights = scores.sigmoid()
        if (allowed := call.seen.matrix()) is not None:
            weights = weights * allowed
        if self.normalise:
            tiny = torch.finfo(weights.dtype).tiny
            weights = weights / weights.sum(-1, keepdim=True).clamp(min=tiny)
        return weigh(weights, v, call.need_weights)

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        bias = -math.log(len(row.visible)) if self.bias is None else self.bias
        weights = 1 / (1 + (-row.scores(self.scale) - bias).exp())
        return weights / weights.sum() if self.normalise else weights

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        flops = 4 * n_queries * n_keys * self.head_dim
        between = 2 * n_queries * n_keys
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """See `Attention.limit_options`."""
        return {"bias": -20.0, "normalise": True}
