"""Log Gabor energy and colour on a coarse grid: features of a picture without any weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image
from scipy import fft

__all__ = ["GaborEmbedder", "gabor_bank", "gabor_features"]

SIZE = 64
GRID = 8
WAVELENGTHS = (4.0, 8.0, 16.0)
N_ORIENTATIONS = 8
#: Weights of red, green and blue in the grey picture (Rec. 601).
LUMINANCE = (0.299, 0.587, 0.114)
#: Energy of a grating of about 1 % contrast: keeps the logarithm of a blank patch finite.
FLOOR = 1e-5
_BATCH = 64


def gabor_bank(size: int = SIZE) -> np.ndarray:
    """Transfer functions of the filters: Gaussians in the frequency plane.

    Each covers one half of the plane, so that the filtered image is complex (even and odd
    filter at once) and its squared modulus the energy of a quadrature pair.

    Parameters
    ----------
    size : int
        Height and width of the images in pixels.

    Returns
    -------
    array of float32 of shape (n_wavelengths * n_orientations, size, size)
        One filter a row, wavelengths slowest; the response to a constant image is zero.
        Standard deviations are 0.4 (radial) and 0.3 (tangential) of the centre frequency.
    """
    frequencies = fft.fftfreq(size)
    vertical, horizontal = np.meshgrid(frequencies, frequencies, indexing="ij")
    filters = []
    for wavelength in WAVELENGTHS:
        centre = 1 / wavelength
        for angle in np.pi * np.arange(N_ORIENTATIONS) / N_ORIENTATIONS:
            along = horizontal * np.cos(angle) + vertical * np.sin(angle)
            across = vertical * np.cos(angle) - horizontal * np.sin(angle)
            distance = ((along - centre) / (0.4 * centre)) ** 2 + (across / (0.3 * centre)) ** 2
            filters.append(np.exp(-distance / 2))
    bank = np.stack(filters)
    bank[:, 0, 0] = 0
    return bank.astype(np.float32)


def gabor_features(images: np.ndarray) -> np.ndarray:
    """Log Gabor energy (3 scales x 8 orientations) and mean colour on an 8x8 grid.

    Parameters
    ----------
    images : array of uint8 of shape (n, height, width, 3)
        RGB pixels of any size; scaled to 64 x 64.

    Returns
    -------
    array of float32 of shape (n, 1728)
        24 x 8 x 8 log energies, then 3 x 8 x 8 colours in [0, 1].
    """
    bank = gabor_bank()
    rows = []
    for start in range(0, len(images), _BATCH):
        pixels = np.stack([_resize(image) for image in images[start : start + _BATCH]])
        grey = pixels @ np.array(LUMINANCE, np.float32)
        response = fft.ifft2(fft.fft2(grey)[:, None] * bank)
        energy = np.log(_grid_mean(response.real**2 + response.imag**2) + FLOOR)
        colour = _grid_mean(pixels.transpose(0, 3, 1, 2))
        rows.append(np.concatenate([energy, colour], axis=1).reshape(len(pixels), -1))
    n_rows = (len(bank) + 3) * GRID * GRID
    return np.concatenate(rows).astype(np.float32) if rows else np.empty((0, n_rows), np.float32)


def _resize(image: np.ndarray) -> np.ndarray:
    if image.shape[:2] != (SIZE, SIZE):
        image = np.asarray(Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.LANCZOS))
    return image.astype(np.float32) / 255


def _grid_mean(maps: np.ndarray) -> np.ndarray:
    cell = SIZE // GRID
    return maps.reshape(*maps.shape[:2], GRID, cell, GRID, cell).mean(axis=(3, 5))


class GaborEmbedder:
    """Gabor energy as an embedder: the feature space of early visual cortex, roughly.

    Attributes
    ----------
    name : str
        ``"gabor"``.
    provenance : dict
        The constants that define the features.

    Examples
    --------
    >>> images = np.zeros((2, 112, 96, 3), np.uint8)
    >>> GaborEmbedder().encode_images(images)["features"].shape
    (2, 1728)
    """

    name = "gabor"

    @property
    def provenance(self) -> dict[str, Any]:
        """Constants of the features, as plain JSON values."""
        return {
            "model": self.name,
            "size": SIZE,
            "grid": GRID,
            "wavelengths": list(WAVELENGTHS),
            "orientations": N_ORIENTATIONS,
            "floor": FLOOR,
        }

    def encode_images(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Embed pictures.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Returns
        -------
        dict
            ``features`` of shape (n, 1728).
        """
        return {"features": gabor_features(images)}
