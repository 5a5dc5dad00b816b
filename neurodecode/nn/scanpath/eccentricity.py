"""Pooling whose windows grow with the distance from where the eye looks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurodecode.errors import ConfigError

__all__ = ["EccentricPool", "Ring", "pooling_rings", "ring_masks"]

_STRIDE = 2


@dataclass(frozen=True)
class Ring:
    """A ring around the fovea, or the fovea itself.

    Parameters
    ----------
    radius : int
        Outer radius on the output grid; the last ring goes on to the corners.
    window : int
        Side of the pooling window on the input grid.
    """

    radius: int
    window: int


def pooling_rings(
    size: int, pixels_per_degree: float, slope: float, fovea: float = 4.0, smallest: int = 2
) -> list[Ring]:
    """Divide a visual field into rings of one degree around a fovea.

    Parameters
    ----------
    size : int
        Side of the input map.
    pixels_per_degree : float
        Of the input map.
    slope : float
        By how many pixels the window grows for each pixel of the visual field's diameter.
    fovea : float
        Diameter in degrees within which the window is `smallest`.
    smallest : int
        Side of the window in the fovea.

    Returns
    -------
    list of Ring
        From the inside out. All rounding is to even, as in the published code.

    Raises
    ------
    ConfigError
        If a degree is less than a pixel of the output.

    References
    ----------
    Gupta et al. 2021, "Visual search asymmetry: deep nets and humans share similar inherent
    biases" (eccNET), section 3.1.
    """
    step = round(pixels_per_degree / _STRIDE)
    radius = round(fovea * pixels_per_degree / _STRIDE)
    if step < 1 or radius < 1:
        raise ConfigError(
            f"{pixels_per_degree:g} pixels per degree are too few for pooling by eccentricity;"
            " use a larger picture, or pool fewer stages this way"
        )
    half, rings = size / _STRIDE / 2, [Ring(radius, smallest)]
    while rings[-1].radius < half:
        radius += step
        beyond = _STRIDE * radius - fovea * pixels_per_degree
        rings.append(Ring(radius, smallest + round(slope * beyond)))
    return rings


def ring_masks(size: int, rings: list[Ring]) -> Tensor:
    """Mark the pixels of each ring on the output grid.

    Parameters
    ----------
    size : int
        Side of the input map.
    rings : list of Ring
        From `pooling_rings`.

    Returns
    -------
    Tensor of bool of shape (n_rings, size // 2, size // 2)
        Each pixel is in one ring; the last goes on to the corners.
    """
    n = size // _STRIDE
    away = torch.arange(n) - n // 2
    squared = away[:, None] ** 2 + away**2
    inside = torch.stack([squared < ring.radius**2 for ring in rings])
    inside[-1] = True
    return torch.cat([inside[:1], inside[1:] & ~inside[:-1]])


class EccentricPool(nn.Module):
    """Average pooling by 2, with windows that grow outside the fovea.

    The eye looks at the middle of the map.

    Parameters
    ----------
    pixels_per_degree : float
        Of the input map.
    slope : float
        See `pooling_rings`; 0 is ordinary pooling everywhere.
    fovea : float
        Diameter of the fovea in degrees.
    """

    def __init__(self, pixels_per_degree: float, slope: float, fovea: float = 4.0) -> None:
        super().__init__()
        self.pixels_per_degree, self.slope, self.fovea = pixels_per_degree, slope, fovea
        self._masks: dict[int, dict[int, Tensor]] = {}

    def forward(self, maps: Tensor) -> Tensor:
        """Pool.

        Parameters
        ----------
        maps : Tensor of shape (n, channels, size, size)
            Square maps with an even side.

        Returns
        -------
        Tensor of shape (n, channels, size / 2, size / 2)
            Averages; windows beyond the edge repeat it.
        """
        if not self.slope:
            return F.avg_pool2d(maps, _STRIDE)
        out = None
        for window, mask in self._windows(maps.shape[-1]).items():
            before, after = (window - _STRIDE) // 2, (window - _STRIDE + 1) // 2
            padded = F.pad(maps, (before, after, before, after), mode="replicate")
            part = F.avg_pool2d(padded, window, stride=_STRIDE) * mask.to(maps)
            out = part if out is None else out + part
        return out

    def _windows(self, size: int) -> dict[int, Tensor]:
        """Where each window is used; rings with the same one are joined."""
        if size not in self._masks:
            rings = pooling_rings(size, self.pixels_per_degree, self.slope, self.fovea)
            joined: dict[int, Tensor] = {}
            for ring, mask in zip(rings, ring_masks(size, rings), strict=True):
                joined[ring.window] = joined.get(ring.window, torch.zeros_like(mask)) | mask
            self._masks[size] = joined
        return self._masks[size]
