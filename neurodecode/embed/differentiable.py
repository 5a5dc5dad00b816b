"""Features of pictures as torch modules, for whoever needs their gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from neurodecode.embed.gabor import FLOOR, GRID, LUMINANCE, SIZE, gabor_bank
from neurodecode.errors import DataError
from neurodecode.registry import Registry

__all__ = [
    "PIXEL_FEATURES", "ClipTokens", "GaborEnergy", "PixelFeatures", "PooledImages",
    "pixel_features",
]  # fmt: skip


class PixelFeatures(Protocol):
    """Features of pictures as a differentiable function of their pixels.

    Attributes
    ----------
    target : str
        Which array of the embedder's ``encode_images`` they are.
    """

    target: str

    def __call__(self, pixels: Tensor) -> Tensor:
        """Compute features.

        Parameters
        ----------
        pixels : Tensor of shape (n, 3, height, width)
            RGB on the scale 0 to 1.

        Returns
        -------
        Tensor of shape (n, ...)
            Features of each picture.
        """


class GaborEnergy(nn.Module):
    """`neurodecode.embed.gabor.gabor_features` with a gradient.

    The same numbers up to rounding, for pictures of 64 x 64 pixels.
    """

    target = "features"

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bank", torch.from_numpy(gabor_bank()))
        self.register_buffer("luminance", torch.tensor(LUMINANCE).view(1, 3, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        """Compute the features.

        Parameters
        ----------
        pixels : Tensor of shape (n, 3, 64, 64)
            RGB on the scale 0 to 1.

        Returns
        -------
        Tensor of shape (n, 1728)
            24 x 8 x 8 log energies, then 3 x 8 x 8 colours.

        Raises
        ------
        DataError
            If the pictures have another size.
        """
        _check_size(pixels, (SIZE, SIZE))
        grey = (pixels * self.luminance).sum(dim=1, keepdim=True)
        response = torch.fft.ifft2(torch.fft.fft2(grey) * self.bank)
        energy = _grid_mean(response.real.square() + response.imag.square())
        return torch.cat([(energy + FLOOR).log(), _grid_mean(pixels)], dim=1).flatten(1)


class ClipTokens(nn.Module):
    """Tokens of an image tower, as `OpenClipEmbedder.encode_images` gives them.

    Parameters
    ----------
    visual : nn.Module
        The tower.
    mean, std : tuple of float of length 3
        Channel normalisation on the scale 0 to 1.
    image_size : (int, int)
        Height and width that the tower takes, in pixels.
    """

    target = "tokens"

    def __init__(
        self,
        visual: nn.Module,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        image_size: tuple[int, int],
    ) -> None:
        super().__init__()
        self.visual, self.image_size = visual, image_size
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        """Compute the tokens.

        Parameters
        ----------
        pixels : Tensor of shape (n, 3, height, width)
            RGB on the scale 0 to 1, in the tower's size.

        Returns
        -------
        Tensor of shape (n, n_tokens, width)
            After the final layer norm, class token first.

        Raises
        ------
        DataError
            If the pictures have another size.
        """
        from neurodecode.embed.openclip import image_tokens

        _check_size(pixels, self.image_size)
        return image_tokens(self.visual, (pixels - self.mean) / self.std)[0]


class PooledImages(nn.Module):
    """Embeddings of pictures in the space that they share with texts, with a gradient.

    Parameters
    ----------
    visual : nn.Module
        Image tower of an OpenCLIP model, a ResNet or a transformer.
    mean, std : tuple of float of length 3
        Channel normalisation on the scale 0 to 1.
    """

    target = "pooled"

    def __init__(self, visual: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.visual = visual
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        """Compute the embeddings.

        Parameters
        ----------
        pixels : Tensor of shape (n, 3, height, width)
            RGB on the scale 0 to 1, in the tower's size.

        Returns
        -------
        Tensor of shape (n, embed_dim)
            Not normalised.
        """
        pooled = self.visual((pixels - self.mean) / self.std)
        return pooled[0] if isinstance(pooled, tuple) else pooled


PIXEL_FEATURES: Registry[Callable[[], PixelFeatures]] = Registry("differentiable embedder")
"""Embedders, by name, whose features can be had with a gradient."""


@PIXEL_FEATURES.register("gabor")
def _gabor() -> PixelFeatures:
    return GaborEnergy()


@PIXEL_FEATURES.register("mini-clip")
def _mini_clip() -> PixelFeatures:
    from neurodecode.embed.openclip import OpenClipEmbedder

    clip = OpenClipEmbedder.bundled()
    return ClipTokens(clip.model.visual, clip.mean, clip.std, clip.image_size)


def pixel_features(name: str) -> PixelFeatures:
    """Make differentiable features from the name of an embedder.

    Parameters
    ----------
    name : str
        A key of `PIXEL_FEATURES`.

    Returns
    -------
    PixelFeatures
        The features that the embedder of this name gives.

    Raises
    ------
    ConfigError
        If the embedder is unknown or has no gradient.
    """
    return PIXEL_FEATURES[name]()


def _check_size(pixels: Tensor, size: tuple[int, int]) -> None:
    if tuple(pixels.shape[-2:]) != tuple(size):
        height, width = pixels.shape[-2:]
        raise DataError(
            f"pictures of {height} x {width} pixels, wanted {size[0]} x {size[1]}",
            field="pixels",
            fix="choose a generator that draws in this size",
        )


def _grid_mean(maps: Tensor) -> Tensor:
    return nn.functional.avg_pool2d(maps, SIZE // GRID)
