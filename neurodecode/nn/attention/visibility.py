"""Which keys a query may attend to: the caller's mask and the order of time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Visibility"]


@dataclass(frozen=True)
class Visibility:
    """Mask and causality of one call.

    Parameters
    ----------
    n_queries, n_keys : int
        Lengths.
    mask : Tensor of bool of shape (n_batch or 1, n_heads or 1, n_queries or 1, n_keys), optional
        True where a query may attend.
    causal : bool
        Query i sees keys up to ``i + n_keys - n_queries``: the last query sees every key.
    device : torch.device
        Where matrices are made.
    """

    n_queries: int
    n_keys: int
    mask: Tensor | None
    causal: bool
    device: torch.device

    @property
    def everything(self) -> bool:
        """Whether every query sees every key."""
        return self.mask is None and not self.causal

    @property
    def offset(self) -> int:
        """Place of the first query among the keys, when both end together."""
        return self.n_keys - self.n_queries

    @property
    def per_key(self) -> bool:
        """Whether the mask, if any, is the same for all queries."""
        return self.mask is None or self.mask.shape[-2] == 1

    def last_key(self) -> Tensor:
        """Index of the last key that each query may see by its place in time.

        Returns
        -------
        Tensor of int of shape (n_queries,)
            -1 where there is none.
        """
        steps = torch.arange(self.n_queries, device=self.device) + self.offset
        return steps.clamp(min=-1)

    def matrix(self) -> Tensor | None:
        """Mask and causality in one.

        Returns
        -------
        Tensor of bool, broadcast to (n_batch, n_heads, n_queries, n_keys), or None
            None where every query sees every key.
        """
        return self.tile(slice(None))

    def tile(self, keys: slice) -> Tensor | None:
        """Part of `matrix` for some of the keys, without making the rest.

        Parameters
        ----------
        keys : slice
            Consecutive keys.

        Returns
        -------
        Tensor of bool, broadcast to (n_batch, n_heads, n_queries, n_tile), or None
            None where every query sees every key.
        """
        mask = None if self.mask is None else self.mask[..., keys]
        if not self.causal:
            return mask
        number = torch.arange(self.n_keys, device=self.device)[keys]
        past = (number <= self.last_key()[:, None])[None, None]
        return past if mask is None else past & mask

    def at(self, index: Tensor) -> Tensor:
        """Look up pairs of queries and keys.

        Parameters
        ----------
        index : Tensor of int of shape (n_queries, k) or (n_batch, n_heads, n_queries, k)
            Keys of each query.

        Returns
        -------
        Tensor of bool
            Whether each may be seen, broadcast to (n_batch, n_heads, n_queries, k).
        """
        seen = torch.ones((), dtype=torch.bool, device=self.device)
        if self.causal:
            seen = index <= self.last_key()[:, None]
        if self.mask is None:
            return seen.expand(index.shape)
        if index.dim() == 2:
            index = index[None, None]
        shape = torch.broadcast_shapes(self.mask.shape[:-1], index.shape[:-1])
        full = self.mask.expand(*shape, -1)
        return seen & full.gather(-1, index.expand(*shape, -1))

    def count(self) -> Tensor:
        """How many keys each query sees.

        Returns
        -------
        Tensor of int, broadcast to (n_batch, n_heads, n_queries, 1)
            Number of keys.
        """
        if self.mask is None:
            whole = torch.full((self.n_queries,), self.n_keys, device=self.device)
            seen = self.last_key() + 1 if self.causal else whole
            return seen[None, None, :, None]
        if self.causal and self.per_key:
            padded = torch.nn.functional.pad(self.mask.cumsum(-1), (1, 0))
            return padded[..., 0, :][..., self.last_key() + 1][..., None]
        return self.matrix().sum(-1, keepdim=True)

    def spoiled(self, bad: Tensor) -> Tensor:
        """Which queries see a key that is not finite.

        Parameters
        ----------
        bad : Tensor of bool of shape (n_batch, n_heads, n_keys)
            Keys that are not.

        Returns
        -------
        Tensor of bool, broadcast to (n_batch, n_heads, n_queries)
            Queries that must not pretend to be.
        """
        if self.mask is None or self.per_key:
            if self.mask is not None:
                bad = bad & self.mask[..., 0, :]
            if not self.causal:
                return bad.any(-1, keepdim=True)
            seen = torch.nn.functional.pad(bad.cumsum(-1), (1, 0))
            return seen[..., self.last_key() + 1] > 0
        return (self.matrix() & bad[..., None, :]).any(-1)
