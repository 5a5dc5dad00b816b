"""Pixels as encoders are given them."""

from __future__ import annotations

from torch import Tensor

__all__ = ["restore_images", "standardise_images"]

#: Pixels are mapped to about zero mean and unit variance (photographs, values in [0, 1]).
_MEAN, _SCALE = 0.45, 0.25


def standardise_images(images: Tensor) -> Tensor:
    """Bring pixels to values of order one.

    Parameters
    ----------
    images : Tensor of uint8 of shape (n, channels, height, width)
        Pictures.

    Returns
    -------
    Tensor of float32 of the same shape
        What an encoder is trained on.
    """
    return (images.float() / 255 - _MEAN) / _SCALE


def restore_images(images: Tensor) -> Tensor:
    """Undo `standardise_images`, for towers with a scale of their own.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Pictures as encoders are given them.

    Returns
    -------
    Tensor of the same shape
        Pixels on the scale 0 to 1.
    """
    return images * _SCALE + _MEAN
