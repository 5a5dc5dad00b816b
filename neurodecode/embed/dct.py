"""Low spatial frequencies of a picture: a latent space of natural images without any weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from scipy import fft
from torch import Tensor

from neurodecode.embed.pixels import prepare_images

__all__ = ["N_COEFFICIENTS", "SIZE", "DctEmbedder", "dct_coefficients", "dct_pixels"]

SIZE = 64
#: Coefficients along each axis: luminance, then the two opponent colours.
KEPT = (16, 8, 8)
N_COEFFICIENTS = sum(side * side for side in KEPT)
#: Luminance, red-green and blue-yellow, orthonormal (Ruderman et al. 1998, the axes of figure 1).
OPPONENT = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])
#: Standard deviation, in photographs, of a coefficient of one cycle a picture; of each colour axis.
_CONTRAST = (4.0, 0.8, 1.0)


@cache
def _amplitude() -> np.ndarray:
    """Expected size of each coefficient: 1/f, as in natural scenes (Field 1987)."""
    sizes = []
    for side, contrast in zip(KEPT, _CONTRAST, strict=True):
        # the k-th cosine has k/2 cycles; the mean counts as half a cycle
        half_cycles = np.hypot(*np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
        sizes.append((2 * contrast / np.maximum(half_cycles, 1)).ravel())
    return np.concatenate(sizes)


@cache
def _cosines(side: int) -> np.ndarray:
    """First rows of the orthonormal DCT-II matrix, (side, SIZE)."""
    return fft.dct(np.eye(SIZE), axis=0, norm="ortho")[:side]


def dct_coefficients(images: np.ndarray) -> np.ndarray:
    """Compute the low-frequency cosine coefficients of pictures.

    Parameters
    ----------
    images : array of uint8 of shape (n, height, width, 3)
        RGB pixels of any size; scaled to 64 x 64, and cropped if they are not square.

    Returns
    -------
    array of float32 of shape (n, 384)
        16 x 16 of the luminance and 8 x 8 of either opponent colour, around mid-grey, divided
        by the amplitude that natural scenes have at their frequency: about unit variance.
    """
    pixels = prepare_images(images, (SIZE, SIZE), (0.5,) * 3, (1.0,) * 3).double().numpy()
    planes = np.einsum("co,nohw->cnhw", OPPONENT, pixels)
    blocks = [
        np.einsum("uh,nhw,vw->nuv", _cosines(side), plane, _cosines(side), optimize=True)
        for side, plane in zip(KEPT, planes, strict=True)
    ]
    flat = np.concatenate(
        [block.reshape(len(images), side * side) for block, side in zip(blocks, KEPT, strict=True)],
        axis=1,
    )
    return (flat / _amplitude()).astype(np.float32)


def dct_pixels(coefficients: Tensor) -> Tensor:
    """Draw pictures of coefficients; differentiable.

    Parameters
    ----------
    coefficients : Tensor of shape (n, 384)
        As `dct_coefficients` gives them.

    Returns
    -------
    Tensor of shape (n, 3, 64, 64)
        RGB, on the scale 0 to 1 where the coefficients are those of a picture; not clipped.
    """
    scaled = coefficients * coefficients.new_tensor(_amplitude())
    planes = []
    for block, side in zip(scaled.split([s * s for s in KEPT], dim=1), KEPT, strict=True):
        rows = coefficients.new_tensor(_cosines(side))
        planes.append(rows.T @ block.unflatten(1, (side, side)) @ rows)
    opponent = coefficients.new_tensor(OPPONENT)
    return torch.einsum("co,ncyx->noyx", opponent, torch.stack(planes, dim=1)) + 0.5


class DctEmbedder:
    """Blurred pictures as an embedding that a linear decoder can aim at.

    Attributes
    ----------
    name : str
        ``"dct"``.
    provenance : dict
        The constants that define the coefficients.

    Examples
    --------
    >>> images = np.zeros((2, 112, 96, 3), np.uint8)
    >>> DctEmbedder().encode_images(images)["coefficients"].shape
    (2, 384)
    """

    name = "dct"

    @property
    def provenance(self) -> dict[str, Any]:
        """Constants of the coefficients, as plain JSON values."""
        return {"model": self.name, "size": SIZE, "kept": list(KEPT), "contrast": list(_CONTRAST)}

    def encode_images(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Embed pictures.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Returns
        -------
        dict
            ``coefficients`` of shape (n, 384).
        """
        return {"coefficients": dct_coefficients(images)}
