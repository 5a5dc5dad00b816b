"""Neighbourhood attention on a grid: a square window with stride and dilation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Call, Cost, Row
from neurodecode.nn.attention.gathered import gathered_attention
from neurodecode.nn.attention.grids import grid_of, neighbours
from neurodecode.nn.attention.mechanisms.neighbourhood_1d import Neighbourhood1d
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Neighbourhood2d"]


@ATTENTION.register("neighbourhood_2d")
class Neighbourhood2d(Neighbourhood1d):
    """Softmax attention to the keys of a square around a query.

    Keys are a grid in reading order, told by `positions`, or square and the same as the queries.
    When causal, keys after the query in that order are left out.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    window : int
        Side of the square; at a border it moves inwards.
    stride : int
        Squares of queries with this side share one window.
    dilation : int
        Step between keys of a window, along both axes.
    """

    def __init__(
        self, n_heads: int, head_dim: int, window: int = 7, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__(n_heads, head_dim, window, stride, dilation)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        places, shape = grid_of(call.seen, call.where, 2)
        index, valid = neighbours(places, shape, self.window, self.stride, self.dilation)
        return gathered_attention(
            q, k, v, index, valid, call.seen, self.scale, call.need_weights
        )  # fmt: skip

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        if row.coordinates is None:
            side = math.isqrt(row.seen.n_keys)
            place, shape = divmod(row.query, side), (side, side)
        else:
            place = tuple(row.coordinates[0][row.query].tolist())
            shape = tuple((row.coordinates[1].amax(0) + 1).tolist())
        rows, columns = (self._axis(*pair) for pair in zip(place, shape, strict=True))
        window = torch.tensor([y * shape[1] + x for y in rows for x in columns])
        inside = torch.isin(row.visible, window)
        weights = row.q.new_zeros(len(row.visible))
        if inside.any():
            weights[inside] = row.scores(self.scale)[inside].softmax(-1)
        return weights

    def _axis(self, place: int, length: int) -> list[int]:
        """Coordinates of the window along one axis, spelled out."""
        line = list(range(place % self.dilation, length, self.dilation))
        at = line.index(place)
        leader = min(at // self.stride * self.stride + self.stride // 2, len(line) - 1)
        width = min(self.window, -(-length // self.dilation))
        first = max(0, min(leader - width // 2, len(line) - width))
        return line[first : first + width]

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        width = min(self.window**2, n_keys)
        flops = 4 * n_queries * width * self.head_dim
        between = 2 * n_queries * width * self.head_dim
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))
