"""What an embedder is, and the registry of those there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from neurodecode.registry import Registry

__all__ = ["EMBEDDERS", "Embedder", "TextEmbedder", "TokenPooler", "make_embedder"]


@runtime_checkable
class Embedder(Protocol):
    """Turns pictures into named arrays.

    Attributes
    ----------
    name : str
        Name that `make_embedder` understands.
    provenance : mapping
        What the features depend on (model, weights, checksum), as plain JSON values.
    """

    name: str

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Model, weights and checksum, as plain JSON values."""

    def encode_images(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Embed pictures.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Returns
        -------
        dict of str to array of shape (n, ...)
            Float32 arrays, such as ``tokens`` (n, n_tokens, width) and ``pooled`` (n, width).
        """


@runtime_checkable
class TextEmbedder(Embedder, Protocol):
    """An embedder whose pooled space holds texts too."""

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Embed texts.

        Parameters
        ----------
        texts : sequence of str of length n
            Captions.

        Returns
        -------
        array of float32 of shape (n, width)
            Comparable, by cosine, with ``pooled`` of `encode_images`.
        """


@runtime_checkable
class TokenPooler(Protocol):
    """What knows how its tower pools tokens."""

    def pool_tokens(self, tokens: np.ndarray) -> np.ndarray:
        """Pool tokens as those of a picture.

        Parameters
        ----------
        tokens : array of shape (n, n_tokens, width)
            As ``tokens`` of `encode_images`.

        Returns
        -------
        array of float32 of shape (n, width)
            As ``pooled``.
        """


EMBEDDERS: Registry[Callable[..., Embedder]] = Registry("embedder")
"""Factories; each takes what follows the colon of the name, and ``download``."""


@EMBEDDERS.register("mini-clip")
def _mini_clip(variant: str, download: bool) -> Embedder:
    from neurodecode.embed.openclip import OpenClipEmbedder

    return OpenClipEmbedder.bundled()


@EMBEDDERS.register("mini-vae")
def _mini_vae(variant: str, download: bool) -> Embedder:
    from neurodecode.embed.vae import VaeEmbedder

    return VaeEmbedder.bundled()


@EMBEDDERS.register("gabor")
def _gabor(variant: str, download: bool) -> Embedder:
    from neurodecode.embed.gabor import GaborEmbedder

    return GaborEmbedder()


@EMBEDDERS.register("dct")
def _dct(variant: str, download: bool) -> Embedder:
    from neurodecode.embed.dct import DctEmbedder

    return DctEmbedder()


@EMBEDDERS.register("openclip")
def _openclip(variant: str, download: bool) -> Embedder:
    from neurodecode.embed.openclip import OpenClipEmbedder

    return OpenClipEmbedder.public(variant, download=download)


@EMBEDDERS.register("openclip-penultimate")
def _openclip_penultimate(variant: str, download: bool) -> Embedder:
    from neurodecode.embed.openclip import OpenClipEmbedder

    return OpenClipEmbedder.public(variant, download=download, penultimate=True)


@EMBEDDERS.register("sd-vae")
def _sd_vae(variant: str, download: bool) -> Embedder:
    from neurodecode.embed.vae import VaeEmbedder

    return VaeEmbedder.public(variant, download=download)


@EMBEDDERS.register("timm")
def _timm(variant: str, download: bool) -> Embedder:
    from neurodecode.embed.timm_tower import TimmEmbedder

    return TimmEmbedder.public(variant, download=download)


def make_embedder(name: str, *, download: bool = False) -> Embedder:
    """Make an embedder from its name.

    Parameters
    ----------
    name : str
        ``mini-clip``, ``mini-vae``, ``gabor``, ``dct``, ``openclip:ARCHITECTURE/WEIGHTS`` (as
        in ``openclip:ViT-L-14-quickgelu/openai``; ``openclip-penultimate:`` for the tokens of the
        last block but one), ``timm:MODEL`` (as in ``timm:vit_base_patch14_dinov2.lvd142m``) or
        ``sd-vae:REPOSITORY[@PIXELS]`` (as in ``sd-vae:stabilityai/sd-vae-ft-mse@224``).
    download : bool
        Whether public weights may be fetched from a model hub.

    Returns
    -------
    Embedder
        The embedder.

    Raises
    ------
    ConfigError
        If the name is unknown or incomplete.
    WeightsError
        If the weights are absent, or not the expected ones.
    """
    kind, _, variant = name.partition(":")
    return EMBEDDERS[kind](variant, download)
