"""Frozen features of the cells of a picture, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from neurodecode.errors import ConfigError
from neurodecode.gaze.conspicuity import conspicuity

__all__ = ["PatchFeatures"]

#: Cells of one picture: image and (rows, columns) to (rows, columns, features).
Reader = Callable[[np.ndarray, tuple[int, int]], np.ndarray]


class PatchFeatures:
    """Features of pictures, the last few of which are kept.

    Parameters
    ----------
    names : str
        ``conspicuity``, an embedder with tokens (a name of `neurodecode.embed.make_embedder`,
        such as ``mini-clip`` or ``openclip:ViT-B-16/openai``), or several joined by ``+``.
    grid : (int, int)
        Rows and columns of the cells.
    """

    def __init__(self, names: str, grid: tuple[int, int]) -> None:
        self.names, self.grid = names, grid
        self.readers = [_reader(name) for name in names.split("+")]
        self._kept: dict[str, torch.Tensor] = {}

    def __call__(self, image: np.ndarray) -> torch.Tensor:
        """Describe a picture.

        Parameters
        ----------
        image : array of uint8 of shape (height, width, 3)
            RGB.

        Returns
        -------
        Tensor of float32 of shape (features, rows, columns)
            Features.
        """
        key = hashlib.sha256(np.ascontiguousarray(image)).hexdigest() + str(image.shape)
        if key not in self._kept:
            parts = [read(image, self.grid) for read in self.readers]
            if len(self._kept) > 3:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = torch.from_numpy(np.concatenate(parts, 2)).permute(2, 0, 1)
        return self._kept[key]


def _reader(name: str) -> Reader:
    return conspicuity if name == "conspicuity" else _tower(name)


@cache
def _tower(name: str) -> Reader:
    """Patch tokens of an image tower, drawn over the cells."""
    from neurodecode.embed import make_embedder

    embedder = make_embedder(name)

    def read(image: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
        """Embed, and bring the tower's own grid to the wanted one."""
        # a tower would crop what is not square; squeezed, its patches cover the whole picture
        side = min(image.shape[:2])
        square = np.array(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
        found = embedder.encode_images(square[None])
        if "tokens" not in found:
            raise ConfigError(f"embedder {name} has no tokens; use one with patch tokens")
        tokens = torch.from_numpy(found["tokens"])[:, 1:]
        side = round(tokens.shape[1] ** 0.5)
        if side**2 != tokens.shape[1]:
            raise ConfigError(f"embedder {name}: {tokens.shape[1]} patches are not a square")
        maps = tokens.transpose(1, 2).unflatten(2, (side, side))
        return F.interpolate(maps, grid, mode="bilinear")[0].permute(1, 2, 0).numpy()

    return read
