"""Pictures to a public generator's latents and back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from diffusers import AutoencoderKL, VQModel
from torch import Tensor

from neurodecode.embed.pixels import prepare_images
from neurodecode.errors import ConfigError
from neurodecode.generate.memory import Memory, resident

__all__ = ["LatentCodec"]

_HALF = (0.5, 0.5, 0.5)


class LatentCodec:
    """An autoencoder of diffusers: Stable Diffusion's, or Kandinsky's MoVQ.

    Parameters
    ----------
    model : AutoencoderKL or VQModel
        The autoencoder. One that overflows in half precision (``force_upcast``) runs in float32.
    image_size : int
        Side of the pictures, in pixels.
    memory : Memory
        Where it runs.

    Raises
    ------
    ConfigError
        If the autoencoder cannot work in tiles and was asked to.
    """

    def __init__(self, model: AutoencoderKL | VQModel, image_size: int, memory: Memory) -> None:
        if memory.dtype == "float16" and model.config.get("force_upcast"):
            model = model.float()
        self.model = model.eval().requires_grad_(False)
        self.image_size, self.memory = image_size, memory
        self.factor = 2 ** (len(model.config.block_out_channels) - 1)
        self.quantised = isinstance(model, VQModel)
        self.scale = 1.0 if self.quantised else model.config.scaling_factor
        if memory.vae_tiling:
            try:
                model.enable_tiling()
            except NotImplementedError as error:
                raise ConfigError(
                    "vae_tiling: this autoencoder cannot work in tiles; use vae_slicing=true"
                ) from error

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one latent."""
        side = self.image_size // self.factor
        return self.model.config.latent_channels, side, side

    @torch.inference_mode()
    def encode(self, images: np.ndarray) -> Tensor:
        """Map pictures to latents.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels of any size; scaled and cropped to the generator's.

        Returns
        -------
        Tensor of shape (n, *shape)
            Float32, on the CPU: the mode of the posterior, scaled.
        """
        pixels = prepare_images(images, (self.image_size,) * 2, _HALF, _HALF)
        return self._by_slices(pixels, self._encode)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> np.ndarray:
        """Map latents to pictures.

        Parameters
        ----------
        latents : Tensor of shape (n, *shape)
            As `encode` returns them.

        Returns
        -------
        array of uint8 of shape (n, image_size, image_size, 3)
            RGB pixels.
        """
        pixels = self._by_slices(latents, self._decode).clamp(-1, 1)
        levels = ((pixels + 1) * 127.5).round().to(torch.uint8)
        return levels.permute(0, 2, 3, 1).contiguous().numpy()

    def _by_slices(self, inputs: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        size = 1 if self.memory.vae_slicing else self.memory.batch_size
        with resident(self.model, self.memory):
            parts = [
                function(part.to(self.memory.device, self.model.dtype)).float().cpu()
                for part in inputs.split(size)
            ]
        return torch.cat(parts)

    def _encode(self, pixels: Tensor) -> Tensor:
        encoded = self.model.encode(pixels)
        latents = encoded.latents if self.quantised else encoded.latent_dist.mode()
        return latents * self.scale

    def _decode(self, latents: Tensor) -> Tensor:
        if self.quantised:
            return self.model.decode(latents, force_not_quantize=True).sample
        return self.model.decode(latents / self.scale).sample
