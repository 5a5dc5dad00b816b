"""What early visual cortex sees of a picture: local energy, colour and brightness.

The filters are the forward model's own; no decoder and no embedding uses them.
"""

from __future__ import annotations

import numpy as np

__all__ = ["CHANNELS", "CYCLES", "ORIENTATIONS", "channel_maps"]

CYCLES: tuple[float, ...] = (4.0, 8.0, 16.0)
"""Preferred spatial frequencies, in cycles per picture."""
ORIENTATIONS: tuple[float, ...] = tuple(np.pi * k / 6 for k in range(6))
"""Preferred orientations of the carrier, in radians."""
COLOURS: tuple[str, ...] = ("red", "green", "blue", "yellow", "light", "dark")
"""Half-rectified opponent channels."""
CHANNELS = len(CYCLES) * len(ORIENTATIONS) + len(COLOURS)
"""Number of channels."""

_BANDWIDTH, _SPREAD, _GRID = 0.55, np.pi / 8, 32


def _filters(size: int) -> np.ndarray:
    """Return one-sided filters in the frequency domain, (n_filters, size, size).

    Gaussian in log frequency and in orientation. As only one half plane passes, the inverse
    transform is the analytic signal, whose modulus is the energy of a quadrature pair.
    """
    fy, fx = np.meshgrid(np.fft.fftfreq(size) * size, np.fft.fftfreq(size) * size, indexing="ij")
    radius = np.hypot(fx, fy)
    angle = np.arctan2(fy, fx)
    log_radius = np.log2(np.maximum(radius, 1e-6))
    bank = []
    for cycles in CYCLES:
        radial = np.exp(-((log_radius - np.log2(cycles)) ** 2) / (2 * _BANDWIDTH**2))
        for orientation in ORIENTATIONS:
            away = np.angle(np.exp(1j * (angle - orientation)))
            bank.append(2 * radial * np.exp(-(away**2) / (2 * _SPREAD**2)))
    return np.array(bank, dtype=np.float32)


def _pool(maps: np.ndarray) -> np.ndarray:
    """Average maps (..., size, size) to the grid; size is a multiple of it or smaller."""
    size = maps.shape[-1]
    factor = max(1, size // _GRID)
    side = size // factor
    trimmed = maps[..., : side * factor, : side * factor]
    shape = (*maps.shape[:-2], side, factor, side, factor)
    return trimmed.reshape(shape).mean(axis=(-3, -1))


def channel_maps(images: np.ndarray) -> np.ndarray:
    """Compute the channels of some pictures.

    Luminance passes a bank of Gabor-like filters (3 frequencies x 6 orientations, energy of
    quadrature pairs) with local divisive normalisation; red-green, blue-yellow and brightness
    are split into their positive and negative parts.

    Parameters
    ----------
    images : array of uint8 of shape (n, size, size, 3)
        RGB pictures.

    Returns
    -------
    array of float32 of shape (n, n_channels, n_places)
        Non-negative; places are a grid of up to 32 x 32 cells, row by row.
    """
    from scipy.fft import fft2, ifft2

    rgb = images.astype(np.float32) / 255
    red, green, blue = np.moveaxis(rgb, -1, 0)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    spectrum = fft2(light)
    energy = np.stack(
        [_pool(np.abs(ifft2(spectrum * one))) for one in _filters(images.shape[1])], axis=1
    )
    local = energy.mean(axis=1, keepdims=True)
    energy = energy / (local + 0.02)
    opponent = [red - green, blue - (red + green) / 2, light - 0.5]
    colour = [_pool(np.maximum(sign * part, 0)) for part in opponent for sign in (1.0, -1.0)]
    maps = np.concatenate([energy, np.stack(colour, axis=1)], axis=1)
    return maps.reshape(len(images), CHANNELS, -1).astype(np.float32)
