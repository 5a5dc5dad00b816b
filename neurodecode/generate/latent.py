"""What the generators with public weights share: chunks, seeds, start, memory, provenance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from neurodecode.errors import ConfigError, DataError
from neurodecode.generate.autoencoder import LatentCodec
from neurodecode.generate.conditioning import Conditioning
from neurodecode.generate.memory import Memory, naming_memory, resident
from neurodecode.generate.sampling import generators, guided_denoiser, solve

__all__ = ["LatentDiffusion", "LatentGenerator", "row_seeds"]


def row_seeds(seed: int | Sequence[int], n: int) -> list[int]:
    """Give every picture its seed.

    Parameters
    ----------
    seed : int or sequence of int of length n
        One for all, or one each.
    n : int
        Pictures.

    Returns
    -------
    list of int of length n
        Seeds.

    Raises
    ------
    DataError
        If their number does not fit.
    """
    seeds = [seed] * n if isinstance(seed, int | np.integer) else list(seed)
    if len(seeds) != n:
        raise DataError(f"{len(seeds)} seeds for {n} pictures", field="seed")
    return [int(each) for each in seeds]


class LatentDiffusion:
    """A U-Net of diffusers with its autoencoder and solver.

    Parameters
    ----------
    name : str
        Name in the registry.
    unet : UNet2DConditionModel
        The denoiser.
    codec : LatentCodec
        The autoencoder its latents belong to.
    scheduler : diffusers scheduler
        The solver.
    memory : Memory
        Where everything runs.
    provenance : mapping
        Weights and checksums.

    Raises
    ------
    ConfigError
        If the picture's side does not divide into the U-Net's levels.
    """

    def __init__(
        self,
        name: str,
        unet: UNet2DConditionModel,
        codec: LatentCodec,
        scheduler: Any,
        memory: Memory,
        provenance: Mapping[str, Any],
    ) -> None:
        self.name, self.unet, self.codec, self.scheduler = name, unet, codec, scheduler
        self.memory = memory
        self.provenance = {
            **provenance,
            "scheduler": type(scheduler).__name__,
            "dtype": memory.dtype,
            "image_size": codec.image_size,
        }
        multiple = codec.factor * 2 ** (len(unet.config.block_out_channels) - 1)
        size = codec.image_size
        if not isinstance(size, int) or size < multiple or size % multiple:
            raise ConfigError(
                f"generator {name}: image_size {size} is not a multiple of {multiple}"
            )
        if not memory.offload:
            with naming_memory(f"generator {name}", memory):
                for module in (unet, codec.model):
                    module.to(memory.device)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Map pictures to latents; see `ImageGenerator.encode`.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels of any size.

        Returns
        -------
        array of float32 of shape (n, channels, image_size / factor, image_size / factor)
            Latents.
        """
        with naming_memory(f"generator {self.name}", self.memory):
            return self.codec.encode(images).numpy()

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Map latents to pictures; see `ImageGenerator.decode`.

        Parameters
        ----------
        latents : array of shape (n, channels, image_size / factor, image_size / factor)
            Latents.

        Returns
        -------
        array of uint8 of shape (n, image_size, image_size, 3)
            RGB pixels.
        """
        with naming_memory(f"generator {self.name}", self.memory):
            return self.codec.decode(torch.as_tensor(np.asarray(latents), dtype=torch.float32))

    @torch.inference_mode()
    def draw(
        self,
        condition: Mapping[str, Any],
        noise: list[torch.Generator],
        *,
        init_latents: Tensor | None,
        strength: float,
        n_steps: int,
        guidance: float,
    ) -> np.ndarray:
        """Draw one batch.

        Parameters
        ----------
        condition : mapping
            Keyword arguments of the U-Net, see `guided_denoiser`.
        noise : list of torch.Generator of length n
            Of each picture.
        init_latents : Tensor of shape (n, *latent shape) or None
            Start.
        strength : float
            Share of the schedule that is run.
        n_steps : int
            Steps over the whole schedule.
        guidance : float
            Weight of classifier-free guidance.

        Returns
        -------
        array of uint8 of shape (n, image_size, image_size, 3)
            RGB pixels.
        """
        with naming_memory(f"generator {self.name}", self.memory):
            with resident(self.unet, self.memory):
                latents = solve(
                    guided_denoiser(self.unet, self.scheduler, condition, guidance),
                    self.scheduler, self.codec.shape, noise, device=str(self.memory.device),
                    n_steps=n_steps, init_latents=init_latents, strength=strength,
                )  # fmt: skip
            return self.codec.decode(latents)

    def _check_start(self, init_latents: np.ndarray | None, n: int, strength: float) -> None:
        if not 0 <= strength <= 1:
            raise DataError(f"{strength} is not between 0 and 1", field="strength")
        if init_latents is not None and init_latents.shape != (n, *self.codec.shape):
            raise DataError(
                f"shape {init_latents.shape}, wanted {(n, *self.codec.shape)}",
                field="init_latents",
                fix="name the autoencoder they belong to with --latents-of",
            )


class LatentGenerator(LatentDiffusion, ABC):
    """A latent diffusion model that draws from embeddings, as an `ImageGenerator`.

    Parameters
    ----------
    takes : Conditioning
        The embedding it draws from.
    **parts
        See `LatentDiffusion`.
    """

    def __init__(self, takes: Conditioning, **parts: Any) -> None:
        super().__init__(**parts)
        self.takes = takes

    @abstractmethod
    def _condition(
        self, embeddings: Tensor, guided: bool, noise: list[torch.Generator]
    ) -> Mapping[str, Any]:
        """Keyword arguments of the U-Net for n embeddings; with guidance, 2 n rows."""

    @torch.inference_mode()
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
        """Draw pictures that have the given embeddings; see `ImageGenerator.generate`.

        Parameters
        ----------
        tokens : array of shape (n, *takes.shape) or (n, 1, width)
            Embeddings, measured or decoded, on the scale that `takes` names.
        init_latents : array of shape (n, channels, height / factor, width / factor), optional
            Rough pictures to start from, as `encode` returns them.
        strength : float
            With `init_latents`, the share of the schedule that is run: 0 returns the start, 1
            ignores it.
        n_steps : int
            Steps of the solver over the whole schedule.
        guidance : float
            Weight of classifier-free guidance; 1 switches it off.
        seed : int or sequence of int of length n
            One seed for all pictures, or one each.

        Returns
        -------
        array of uint8 of shape (n, image_size, image_size, 3)
            RGB pixels.

        Raises
        ------
        ConfigError
            If memory runs out; names the options that lower it.
        DataError
            If shapes or the number of seeds do not fit, or `strength` is not in [0, 1].
        """
        tokens, seeds = self.takes.fit(np.asarray(tokens)), row_seeds(seed, len(tokens))
        self._check_start(init_latents, len(tokens), strength)
        size = self.codec.image_size
        pictures = [np.empty((0, size, size, 3), np.uint8)]
        for start in range(0, len(tokens), self.memory.batch_size):
            rows = slice(start, start + self.memory.batch_size)
            noise = generators(seeds[rows])
            embeddings = torch.as_tensor(tokens[rows], dtype=torch.float32)
            condition = self._condition(embeddings, guidance != 1.0, noise)
            begin = None if init_latents is None else torch.as_tensor(
                init_latents[rows], dtype=torch.float32)  # fmt: skip
            pictures.append(
                self.draw(condition, noise, init_latents=begin, strength=strength,
                          n_steps=n_steps, guidance=guidance)
            )  # fmt: skip
        return np.concatenate(pictures)
