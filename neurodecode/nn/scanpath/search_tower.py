"""Convolutional towers whose pooling follows the eye."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from neurodecode.nn.scanpath.eccentricity import EccentricPool

__all__ = ["SearchTower", "small_stages", "vgg16_stages"]

#: Growth of the windows at the pooling of each stage of VGG16, in eccNET.
VGG_SLOPES = (0.0, 0.0, 0.07, 0.16, 0.32)


def small_stages(channels: Sequence[int] = (16, 32, 64, 96)) -> list[nn.Sequential]:
    """Stages of a small tower, a convolution each and two in the third.

    Parameters
    ----------
    channels : sequence of int of length 4
        Widths.

    Returns
    -------
    list of nn.Sequential
        Randomly initialised.
    """
    first, second, third, fourth = channels

    def layer(before: int, after: int, kernel: int = 3) -> list[nn.Module]:
        """A convolution and its rectifier."""
        return [nn.Conv2d(before, after, kernel, padding=kernel // 2), nn.ReLU()]

    return [
        nn.Sequential(*layer(3, first, 5)),
        nn.Sequential(*layer(first, second)),
        nn.Sequential(*layer(second, third), *layer(third, third)),
        nn.Sequential(*layer(third, fourth)),
    ]


def vgg16_stages(features: nn.Sequential) -> list[nn.Sequential]:
    """Cut torchvision's VGG16 at its pooling layers.

    Parameters
    ----------
    features : nn.Sequential
        ``torchvision.models.vgg16(...).features``.

    Returns
    -------
    list of nn.Sequential of length 5
        The stages, without pooling.
    """
    stages: list[list[nn.Module]] = [[]]
    for layer in features:
        if isinstance(layer, nn.MaxPool2d):
            stages.append([])
        else:
            stages[-1].append(layer)
    return [nn.Sequential(*stage) for stage in stages if stage]


class SearchTower(nn.Module):
    """Stages of convolutions, each followed by pooling by eccentricity.

    Parameters
    ----------
    stages : sequence of nn.Module
        From `small_stages` or `vgg16_stages`.
    pixels_per_degree : float or None
        Of the picture; None for ordinary pooling everywhere, as a target is seen.
    slopes : sequence of float
        Of the windows of each stage, see `EccentricPool`.
    n_used : int
        How many of the last stages' outputs are returned.
    """

    def __init__(
        self,
        stages: Sequence[nn.Module],
        pixels_per_degree: float | None = None,
        slopes: Sequence[float] = VGG_SLOPES,
        n_used: int = 3,
    ) -> None:
        super().__init__()
        self.stages, self.n_used = nn.ModuleList(stages), n_used
        if pixels_per_degree is None:
            pools: list[nn.Module] = [nn.AvgPool2d(2) for _ in stages]
        else:
            pools = [
                EccentricPool(pixels_per_degree / 2**i, slope)
                for i, slope in enumerate(list(slopes)[-len(stages) :])
            ]
        self.pools = nn.ModuleList(pools)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Describe pictures.

        Parameters
        ----------
        images : Tensor of shape (n, 3, size, size)
            As the stages take them; the size a multiple of 2 to the number of stages.

        Returns
        -------
        list of Tensor of shape (n, channels, ...)
            Pooled output of the last stages, the deepest last.
        """
        outputs = []
        for stage, pool in zip(self.stages, self.pools, strict=True):
            images = pool(stage(images))
            outputs.append(images)
        return outputs[-self.n_used :]
