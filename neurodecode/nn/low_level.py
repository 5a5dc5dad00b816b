"""From the shared representation to a small picture: the latent of an image autoencoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["LatentHead", "LatentHeadFactory"]

#: Makes a latent head from width and the shape (channels, height, width) of the latent.
LatentHeadFactory = Callable[[int, tuple[int, ...]], nn.Module]


class LatentHead(nn.Module):
    """A coarse map from a linear layer, refined by convolutions while it grows.

    Parameters
    ----------
    width : int
        Width of the shared representation.
    shape : tuple of int
        Channels, height and width of the latent.
    channels : sequence of int
        Channels of the coarse map and after each doubling of its size; MindEye2 starts from 64
        channels at a quarter of the size.
    dropout : float
        Before the linear layer.
    """

    def __init__(
        self,
        width: int,
        shape: tuple[int, ...],
        channels: Sequence[int] = (64, 64, 32),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        n_out, *size = shape
        doublings = len(channels) - 1
        # odd sizes are met from above and cropped by the interpolation
        self.sizes = [tuple(-(-n // 2**k) for n in size) for k in range(doublings, -1, -1)]
        self.start = (channels[0], *self.sizes[0])
        coarse = self.start[0] * self.start[1] * self.start[2]
        self.linear = nn.Sequential(
            nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, coarse)
        )
        self.stages = nn.ModuleList(_stage(n_in, n_next) for n_in, n_next in pairwise(channels))
        self.out = nn.Conv2d(channels[-1], n_out, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Decode a latent.

        Parameters
        ----------
        hidden : Tensor of shape (n_batch, width)
            Shared representation.

        Returns
        -------
        Tensor of shape (n_batch, channels, height, width)
            Latent of the autoencoder, in its own (scaled) units.
        """
        grid = self.linear(hidden).unflatten(-1, self.start)
        for stage, size in zip(self.stages, self.sizes[1:], strict=True):
            grid = stage(F.interpolate(grid, size=size, mode="nearest"))
        return self.out(grid)


def _stage(n_in: int, n_out: int) -> nn.Module:
    groups = next(n for n in (8, 4, 2, 1) if n_out % n == 0)
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1), nn.GroupNorm(groups, n_out), nn.SiLU()
    )
