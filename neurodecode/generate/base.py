"""What an image generator is, and the registry of those there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from neurodecode.errors import ConfigError
from neurodecode.generate.conditioning import Conditioning
from neurodecode.registry import Registry

if TYPE_CHECKING:
    from neurodecode.generate.guide import Guidance

__all__ = ["GENERATORS", "GuidedGenerator", "ImageGenerator", "can_be_guided", "make_generator"]


@runtime_checkable
class ImageGenerator(Protocol):
    """Turns embeddings into pictures.

    Attributes
    ----------
    name : str
        Name that `make_generator` understands.
    takes : Conditioning
        The embedding it draws from.
    provenance : mapping
        Model, weights and checksum, as plain JSON values.
    """

    name: str
    takes: Conditioning

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Model, weights and checksum, as plain JSON values."""

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Map pictures to the generator's latents.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Returns
        -------
        array of float32 of shape (n, channels, height / factor, width / factor)
            Latents of about unit variance.
        """

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Map latents to pictures.

        Parameters
        ----------
        latents : array of shape (n, channels, height / factor, width / factor)
            As `encode` returns them.

        Returns
        -------
        array of uint8 of shape (n, height, width, 3)
            RGB pixels.
        """

    def generate(
        self,
        tokens: np.ndarray,
        *,
        init_latents: np.ndarray | None = None,
        strength: float = 0.85,
        n_steps: int = 20,
        guidance: float = 2.0,
        seed: int | Sequence[int] = 0,
    ) -> np.ndarray:
        """Draw pictures that have the given embeddings.

        A picture depends on its own embedding, start and seed, and on nothing else in the call.

        Parameters
        ----------
        tokens : array of shape (n, n_tokens, width)
            Embeddings.
        init_latents : array of shape (n, channels, height / factor, width / factor), optional
            Rough pictures to start from, as `encode` returns them.
        strength : float
            With `init_latents`, the share of the noise schedule that is run: 0 returns the start,
            1 ignores it.
        n_steps : int
            Steps of the solver over the whole schedule.
        guidance : float
            Weight of classifier-free guidance; 1 switches it off.
        seed : int or sequence of int of length n
            One seed for all pictures, or one each.

        Returns
        -------
        array of uint8 of shape (n, height, width, 3)
            RGB pixels.
        """


class GuidedGenerator(ImageGenerator, Protocol):
    """A generator whose sampler follows the gradient of a guide."""

    def generate(
        self,
        tokens: np.ndarray,
        *,
        init_latents: np.ndarray | None = None,
        strength: float = 0.85,
        n_steps: int = 20,
        guidance: float = 2.0,
        seed: int | Sequence[int] = 0,
        guide: Guidance | None = None,
    ) -> np.ndarray:
        """Draw pictures that have the given embeddings and explain what was measured.

        Parameters
        ----------
        tokens, init_latents, strength, n_steps, guidance, seed
            As for `ImageGenerator.generate`.
        guide : Guidance, optional
            What the pictures have to explain besides, and how strongly it pulls; None gives
            the very pictures of an unguided generator.

        Returns
        -------
        array of uint8 of shape (n, height, width, 3)
            RGB pixels.
        """


GENERATORS: Registry[Callable[..., ImageGenerator]] = Registry("generator")
"""Factories; keyword arguments are the generator's own."""


@GENERATORS.register("mini")
def _mini(download: bool = False, **options: Any) -> ImageGenerator:
    from neurodecode.generate.mini import MiniGenerator

    if unknown := sorted(set(options) - {"folder", "device"}):
        raise ConfigError(f"generator mini: no option {', '.join(unknown)}; known: folder, device")
    return MiniGenerator.bundled(**options)


@GENERATORS.register("dct")
def _dct(download: bool = False, **options: Any) -> ImageGenerator:
    from neurodecode.generate.dct import DctGenerator

    if options:
        raise ConfigError(f"generator dct: no option {', '.join(sorted(options))}; it has none")
    return DctGenerator()


@GENERATORS.register("kandinsky2.2")
def _kandinsky(**options: Any) -> ImageGenerator:
    from neurodecode.generate.kandinsky import KandinskyGenerator

    return KandinskyGenerator.load(**options)


@GENERATORS.register("stable-unclip")
def _stable_unclip(**options: Any) -> ImageGenerator:
    from neurodecode.generate.unclip import StableUnclipGenerator

    return StableUnclipGenerator.load(**options)


@GENERATORS.register("sd-ip-adapter")
def _sd_ip_adapter(**options: Any) -> ImageGenerator:
    from neurodecode.generate.ip_adapter import IpAdapterGenerator

    return IpAdapterGenerator.load(**options)


@GENERATORS.register("sdxl-ip-adapter")
def _sdxl_ip_adapter(**options: Any) -> ImageGenerator:
    from neurodecode.generate.ip_adapter import IpAdapterGenerator

    return IpAdapterGenerator.load(xl=True, **options)


def can_be_guided(generator: ImageGenerator) -> bool:
    """Whether a generator's sampler takes a guide.

    Parameters
    ----------
    generator : ImageGenerator
        Any generator.

    Returns
    -------
    bool
        True for a `GuidedGenerator`.
    """
    return "guide" in signature(generator.generate).parameters


def make_generator(name: str, **options: Any) -> ImageGenerator:
    """Make a generator from its name.

    Parameters
    ----------
    name : str
        A key of `GENERATORS`.
    **options
        Options of the generator.

    Returns
    -------
    ImageGenerator
        The generator.

    Raises
    ------
    ConfigError
        If the name is unknown.
    WeightsError
        If its weights are missing or damaged.
    """
    return GENERATORS[name](**options)
