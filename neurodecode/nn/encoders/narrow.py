"""A core whose channels are mixed to fewer, learned ones."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

__all__ = ["NarrowCore"]


class NarrowCore(nn.Module):
    """Features of a core, mixed patch by patch as a `RoutingEncoder` does before it is asked.

    Towers have hundreds of channels; a readout with weights for each of them would be slow, and
    would have more of them than there are pictures to find them by.

    Parameters
    ----------
    core : callable
        Makes the core; it needs ``out_shape(height, width)``.
    in_channels : int
        Channels of the core.
    width : int
        Channels that remain.
    """

    def __init__(self, core: Callable[[], nn.Module], in_channels: int, width: int = 64) -> None:
        super().__init__()
        self.core, self.width = core(), width
        self.read = nn.Sequential(nn.Conv2d(in_channels, width, 1), nn.BatchNorm2d(width))

    def out_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of the features of one picture.

        Parameters
        ----------
        height, width : int
            Size of the picture in pixels.

        Returns
        -------
        tuple of int
            Channels, height and width.
        """
        return self.width, *self.core.out_shape(height, width)[1:]

    def forward(self, images: Tensor) -> Tensor:
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n, channels, height, width)
            Pictures with values of order one.

        Returns
        -------
        Tensor of shape (n, width, out_height, out_width)
            Features.
        """
        return self.read(self.core(images))
