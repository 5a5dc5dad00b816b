"""Pictures as image towers want them: resized, cropped, normalised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["prepare_images"]


def prepare_images(
    images: np.ndarray,
    size: tuple[int, int],
    mean: Sequence[float],
    std: Sequence[float],
    *,
    crop_share: float = 1.0,
) -> Tensor:
    """Scale the shorter side, crop the centre, and normalise the channels.

    Parameters
    ----------
    images : array of uint8 of shape (n, height, width, 3)
        RGB pixels.
    size : (int, int)
        Height and width that the tower takes, in pixels.
    mean, std : sequence of float of length 3
        Of each channel, on the scale 0 to 1.
    crop_share : float
        Share of the scaled shorter side that the crop keeps (timm's ``crop_pct``).

    Returns
    -------
    Tensor of shape (n, 3, *size)
        Float32.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
    height, width = pixels.shape[-2:]
    if (height, width) != tuple(size):
        scale = max(size[0] / height, size[1] / width) / crop_share
        # truncated and rounded as in torchvision, which public towers were trained with
        scaled = (max(size[0], int(height * scale)), max(size[1], int(width * scale)))
        pixels = F.interpolate(pixels, scaled, mode="bicubic", antialias=True).clamp(0, 1)
        top, left = (round((full - part) / 2) for full, part in zip(scaled, size, strict=True))
        pixels = pixels[..., top : top + size[0], left : left + size[1]]
    shape = (1, 3, 1, 1)
    return (pixels - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
