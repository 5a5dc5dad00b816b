"""Linear attention: keys and values are summed once, whatever the number of queries."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.nn.attention.base import Attended, Attention, Call, Cost, Row
from neurodecode.nn.attention.dense import weigh

__all__ = ["LinearAttention", "Mixture", "causal_sums"]

#: Length of the tiles in which causal sums are made.
TILE = 64


class Mixture(NamedTuple):
    """Weights are ``likeness * like + even``: what follows the likeness, and what all keys get."""

    like: Tensor
    even: Tensor | None


class LinearAttention(Attention):
    """Attention by products of feature maps, in memory that does not grow with queries x keys.

    A mask that is the same for all queries only leaves keys out of the sums; any other mask needs
    the matrix of all pairs.
    """

    limit = "all keys alike: every weight is one over their number"
    limit_needs_equal_keys = True
    order = 1

    @abstractmethod
    def query_features(self, q: Tensor) -> Tensor:
        """Map queries (..., n_queries, head_dim) to features (..., n_queries, n_features)."""

    @abstractmethod
    def key_features(self, k: Tensor) -> Tensor:
        """Map keys (..., n_keys, head_dim) to features (..., n_keys, n_features)."""

    @abstractmethod
    def mixture(self, total: Tensor, count: Tensor) -> Mixture:
        """Turn likenesses into weights.

        Parameters
        ----------
        total : Tensor of shape (..., n_queries, 1)
            Sum of the likenesses of the visible keys.
        count : Tensor of shape (..., n_queries, 1)
            How many these are, at least 1.

        Returns
        -------
        Mixture
            Factor of the likeness, and what is added for every visible key.
        """

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Length of a feature vector."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, call: Call) -> Attended:
        """See `Attention.attend`."""
        seen = call.seen
        of_query, of_key = self.query_features(q), self.key_features(k)
        count = seen.count().clamp(min=1).to(q)
        if call.need_weights or not seen.per_key:
            likeness, allowed = of_query @ of_key.transpose(-2, -1), seen.matrix()
            likeness = likeness if allowed is None else likeness * allowed
            like, even = self.mixture(likeness.sum(-1, keepdim=True), count)
            weights = likeness * like
            if even is not None:
                weights = weights + (even if allowed is None else even * allowed)
            return weigh(weights, v, call.need_weights)
        # one more value that is always 1 sums likenesses, one more feature sums values
        v = torch.cat([v, torch.ones_like(v[..., :1])], dim=-1)
        if seen.mask is not None:
            keep = seen.mask.transpose(-2, -1)
            of_key, v = of_key * keep, v * keep
        sums = causal_sums(of_query, of_key, v) if seen.causal else _all_sums(of_query, of_key, v)
        like, even = self.mixture(sums[..., -1:], count)
        out = sums[..., :-1] * like
        if even is None:
            return out, None
        values = v[..., :-1]
        if seen.causal:
            values = F.pad(values.cumsum(2), (0, 0, 1, 0))[:, :, seen.last_key() + 1]
            return out + values * even, None
        return out + values.sum(2, keepdim=True) * even, None

    def row(self, row: Row) -> Tensor:
        """See `Attention.row`."""
        likeness = self.likeness(row)
        count = torch.tensor(len(likeness), dtype=likeness.dtype)
        like, even = self.mixture(likeness.sum()[None], count[None])
        return likeness * like if even is None else likeness * like + even

    @abstractmethod
    def likeness(self, row: Row) -> Tensor:
        """Likeness of one query with each key it may see, from the definition.

        Parameters
        ----------
        row : Row
            The query.

        Returns
        -------
        Tensor of shape (n_visible,)
            Likenesses.
        """

    def cost(self, n_queries: int, n_keys: int, *, n_batch: int = 1, item_size: int = 4) -> Cost:
        """See `Attention.cost`; feature maps are counted by `feature_flops`."""
        wide = self.n_features * (self.head_dim + 1)
        flops = (n_queries + n_keys) * (2 * wide + self.feature_flops())
        between = (n_queries + n_keys) * (self.n_features + self.head_dim + 1) + wide
        return self.costing(flops, between, (n_queries, n_keys, n_batch, item_size))

    def feature_flops(self) -> int:
        """Operations of the products in the feature map of one token."""
        return 0


def _all_sums(of_query: Tensor, of_key: Tensor, v: Tensor) -> Tensor:
    return of_query @ (of_key.transpose(-2, -1) @ v)


def causal_sums(of_query: Tensor, of_key: Tensor, v: Tensor, decay: Tensor | None = None) -> Tensor:
    r"""Sum values by likeness over the past, tile by tile.

    .. math:: o_i = \sum_{j \le i} \lambda^{i - j} (\phi_i \cdot \phi_j)\, v_j

    Queries and keys end together. Between tiles only the sum of outer products is carried on, so
    that memory grows with the length alone.

    Parameters
    ----------
    of_query : Tensor of shape (n_batch, n_heads, n_queries, n_features)
        Features of the queries.
    of_key : Tensor of shape (n_batch, n_heads, n_keys, n_features)
        Features of the keys.
    v : Tensor of shape (n_batch, n_heads, n_keys, value_dim)
        Values.
    decay : Tensor of shape (n_heads,), optional
        What is left of a value one step later; 1 by default.

    Returns
    -------
    Tensor of shape (n_batch, n_heads, n_queries, value_dim)
        Sums.

    References
    ----------
    Qin et al. 2024, "Lightning attention-2".
    """
    n_queries, n_keys = of_query.shape[2], v.shape[2]
    length = max(n_queries, n_keys)
    of_query = F.pad(of_query, (0, 0, length - n_queries, 0))
    of_key, v = (F.pad(each, (0, 0, length - n_keys, 0)) for each in (of_key, v))
    state = of_key.new_zeros(*of_key.shape[:2], of_key.shape[3], v.shape[3])
    steps = torch.arange(TILE, device=v.device)
    gap = (steps[:, None] - steps).clamp(min=0)
    rates = torch.ones(1, device=v.device, dtype=v.dtype) if decay is None else decay.to(v)
    rates = rates[:, None, None]
    within = (rates**gap) * (steps[:, None] >= steps)
    outputs = []
    for start in range(0, length, TILE):
        tile = slice(start, start + TILE)
        ask, key, value = of_query[:, :, tile], of_key[:, :, tile], v[:, :, tile]
        n = ask.shape[2]
        near = ((ask @ key.transpose(-2, -1)) * within[:, :n, :n]) @ value
        outputs.append(near + (ask * rates ** (steps[:n, None] + 1)) @ state)
        left = rates ** (n - 1 - steps[:n, None])
        state = state * rates**n + (key * left).transpose(-2, -1) @ value
    return torch.cat(outputs, dim=2)[:, :, length - n_queries :]
