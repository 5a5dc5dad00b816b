"""What objects look like: a small network over their crops."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["AppearanceCNN", "EmbeddedAppearance", "pyramid_pool"]


def pyramid_pool(maps: Tensor, levels: Sequence[int]) -> Tensor:
    """Pool maps of any size to a fixed number of values.

    Parameters
    ----------
    maps : Tensor of shape (n, channels, height, width)
        Feature maps.
    levels : sequence of int
        Each level divides the maps into so many cells a side and takes the largest value of each.

    Returns
    -------
    Tensor of shape (n, channels * sum of squared levels)
        Pooled values.

    References
    ----------
    He et al. 2014, "Spatial pyramid pooling in deep convolutional networks".
    """
    return torch.cat([F.adaptive_max_pool2d(maps, level).flatten(1) for level in levels], dim=1)


class AppearanceCNN(nn.Module):
    """Two convolutions, then pooling over a spatial pyramid; crops may have any size.

    Parameters
    ----------
    dim : int
        Width of the output.
    channels : (int, int)
        Of the two convolutions; 16 and 32 in OAT.
    levels : sequence of int
        Of the pyramid.
    """

    def __init__(
        self, dim: int, channels: tuple[int, int] = (16, 32), levels: Sequence[int] = (1, 2, 4)
    ) -> None:
        super().__init__()
        first, second = channels
        self.levels = tuple(levels)
        self.maps = nn.Sequential(
            nn.Conv2d(3, first, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.write = nn.Linear(second * sum(level**2 for level in self.levels), dim)

    def forward(self, crops: Tensor) -> Tensor:
        """Describe crops.

        Parameters
        ----------
        crops : Tensor of shape (n, 3, height, width)
            RGB on the scale 0 to 1.

        Returns
        -------
        Tensor of shape (n, dim)
            Features.
        """
        return self.write(pyramid_pool(self.maps(2 * crops - 1), self.levels))


class EmbeddedAppearance(nn.Module):
    """Crops that a frozen tower has embedded already.

    Parameters
    ----------
    dim : int
        Width of the output.
    features : int
        Width of the embedding.
    """

    def __init__(self, dim: int, features: int) -> None:
        super().__init__()
        self.write = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, dim))

    def forward(self, embedded: Tensor) -> Tensor:
        """Describe crops.

        Parameters
        ----------
        embedded : Tensor of shape (n, features)
            Embeddings.

        Returns
        -------
        Tensor of shape (n, dim)
            Features.
        """
        return self.write(embedded)
