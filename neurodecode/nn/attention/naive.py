"""The naive reference: one query after the other, by definition."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from neurodecode.nn.attention.checks import Positions, check_positions
from neurodecode.nn.attention.visibility import Visibility
from neurodecode.nn.attention.words import Row

__all__ = ["Defined", "one_by_one"]


class Defined(Protocol):
    """A mechanism that can say what one query does."""

    def row(self, row: Row) -> Tensor:
        """Weights of one query over the keys it may see."""
        ...

    def read(self, row: Row, weights: Tensor) -> Tensor:
        """Output of one query from its weights."""
        ...


def one_by_one(
    mechanism: Defined,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    causal: bool,
    positions: Positions | None,
) -> tuple[Tensor, Tensor]:
    """Go through all queries.

    Parameters
    ----------
    mechanism : Defined
        What a query does.
    q, k, v, mask, causal, positions
        As in `neurodecode.nn.attention.Attention.forward`.

    Returns
    -------
    Tensor of shape (n_batch, n_heads, n_queries, value_dim)
        Output.
    Tensor of shape (n_batch, n_heads, n_queries, n_keys)
        Weights.
    """
    seen = Visibility(q.shape[2], k.shape[2], mask, causal, q.device)
    where = check_positions(positions, q.shape[2], k.shape[2])
    matrix = seen.matrix()
    allowed = torch.ones((), dtype=torch.bool) if matrix is None else matrix
    allowed = allowed.expand(*q.shape[:3], k.shape[2])
    out = q.new_zeros(*q.shape[:3], v.shape[3])
    weights = q.new_zeros(allowed.shape)
    for item, head, query in torch.cartesian_prod(*map(torch.arange, q.shape[:3])).tolist():
        visible = allowed[item, head, query].nonzero()[:, 0]
        if len(visible):
            row = Row(q[item], k[item], v[item], head, query, visible, where, seen)
            weights[item, head, query, visible] = each = mechanism.row(row)
            out[item, head, query] = mechanism.read(row, each)
    return out, weights
