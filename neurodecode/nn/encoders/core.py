"""Convolutional features that all subjects share."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from neurodecode.errors import ConfigError

__all__ = ["ConvCore"]


class ConvCore(nn.Module):
    """Convolution, batch norm and ReLU, a few times.

    The first layer is thin and strided: at full resolution it would cost as much as all the
    others together. The last one is strided too: a readout has a weight for each place, and
    few pictures to find it.

    Parameters
    ----------
    channels : sequence of int
        Output channels of each layer.
    kernels : sequence of int
        Kernel size of each layer in pixels of its input; odd.
    strides : sequence of int
        Stride of each layer.
    in_channels : int
        Channels of the picture.

    Raises
    ------
    ConfigError
        If the three lists differ in length, or a kernel is even.
    """

    def __init__(
        self,
        channels: Sequence[int] = (24, 48, 48, 48),
        kernels: Sequence[int] = (5, 3, 3, 3),
        strides: Sequence[int] = (2, 2, 1, 2),
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if not len(channels) == len(kernels) == len(strides) > 0:
            raise ConfigError("channels, kernels and strides of a core must be equally many")
        if any(kernel % 2 == 0 for kernel in kernels):
            raise ConfigError(f"kernels {list(kernels)}: each must be odd")
        layers: list[nn.Module] = []
        for n_out, kernel, stride in zip(channels, kernels, strides, strict=True):
            layers += [
                nn.Conv2d(in_channels, n_out, kernel, stride, kernel // 2, bias=False),
                nn.BatchNorm2d(n_out, momentum=0.05),
                nn.ReLU(),
            ]
            in_channels = n_out
        self.layers = nn.Sequential(*layers)
        self.strides = tuple(strides)
        self.out_channels = in_channels

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
        for stride in self.strides:
            height, width = -(-height // stride), -(-width // stride)
        return self.out_channels, height, width

    def forward(self, images: Tensor) -> Tensor:
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n, channels, height, width)
            Pictures with values of order one.

        Returns
        -------
        Tensor of shape (n, out_channels, out_height, out_width)
            Features.
        """
        return self.layers(images)
