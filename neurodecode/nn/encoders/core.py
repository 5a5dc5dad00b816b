"""Convolutional features that all subjects share."""

from __future__ import annotations

import math
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
    centred : bool
        Shift the layers so that each place sees around the middle of its patch, to half a pixel.
        Without it a stride of 2 sees around the first pixel of every two: after three of them, a
        map lies almost half a patch up and to the left of what it shows.

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
        centred: bool = False,
    ) -> None:
        super().__init__()
        if not len(channels) == len(kernels) == len(strides) > 0:
            raise ConfigError("channels, kernels and strides of a core must be equally many")
        if any(kernel % 2 == 0 for kernel in kernels):
            raise ConfigError(f"kernels {list(kernels)}: each must be odd")
        layers: list[nn.Module] = []
        shifts = _centring(strides) if centred else [0] * len(strides)
        for n_out, kernel, stride, shift in zip(channels, kernels, strides, shifts, strict=True):
            half = kernel // 2
            if shift:
                layers.append(nn.ZeroPad2d((half - shift, half + shift) * 2))
            layers += [
                nn.Conv2d(in_channels, n_out, kernel, stride, 0 if shift else half, bias=False),
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


def _centring(strides: Sequence[int]) -> list[int]:
    """Pixels of its input by which each layer looks further down and to the right.

    The first place of the last layer then sees around pixel (stride of all - 1) / 2, the middle
    of its patch; whole pixels of late layers are spent first, as they count most.
    """
    steps = [math.prod(strides[:number]) for number in range(len(strides))]
    left, shifts = (math.prod(strides) - 1) / 2, [0] * len(strides)
    for number in reversed(range(len(strides))):
        # a layer may not look past the pixels that its stride leaves out
        shifts[number] = min(int(left / steps[number]), strides[number] - 1)
        left -= shifts[number] * steps[number]
    return shifts
