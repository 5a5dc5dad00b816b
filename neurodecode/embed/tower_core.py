"""Frozen image towers and the Gabor bank as cores of encoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.embed.base import make_embedder
from neurodecode.embed.differentiable import GaborEnergy
from neurodecode.embed.gabor import GRID, SIZE
from neurodecode.errors import ConfigError
from neurodecode.nn.encoders.pixels import restore_images

__all__ = ["GaborCore", "TowerCore"]


class GaborCore(nn.Module):
    """Gabor energy and colour on a grid of 8 x 8, each channel standardised over patches.

    The feature bank of early visual areas; it needs no weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.energy = GaborEnergy()
        self.norm = nn.BatchNorm2d(len(self.energy.bank) + 3, affine=False)

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

        Raises
        ------
        ConfigError
            If the pictures are not of 64 x 64 pixels.
        """
        if (height, width) != (SIZE, SIZE):
            raise ConfigError(
                f"pictures of {height} x {width} pixels: the Gabor core takes {SIZE} x {SIZE}; set"
                f" image_size to {SIZE}"
            )
        return self.norm.num_features, GRID, GRID

    def forward(self, images: Tensor) -> Tensor:
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n, 3, 64, 64)
            As `standardise_images` gives them.

        Returns
        -------
        Tensor of shape (n, 27, 8, 8)
            Log energies (3 scales x 8 orientations) and colours.
        """
        flat = self.energy(restore_images(images).contiguous())
        return self.norm(flat.unflatten(1, (-1, GRID, GRID)))


class TowerCore(nn.Module):
    """Patch features of a frozen tower, of one layer or several, as the core of an encoder.

    Each channel is standardised over pictures and patches of the training batches.

    Parameters
    ----------
    name : str
        Embedder: ``mini-clip``, ``openclip:...`` or ``timm:...`` (`make_embedder`); a vision
        transformer, or a timm model with feature maps.
    layers : sequence of int
        Blocks to read, from 0, or from the end if negative.
    class_token : bool
        Give every patch the class token of each layer besides.

    Raises
    ------
    ConfigError
        If the embedder has no layers to read from, or not these.
    WeightsError
        If its weights are not on this machine.
    """

    def __init__(
        self, name: str = "mini-clip", layers: Sequence[int] = (-1,), class_token: bool = False
    ) -> None:
        super().__init__()
        self.name, self.layers, self.class_token = name, list(layers), class_token
        embedder = make_embedder(name)
        model = getattr(embedder, "model", None)
        self.tower = getattr(model, "visual", model)
        if not hasattr(self.tower, "forward_intermediates") or not self.layers:
            raise ConfigError(
                f"tower {name}: no layers to read; use mini-clip, openclip:... or timm:..."
            )
        mean, std, self.size = _pixels(embedder)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        try:
            shape = self._features(torch.zeros(1, 3, *self.size)).shape
        except (AssertionError, IndexError) as error:
            raise ConfigError(f"tower {name}: layers {self.layers}: {error}") from error
        self.shape = tuple(shape[1:])
        self.norm = nn.BatchNorm2d(self.shape[0], affine=False)

    def train(self, mode: bool = True) -> TowerCore:
        """Train what is around the tower; the tower itself stays as it is."""
        super().train(mode)
        self.tower.eval()
        return self

    def out_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of the features of one picture; the tower's, whatever the size of pictures.

        Parameters
        ----------
        height, width : int
            Size of the picture in pixels.

        Returns
        -------
        tuple of int
            Channels, height and width.
        """
        return self.shape

    def forward(self, images: Tensor) -> Tensor:
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n, 3, height, width)
            As `standardise_images` gives them; scaled to what the tower takes.

        Returns
        -------
        Tensor of shape (n, out_channels, out_height, out_width)
            All layers on the grid of the first one.
        """
        pixels = restore_images(images)
        if tuple(pixels.shape[2:]) != self.size:
            pixels = F.interpolate(pixels, self.size, mode="bicubic", antialias=True).clamp(0, 1)
        return self.norm(self._features((pixels - self.mean) / self.std))

    @torch.no_grad()
    def _features(self, pixels: Tensor) -> Tensor:
        maps, prefix = _intermediates(self.tower, pixels.contiguous(), self.layers)
        grid = maps[0].shape[2:]
        maps = [F.interpolate(m, grid, mode="bilinear") if m.shape[2:] != grid else m for m in maps]
        if self.class_token:
            if not prefix:
                raise ConfigError(f"tower {self.name}: no class token; set class_token to false")
            maps += [each[:, 0, :, None, None].expand(-1, -1, *grid) for each in prefix]
        return torch.cat(maps, dim=1).float()


def _pixels(embedder: Any) -> tuple[Sequence[float], Sequence[float], tuple[int, int]]:
    """Mean, deviation and size of the pictures that a tower takes."""
    data = getattr(embedder, "data", None)  # of timm models
    if data is not None:
        return data["mean"], data["std"], tuple(data["input_size"][1:])
    return embedder.mean, embedder.std, tuple(embedder.image_size)


def _intermediates(
    tower: nn.Module, pixels: Tensor, layers: list[int]
) -> tuple[list[Tensor], list[Tensor]]:
    """Maps (n, channels, rows, columns) and prefix tokens of each layer, after the last norm."""
    if hasattr(tower, "transformer"):  # open_clip's own
        found = tower.forward_intermediates(
            pixels, layers, normalize_intermediates=True, intermediates_only=True,
            output_extra_tokens=True,
        )  # fmt: skip
        return found["image_intermediates"], found.get("image_intermediates_prefix", [])
    found = tower.forward_intermediates(pixels, layers, norm=True, intermediates_only=True)
    plain = [each[0] if isinstance(each, tuple) else each for each in found]
    if getattr(tower, "num_prefix_tokens", 0):
        both = tower.forward_intermediates(
            pixels, layers, norm=True, intermediates_only=True, return_prefix_tokens=True
        )
        return plain, [prefix for _, prefix in both]
    return plain, []
