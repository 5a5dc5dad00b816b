"""What an eye sees: sharp where it looks, blurred elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

__all__ = ["blur", "fovea", "foveated", "to_pixels", "to_unit"]


def blur(images: Tensor, kernel: int = 41, sigma: float = 10.0) -> Tensor:
    """Blur as in the periphery.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Pictures; sides are larger than half the kernel.
    kernel : int
        Side of the Gaussian kernel in pixels, odd.
    sigma : float
        Its standard deviation in pixels.

    Returns
    -------
    Tensor of the same shape
        With reflected edges.
    """
    return gaussian_blur(images, [kernel, kernel], [sigma, sigma])


def fovea(positions: Tensor, size: tuple[int, int], sigma: float = 0.2) -> Tensor:
    """How sharply each pixel is seen.

    Parameters
    ----------
    positions : Tensor of shape (n, 2)
        Where the eye looks: row, then column, from -1 (centre of the first pixel) to 1 (centre
        of the last). NeVA numbers coordinates in this order; everything outside this package has
        x before y.
    size : (int, int)
        Height and width in pixels.
    sigma : float
        Divides the squared distance (not twice its square): .2 in NevaClip.

    Returns
    -------
    Tensor of shape (n, 1, height, width)
        ``exp(-distance^2 / sigma)``, 1 at the position.
    """
    axes = [torch.linspace(-1, 1, n, device=positions.device, dtype=positions.dtype) for n in size]
    rows, columns = (
        ((axis - positions[:, i, None]) ** 2).div(-sigma).exp() for i, axis in enumerate(axes)
    )
    return (rows[:, :, None] * columns[:, None, :])[:, None]


def foveated(images: Tensor, blurred: Tensor, seen: Tensor) -> Tensor:
    """Mix pictures and their blurred copies.

    Parameters
    ----------
    images, blurred : Tensor of shape (n, channels, height, width)
        Pictures and `blur` of them.
    seen : Tensor of shape (n, 1, height, width)
        Sharpness now, and what is kept in memory, added up; 1 and above is sharp.

    Returns
    -------
    Tensor of shape (n, channels, height, width)
        The view.
    """
    return images + (blurred - images) * (1 - seen).clamp(0, 1)


def to_pixels(positions: Tensor, size: tuple[int, int]) -> Tensor:
    """Turn positions into pixels.

    Parameters
    ----------
    positions : Tensor of shape (..., 2)
        Row and column as in `fovea`.
    size : (int, int)
        Height and width of the picture.

    Returns
    -------
    Tensor of shape (..., 2)
        x and y; (.5, .5) is the middle of the first pixel.
    """
    last = torch.tensor(size, device=positions.device, dtype=positions.dtype) - 1
    return ((positions + 1) / 2 * last + 0.5).flip(-1)


def to_unit(xy: Tensor, size: tuple[int, int]) -> Tensor:
    """Turn pixels into positions, the inverse of `to_pixels`.

    Parameters
    ----------
    xy : Tensor of shape (..., 2)
        x and y in pixels.
    size : (int, int)
        Height and width of the picture.

    Returns
    -------
    Tensor of shape (..., 2)
        Row and column.
    """
    last = torch.tensor(size, device=xy.device, dtype=xy.dtype) - 1
    return (xy.flip(-1) - 0.5) / last * 2 - 1
