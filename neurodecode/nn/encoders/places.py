"""Where the patches of a picture are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["grid_places", "sine_places"]


def grid_places(height: int, width: int) -> Tensor:
    """Coordinates of patches in reading order.

    Parameters
    ----------
    height, width : int
        Size of the grid.

    Returns
    -------
    Tensor of int of shape (height * width, 2)
        Row and column.
    """
    return torch.cartesian_prod(torch.arange(height), torch.arange(width)).view(-1, 2)


def sine_places(height: int, width: int, dim: int) -> Tensor:
    """Sines and cosines of row and column, a half of the dimensions each.

    Frequencies rise geometrically from half a period over the picture to one over two patches, so
    that products with a query can draw a region of any place and size.

    Parameters
    ----------
    height, width : int
        Size of the grid.
    dim : int
        Dimensions, a multiple of 4.

    Returns
    -------
    Tensor of shape (height * width, dim)
        Positions.

    References
    ----------
    Carion et al. 2020 (DETR), appendix A.4, with frequencies for grids of few patches.
    """
    parts = []
    for n, place in zip((height, width), grid_places(height, width).unbind(1), strict=True):
        rates = torch.logspace(math.log10(0.5), math.log10(max(1.0, n / 2)), dim // 4)
        angles = 2 * math.pi * (place[:, None] + 0.5) / n * rates
        parts += [angles.sin(), angles.cos()]
    return torch.cat(parts, dim=1)
