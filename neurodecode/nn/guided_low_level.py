"""A low-level pathway that is told what the high level sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from neurodecode.nn.low_level import LatentHead
from neurodecode.nn.trunk import SingleLayerTrunk

__all__ = ["GuidedLatentHead"]


class GuidedLatentHead(nn.Module):
    """Latent from the adapters' output through blocks of its own, guided by the high level (STTM).

    The high-level feature is added before a merging block. In training either of the two is
    hidden now and then, row by row, and a learned null stands in for it; so the latent can also
    be decoded without guidance. The guide brings no gradient back: pixels do not pull on the
    high level.

    Parameters
    ----------
    width : int
        Width of the shared representation.
    shape : tuple of int
        Channels, height and width of the latent.
    n_blocks : int
        Residual blocks of the pathway.
    block_dropout : float
        Inside each block.
    drop_low : float
        How often training hides the low-level feature; .4 in STTM.
    drop_guide : float
        How often training hides the guide of the rows that keep their low-level feature.
    channels, dropout
        As for `LatentHead`.

    References
    ----------
    Liu et al. 2024, "See through their minds". The published code hides the low-level feature of
    a whole batch or of none of it.
    """

    #: Tells `BrainDecoder` to hand over the output of the adapters besides.
    guided = True

    def __init__(
        self,
        width: int,
        shape: tuple[int, ...],
        n_blocks: int = 4,
        block_dropout: float = 0.15,
        drop_low: float = 0.4,
        drop_guide: float = 0.1,
        channels: Sequence[int] = (64, 64, 32),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.drop_low, self.drop_guide = drop_low, drop_guide
        self.pathway = SingleLayerTrunk(width, n_blocks, block_dropout)
        self.null_low = nn.Parameter(0.02 * torch.randn(width))
        self.null_guide = nn.Parameter(0.02 * torch.randn(width))
        self.merge = SingleLayerTrunk(width, 1, block_dropout)
        self.head = LatentHead(width, shape, channels, dropout)

    def forward(self, hidden: Tensor | None, shared: Tensor) -> Tensor:
        """Decode a latent.

        Parameters
        ----------
        hidden : Tensor of shape (n_batch, width) or None
            Output of the trunk, the guide; None decodes without one.
        shared : Tensor of shape (n_batch, width)
            Output of the adapters.

        Returns
        -------
        Tensor of shape (n_batch, channels, height, width)
            Latent of the autoencoder.
        """
        low = self.pathway(shared)
        guide = self.null_guide.to(low) if hidden is None else hidden.detach()
        if self.training and hidden is not None:
            draw = torch.rand(len(low), 1, device=low.device)
            no_low = draw < self.drop_low
            no_guide = draw > 1 - (1 - self.drop_low) * self.drop_guide
            low = torch.where(no_low, self.null_low.to(low), low)
            guide = torch.where(no_guide, self.null_guide.to(low), guide)
        return self.head(self.merge(low + guide))
