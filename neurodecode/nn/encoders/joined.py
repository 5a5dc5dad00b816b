"""Several cores as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.errors import ConfigError

__all__ = ["JoinedCore"]


class JoinedCore(nn.Module):
    """Features of several cores, patch by patch, on the finest of their grids.

    Parameters
    ----------
    cores : sequence of callable
        Each makes a core; it needs ``out_shape(height, width)``.

    Raises
    ------
    ConfigError
        If there are none.
    """

    def __init__(self, cores: Sequence[Callable[[], nn.Module]]) -> None:
        super().__init__()
        if not cores:
            raise ConfigError("cores of a joined core: name at least one")
        self.cores = nn.ModuleList(make() for make in cores)

    def out_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of the features of one picture.

        Parameters
        ----------
        height, width : int
            Size of the picture in pixels.

        Returns
        -------
        tuple of int
            Channels of all cores together, and height and width of the finest grid.
        """
        channels, *grids = zip(*(core.out_shape(height, width) for core in self.cores), strict=True)
        return sum(channels), max(grids[0]), max(grids[1])

    def forward(self, images: Tensor) -> Tensor:
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n, channels, height, width)
            Pictures with values of order one.

        Returns
        -------
        Tensor of shape (n, out_channels, out_height, out_width)
            Features; those on coarser grids are interpolated linearly.
        """
        grid = self.out_shape(*images.shape[2:])[1:]
        maps = [core(images) for core in self.cores]
        return torch.cat(
            [
                each if each.shape[2:] == grid else F.interpolate(each, grid, mode="bilinear")
                for each in maps
            ],
            dim=1,
        )
