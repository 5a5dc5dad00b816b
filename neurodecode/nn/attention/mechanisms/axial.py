"""Axial attention: keys in the same row or column, such as the same channel or time."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.gathered import gathered_attention
from neurodecode.nn.attention.grids import grid_of
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Axial"]


@ATTENTION.register("axial")
class Axial(Attention):
    """Softmax attention along the axes of a grid, for example channels x times.

    Keys are a grid in reading order, told by `positions`, or square and the same as the queries.
    With ``both``, one softmax runs over row and column (criss-cross, Huang et al. 2019). Causal is
    meant in reading order: put time first.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    along : {"both", "first", "second"}
        Axis along which a query looks.
    """

    paper = "Ho et al. 2019, Axial attention in multidimensional transformers"
    limit = "a grid of one row"
    order = 1.5

    def __init__(
        self, n_heads: int, head_dim: int, along: Literal["both", "first", "second"] = "both"
    ) -> None:
        super().__init__(n_heads, head_dim)
        self.along = along

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        places, (height, width) = grid_of(call.seen, call.where, 2)
        down, across = places.unbind(1)
        rows, columns = (torch.arange(n, device=q.device) for n in (height, width))
        lists, valid = [], []
        if self.along != "first":
            lists.append(down[:, None] * width + columns)
            valid.append(torch.ones_like(lists[-1], dtype=torch.bool))
        if self.along != "second":
            lists.append(rows * width + across[:, None])
            # the query's own place is in its row already
            twice = (rows == down[:, None]) & (self.along == "both")
            valid.append(~twice)
        return gathered_attention(
            q, k, v, torch.cat(lists, 1), torch.cat(valid, 1), call.seen, self.scale,
            call.need_weights,
        )  # fmt: skip

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        if row.coordinates is None:
            side = math.isqrt(row.seen.n_keys)
            y, x = divmod(row.query, side)
            rows, columns = row.visible // side, row.visible % side
        else:
            y, x = row.coordinates[0][row.query].tolist()
            rows, columns = row.coordinates[1][row.visible].unbind(1)
        inside = (rows == y) & (self.along != "first") | (columns == x) & (self.along != "second")
        weights = row.q.new_zeros(len(row.visible))
        if inside.any():
            weights[inside] = row.scores(self.scale)[inside].softmax(-1)
        return weights

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        side = math.isqrt(n_keys - 1) + 1 if n_keys > 1 else 1
        width = 2 * side if self.along == "both" else side
        flops = 4 * n_queries * width * self.head_dim
        between = 2 * n_queries * width * self.head_dim
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))
