"""Softmax attention whose output is gated."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurodecode.nn.attention.base import Attended, Call, Cost, Row
from neurodecode.nn.attention.mechanisms.softmax import Softmax
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Gated"]


@ATTENTION.register("gated")
class Gated(Softmax):
    """A sigmoid gate on the output of each head, from the query.

    The paper computes the gate from what the query is projected from; here it is the query
    itself. Weights are those before the gate.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    elementwise : bool
        One gate for each dimension, or one for each head.
    dropout : float
        Of the weights, in training.
    """

    paper = "Qiu et al. 2025, Gated attention for large language models"
    limit = "gates wide open"
    linear_in_values = False

    def __init__(
        self, n_heads: int, head_dim: int, elementwise: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__(n_heads, head_dim, dropout)
        width = head_dim if elementwise else 1
        self.weight = nn.Parameter(torch.randn(n_heads, head_dim, width) * head_dim**-0.5)
        self.bias = nn.Parameter(torch.zeros(n_heads, 1, width))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        out, weights = super().attend(q, k, v, call)
        return out * (q @ self.weight + self.bias).sigmoid(), weights

    def read(self, row: Row, weights: Tensor) -> Tensor:
        """See `Attention.read`."""
        gate = row.q[row.head, row.query] @ self.weight[row.head] + self.bias[row.head, 0]
        return super().read(row, weights) / (1 + (-gate).exp())

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        flops = 4 * n_queries * n_keys * self.head_dim + 2 * n_queries * self.weight[0].numel()
        between = n_queries * (1 + self.weight.shape[2])
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    @torch.no_grad()
    def to_limit(self) -> None:
        """See `Attention.to_limit`."""
        self.weight.zero_()
        self.bias.fill_(40.0)
