"""Latents of the bundled autoencoder, the target of the low-level head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from neurodecode.embed.bundle import bundle_digest, read_bundle
from neurodecode.embed.hub import hub_file
from neurodecode.embed.pixels import prepare_images
from neurodecode.errors import ConfigError, WeightsError
from neurodecode.files import sha256

__all__ = ["VaeEmbedder"]

_HALF = (0.5, 0.5, 0.5)
_STEM = "diffusion_pytorch_model"


class VaeEmbedder:
    """A diffusers autoencoder as an embedder, and its way back to pixels.

    Parameters
    ----------
    model : AutoencoderKL
        The autoencoder; its ``scaling_factor`` brings latents to unit variance.
    patch : int
        Side of the pixel blocks that are folded into its channels.
    name : str
        Name of the embedder.
    provenance : mapping
        Where the weights come from.
    device : str
        Where the model runs.
    image_size : int, optional
        Side to which pictures are brought, in pixels; that of the model's training by default.
    """

    def __init__(
        self,
        model: AutoencoderKL,
        *,
        patch: int,
        name: str,
        provenance: Mapping[str, Any],
        device: str = "cpu",
        image_size: int | None = None,
    ) -> None:
        self.model = model.eval().requires_grad_(False).to(device)
        self.name, self.device, self.provenance = name, device, dict(provenance)
        self.patch = patch
        self.image_size = (image_size or model.config.sample_size * patch,) * 2

    @classmethod
    def bundled(cls, folder: Path | None = None, device: str = "cpu") -> VaeEmbedder:
        """Open the bundled autoencoder.

        Parameters
        ----------
        folder : Path, optional
            Folder of the bundle.
        device : str
            Where the model runs.

        Returns
        -------
        VaeEmbedder
            Latents of shape (4, 16, 16).

        Raises
        ------
        WeightsError
            If the weights are missing or damaged.
        """
        config, weights = read_bundle("mini-vae", folder)
        model = AutoencoderKL(**config["model_cfg"])
        model.load_state_dict(weights)
        provenance = {"model": "mini-vae", "sha256": bundle_digest("mini-vae", folder)}
        return cls(
            model, patch=config["patch"], name="mini-vae", provenance=provenance, device=device
        )

    @classmethod
    def public(cls, variant: str, *, download: bool = False, device: str = "cpu") -> VaeEmbedder:
        """Open a public autoencoder of Stable Diffusion.

        Parameters
        ----------
        variant : str
            Folder or repository of the hub, and after an ``@`` the side of the pictures in
            pixels, as in ``stabilityai/sd-vae-ft-mse@224``.
        download : bool
            Whether the weights may be fetched.
        device : str
            Where the model runs.

        Returns
        -------
        VaeEmbedder
            Latents of shape (4, pixels / 8, pixels / 8).

        Raises
        ------
        ConfigError
            If the size is no multiple of what the autoencoder shrinks by.
        WeightsError
            If the weights are not on this machine, or not an autoencoder's.
        """
        source, _, size = variant.partition("@")
        what = f"sd-vae:{variant}"
        if Path(source).is_dir():
            config_path = Path(source) / "config.json"
            weights = Path(source) / f"{_STEM}.safetensors"
            if not (config_path.is_file() and weights.is_file()):
                raise WeightsError(f"{what}: {source} lacks config.json or {weights.name}")
        else:
            find = partial(hub_file, source, download=download, what=what)
            config_path, weights = find(["config.json"]), find([f"{_STEM}.safetensors"])
        model = AutoencoderKL.from_config(json.loads(config_path.read_text(encoding="utf-8")))
        try:
            model.load_state_dict(load_file(weights))
        except (RuntimeError, SafetensorError) as error:
            raise WeightsError(f"{what}: file {weights}: not this autoencoder's weights") from error
        factor = 2 ** (len(model.config.block_out_channels) - 1)
        if size and (not size.isdecimal() or int(size) % factor or not int(size)):
            raise ConfigError(f"{what}: the size after @ has to be a multiple of {factor} pixels")
        return cls(
            model, patch=1, name=what, provenance={"model": source, "sha256": sha256(weights)},
            device=device, image_size=int(size) if size else None,
        )  # fmt: skip

    @torch.inference_mode()
    def encode(self, images: np.ndarray) -> Tensor:
        """Map pictures to latents of about unit variance.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels, scaled to the model's size.

        Returns
        -------
        Tensor of shape (n, channels, height / 4, width / 4)
            Modes of the posterior, scaled; float32.
        """
        pixels = prepare_images(images, self.image_size, _HALF, _HALF).to(self.device)
        folded = F.pixel_unshuffle(pixels, self.patch)
        latents = self.model.encode(folded).latent_dist.mode()
        return latents.float() * self.model.config.scaling_factor

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> np.ndarray:
        """Map latents back to pictures.

        Parameters
        ----------
        latents : Tensor of shape (n, channels, height / 4, width / 4)
            As `encode` returns them.

        Returns
        -------
        array of uint8 of shape (n, height, width, 3)
            RGB pixels.
        """
        levels = ((self.decode_pixels(latents).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()

    def decode_pixels(self, latents: Tensor) -> Tensor:
        """Map latents back to pixels, with a gradient where one is asked for.

        Parameters
        ----------
        latents : Tensor of shape (n, channels, height / 4, width / 4)
            As `encode` returns them.

        Returns
        -------
        Tensor of shape (n, 3, height, width)
            RGB; black is -1, white 1, and the model may leave this range a little.
        """
        scaled = latents.to(self.device).float() / self.model.config.scaling_factor
        return F.pixel_shuffle(self.model.decode(scaled).sample, self.patch)

    def encode_images(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Embed pictures.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Returns
        -------
        dict
            ``latent`` of shape (n, channels, height / 4, width / 4), float32.
        """
        return {"latent": self.encode(images).cpu().numpy()}
