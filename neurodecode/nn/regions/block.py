"""Who attends to whom is decided by what regions are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurodecode.nn.attention import Attention
from neurodecode.nn.encoders.token_block import TokenBlock

__all__ = ["RegionBlock"]


class RegionBlock(nn.Module):
    """Attention among regions by their learned embeddings, then among times of each region.

    Query and key of a region come from its embedding and, scaled by a learned number, from what
    it does: 0 is one graph for all recordings, and training may move away from it.

    Parameters
    ----------
    width : int
        Width of the tokens and of the embeddings.
    among_regions, among_times : Attention
        Mechanisms; their heads share the width.
    adaptive : bool
        Whether what a region does may matter for whom it attends to.
    dropout : float
        After attention and perceptron.

    References
    ----------
    Yang et al. (2024), "BrainMAE: a region-aware self-supervised learning framework for brain
    signals": static and adaptive graph attention informed by region embeddings.
    """

    def __init__(
        self,
        width: int,
        among_regions: Attention,
        among_times: Attention,
        adaptive: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention = among_regions
        self.norm, self.identity_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.identity = nn.Linear(width, 2 * width)
        self.activity = nn.Linear(width, 2 * width, bias=False) if adaptive else None
        self.share = nn.Parameter(torch.full((), 0.1)) if adaptive else None
        self.value = nn.Linear(width, width)
        self.out = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))
        self.times = TokenBlock(width, among_times, dropout=dropout)

    def forward(self, tokens: Tensor, regions: Tensor, seen: Tensor | None = None) -> Tensor:
        """Exchange among regions, then over time.

        Parameters
        ----------
        tokens : Tensor of shape (n_batch, n_regions, n_times, width)
            One for each region and patch of time.
        regions : Tensor of shape (n_regions, width)
            Embeddings of the regions.
        seen : Tensor of bool of shape (n_batch, n_regions, n_times), optional
            Tokens that may be attended to; all by default.

        Returns
        -------
        Tensor of shape (n_batch, n_regions, n_times, width)
            The same tokens.
        """
        n_batch, n_regions, n_times, width = tokens.shape
        hidden = self.norm(tokens).transpose(1, 2)  # regions last but one: they attend
        words = self.identity(self.identity_norm(regions)).expand(n_batch, n_times, -1, -1)
        if self.activity is not None:
            words = words + self.share * self.activity(hidden)
        query, key = words.chunk(2, dim=-1)
        parts = [self._heads(each) for each in (query, key, self.value(hidden))]
        mask = None if seen is None else seen.transpose(1, 2).flatten(0, 1)[:, None, None]
        found = self.attention(*parts, mask=mask)
        found = found.transpose(1, 2).reshape(n_batch, n_times, n_regions, width)
        tokens = tokens + self.out(found).transpose(1, 2)
        mask = None if seen is None else seen.flatten(0, 1)[:, None, None]
        return self.times(tokens.flatten(0, 1), mask=mask).view_as(tokens)

    def _heads(self, words: Tensor) -> Tensor:
        return words.flatten(0, 1).unflatten(-1, (self.attention.n_heads, -1)).transpose(1, 2)
