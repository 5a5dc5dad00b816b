"""Neighbourhood attention along a line: a sliding window with stride and dilation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.gathered import gathered_attention
from neurodecode.nn.attention.grids import line_of, neighbours
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Neighbourhood1d"]


@ATTENTION.register("neighbourhood_1d")
class Neighbourhood1d(Attention):
    """Softmax attention to the keys around a query; when causal, to the last ones before it.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    window : int
        Keys of a query; at a border the window moves inwards.
    stride : int
        Neighbours in groups of this many share one window (not when causal).
    dilation : int
        Step between keys of a window.
    """

    paper = "Hassani et al. 2023 and 2025, (Generalized) neighborhood attention"
    limit = "window as long as the keys"
    order = 1

    def __init__(
        self, n_heads: int, head_dim: int, window: int = 32, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__(n_heads, head_dim)
        self.window, self.stride, self.dilation = window, stride, dilation

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        places, shape = line_of(call.seen, call.where)
        index, valid = neighbours(
            places, shape, self.window, self.stride, self.dilation, past=call.seen.causal
        )
        return gathered_attention(
            q, k, v, index, valid, call.seen, self.scale, call.need_weights
        )  # fmt: skip

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        seen = row.seen
        if row.coordinates is not None:
            alike = (row.coordinates[1] == row.coordinates[0][row.query]).all(1)
            place = int(alike.nonzero()[0, 0])
        elif seen.causal:
            place = row.query + seen.offset
        else:
            place = (2 * row.query + 1) * seen.n_keys // (2 * seen.n_queries)
        inside = torch.isin(row.visible, torch.tensor(self._window(place, seen)))
        weights = row.q.new_zeros(len(row.visible))
        if inside.any():
            weights[inside] = row.scores(self.scale)[inside].softmax(-1)
        return weights

    def _window(self, place: int, seen: Any) -> list[int]:
        """Keys of a query at `place`, spelled out."""
        line = list(range(place % self.dilation, seen.n_keys, self.dilation))
        at = line.index(place)
        if seen.causal:
            return line[max(0, at + 1 - self.window) : at + 1]
        leader = min(at // self.stride * self.stride + self.stride // 2, len(line) - 1)
        width = min(self.window, -(-seen.n_keys // self.dilation))
        first = max(0, min(leader - width // 2, len(line) - width))
        return line[first : first + width]

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        width = min(self.window, n_keys)
        flops = 4 * n_queries * width * self.head_dim
        between = 2 * n_queries * width * self.head_dim
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """See `Attention.limit_options`."""
        return {"window": n_keys, "stride": 1, "dilation": 1}
