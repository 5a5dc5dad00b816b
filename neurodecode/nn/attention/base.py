"""What all attention mechanisms have in common: signature, checks, reference, cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neurodecode.nn.attention.checks import Positions, check_inputs, check_mask, check_positions
from neurodecode.nn.attention.naive import one_by_one
from neurodecode.nn.attention.visibility import Visibility
from neurodecode.nn.attention.words import Attended, Call, Cost, Row

__all__ = ["Attended", "Attention", "Call", "Cost", "Row"]


class Attention(nn.Module, ABC):
    """Queries read from values by their likeness to keys.

    Parameters
    ----------
    n_heads, head_dim : int
        Heads, and dimensions of each.

    Notes
    -----
    A row (a query, or a key with its value) that is not finite makes every query NaN that is it
    or may attend to it, and no other.
    """

    #: Where the mechanism comes from.
    paper: ClassVar[str]
    #: How to bring it into the limit in which it must be softmax attention, in words.
    limit: ClassVar[str]
    #: Whether that limit also needs keys that are all alike: then both give the mean value.
    limit_needs_equal_keys: ClassVar[bool] = False
    #: What it costs grows with this power of the length (window, clusters and k held fixed).
    order: ClassVar[float] = 2
    #: Whether it chooses keys: then a query that is not finite might choose none.
    chooses_keys: ClassVar[bool] = False
    #: Whether ``out`` is ``weights @ v``.
    linear_in_values: ClassVar[bool] = True

    def __init__(self, n_heads: int, head_dim: int) -> None:
        super().__init__()
        self.n_heads, self.head_dim, self.scale = n_heads, head_dim, head_dim**-0.5

    def forward(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        positions: Positions | None = None,
        need_weights: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend.

        Parameters
        ----------
        q : Tensor of shape (n_batch, n_heads, n_queries, head_dim)
            Queries.
        k : Tensor of shape (n_batch, n_heads, n_keys, head_dim)
            Keys.
        v : Tensor of shape (n_batch, n_heads, n_keys, value_dim)
            Values.
        mask : Tensor of bool, broadcast to (n_batch, n_heads, n_queries, n_keys), optional
            True where a query may attend.
        causal : bool
            Query i sees keys up to ``i + n_keys - n_queries``.
        positions : Tensor of shape (length, n_axes) or two of them, optional
            Integer coordinates of the tokens, or of queries and of keys; for mechanisms that know
            places.
        need_weights : bool
            Also return how much each key counts for each query.

        Returns
        -------
        Tensor of shape (n_batch, n_heads, n_queries, value_dim)
            Output; zero for a query that sees no key.
        Tensor of shape (n_batch, n_heads, n_queries, n_keys)
            Weights, if asked for.

        Raises
        ------
        ConfigError
            If shapes, types, mask or positions do not fit together.
        """
        check_inputs(q, k, v, self.n_heads, self.head_dim)
        mask = check_mask(mask, q, k.shape[2])
        seen = Visibility(q.shape[2], k.shape[2], mask, causal, q.device)
        call = Call(seen, check_positions(positions, q.shape[2], k.shape[2]), need_weights)
        guard = self.chooses_keys or not seen.everything
        out, weights = (self._guarded if guard else self.attend)(q, k, v, call)
        if not need_weights:
            return out
        assert weights is not None
        return out, weights

    def _guarded(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """Attend, so that what may not be seen cannot spread: 0 * NaN is NaN."""
        bad = ~(k.isfinite().all(-1) & v.isfinite().all(-1))
        k, v = (each.masked_fill(bad[..., None], 0) for each in (k, v))
        out, weights = self.attend(q, k, v, call)
        spoiled = call.seen.spoiled(bad)[..., None] | ~q.isfinite().all(-1, keepdim=True)
        blind = call.seen.count() == 0
        out = out.masked_fill(blind, 0).masked_fill(spoiled, torch.nan)
        if weights is not None:
            weights = weights.masked_fill(blind, 0).masked_fill(spoiled, torch.nan)
        return out, weights

    @abstractmethod
    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """Compute output and, if asked for, weights; inputs have been checked.

        Parameters
        ----------
        q, k, v : Tensor
            As in `forward`.
        call : Call
            Mask, causality, places, and whether weights are wanted.

        Returns
        -------
        Tensor
            Output.
        Tensor or None
            Weights.
        """

    @abstractmethod
    def row(self, row: Row) -> Tensor:
        """Weights of one query over the keys it may see: the definition, without any speed.

        Parameters
        ----------
        row : Row
            The query and all there is around it.

        Returns
        -------
        Tensor of shape (n_visible,)
            Weights.
        """

    def read(self, row: Row, weights: Tensor) -> Tensor:
        """Output of one query from its weights, in the naive reference.

        Parameters
        ----------
        row : Row
            The query.
        weights : Tensor of shape (n_visible,)
            From `row`.

        Returns
        -------
        Tensor of shape (value_dim,)
            Output.
        """
        return weights @ row.v[row.head, row.visible]

    def reference(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        positions: Positions | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Naive implementation: one query after the other, by definition.

        Parameters
        ----------
        q, k, v, mask, causal, positions
            As in `forward`.

        Returns
        -------
        Tensor of shape (n_batch, n_heads, n_queries, value_dim)
            Output.
        Tensor of shape (n_batch, n_heads, n_queries, n_keys)
            Weights.
        """
        return one_by_one(self, q, k, v, mask, causal, positions)

    @abstractmethod
    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """Count operations and memory of a forward pass without mask, causality and weights.

        Parameters
        ----------
        n_queries, n_keys : int
            Lengths.
        n_batch : int
            Items.
        item_size : int
            Bytes of one value.

        Returns
        -------
        Cost
            Operations and bytes.
        """

    def costing(self, flops: int, between: int, lengths: tuple[int, int, int, int]) -> Cost:
        """Add inputs and output to what a mechanism counted for one head.

        Parameters
        ----------
        flops, between : int
            Operations, and values that live between input and output, of one head and item.
        lengths : tuple of int
            Queries, keys, items, and bytes of a value.

        Returns
        -------
        Cost
            Of all heads and items.
        """
        n_queries, n_keys, n_batch, item_size = lengths
        ends = 2 * (n_queries + n_keys) * self.head_dim
        copies = self.n_heads * n_batch
        return Cost(copies * flops, copies * item_size * (ends + between))

    def limit_options(self, n_queries: int, n_keys: int) -> dict[str, Any]:
        """Options with which the mechanism must be softmax attention.

        Parameters
        ----------
        n_queries, n_keys : int
            Lengths.

        Returns
        -------
        dict
            Keyword arguments.
        """
        return {}

    @torch.no_grad()
    def to_limit(self) -> None:
        """Set parameters so that the mechanism must be softmax attention."""
