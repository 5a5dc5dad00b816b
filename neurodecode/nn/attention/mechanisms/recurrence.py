"""Attention as recurrence: keys pass one tile after the other, in constant memory."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.dense import dense_scores, visible_softmax
from neurodecode.nn.attention.registry import ATTENTION

__all__ = ["Recurrence", "State"]


class State(NamedTuple):
    """What queries know of all keys that have passed.

    Attributes
    ----------
    highest : Tensor of shape (..., n_queries, 1)
        Largest score so far.
    total : Tensor of shape (..., n_queries, 1)
        Sum of the exponentials of scores below it.
    value : Tensor of shape (..., n_queries, value_dim)
        Sum of the values with these weights.
    """

    highest: Tensor
    total: Tensor
    value: Tensor

    def read(self) -> Tensor:
        """Output of the queries over all keys that have passed, zero where there was none."""
        return self.value / self.total.clamp(min=torch.finfo(self.total.dtype).tiny)


@ATTENTION.register("recurrence")
class Recurrence(Attention):
    """Softmax attention whose state is one vector a query, however many keys have passed.

    For streams: `start` a state from the queries and `update` it with every new key. `forward`
    does the same with tiles of keys, and gives what softmax attention gives.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.
    tile : int
        Keys that pass at once in `forward`.
    """

    paper = "Feng et al. 2024, Attention as an RNN"
    limit = "it is softmax attention"

    def __init__(self, n_heads: int, head_dim: int, tile: int = 256) -> None:
        super().__init__(n_heads, head_dim)
        self.tile = tile

    def start(self, q: Tensor, value_dim: int) -> State:
        """State before the first key.

        Parameters
        ----------
        q : Tensor of shape (..., n_queries, head_dim)
            Queries.
        value_dim : int
            Dimensions of the values to come.

        Returns
        -------
        State
            The state.
        """
        none = q.new_zeros(*q.shape[:-1], 1)
        floor = torch.full_like(none, torch.finfo(q.dtype).min)
        return State(floor, none, q.new_zeros(*q.shape[:-1], value_dim))

    def update(
        self, state: State, q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None
    ) -> State:
        """Let keys pass.

        Parameters
        ----------
        state : State
            What the queries know.
        q : Tensor of shape (..., n_queries, head_dim)
            The queries.
        k, v : Tensor of shape (..., n_keys, head_dim)
            New keys and values, one or more.
        allowed : Tensor of bool, broadcast to (..., n_queries, n_keys), optional
            Which of them each query may see.

        Returns
        -------
        State
            The new state.
        """
        scores = dense_scores(q, k, self.scale)
        if allowed is not None:
            scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
        # the highest score only keeps exponentials finite: it cancels, and so do its gradients
        highest = torch.maximum(state.highest, scores.detach().amax(-1, keepdim=True))
        weights = (scores - highest).exp()
        if allowed is not None:
            weights = weights * allowed
        left = (state.highest - highest).exp()
        total = state.total * left + weights.sum(-1, keepdim=True)
        return State(highest, total, state.value * left + weights @ v)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        if call.need_weights:
            weights = visible_softmax(dense_scores(q, k, self.scale), call.seen)
            return weights @ v, weights
        state = self.start(q, v.shape[-1])
        for begin in range(0, call.seen.n_keys, self.tile):
            tile = slice(begin, begin + self.tile)
            state = self.update(state, q, k[:, :, tile], v[:, :, tile], call.seen.tile(tile))
        return state.read(), None

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        return row.scores(self.scale).softmax(-1)

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`."""
        flops = 4 * n_queries * n_keys * self.head_dim
        between = n_queries * (2 * min(self.tile, n_keys) + 2 * self.head_dim)
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))
