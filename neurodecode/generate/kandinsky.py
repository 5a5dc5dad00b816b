"""Kandinsky 2.2: pictures from pooled ViT-bigG embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from neurodecode.errors import WeightsError
from neurodecode.generate.autoencoder import LatentCodec
from neurodecode.generate.components import Component
from neurodecode.generate.conditioning import Conditioning
from neurodecode.generate.latent import LatentGenerator
from neurodecode.generate.memory import Memory
from neurodecode.generate.null_image import null_image
from neurodecode.generate.sampling import make_scheduler
from neurodecode.generate.weights import open_folder

__all__ = ["KandinskyGenerator"]

_NAME = "kandinsky2.2"
_UNET, _MOVQ = Component("unet"), Component("movq")
_SCHEDULER = Component("scheduler", "scheduler")


class KandinskyGenerator(LatentGenerator):
    """Kandinsky 2.2's decoder.

    Parameters
    ----------
    null_source : str
        Folder or repository with the image tower, whose embedding of a picture of zeros is what
        guidance moves away from. Opened once, when guidance first asks for it.
    download : bool
        Whether that tower may be fetched.
    **parts
        See `LatentGenerator`.

    References
    ----------
    Razzhigaev et al. 2023, "Kandinsky: an improved text-to-image synthesis with image prior and
    latent diffusion"; version 2.2 is described in the model's card.
    """

    def __init__(self, null_source: str, download: bool = False, **parts: Any) -> None:
        super().__init__(**parts)
        self.null_source, self.download = null_source, download

    @classmethod
    def load(
        cls,
        weights: str = "kandinsky-community/kandinsky-2-2-decoder",
        *,
        image_tower: str = "kandinsky-community/kandinsky-2-2-prior",
        image_size: int | None = None,
        scheduler: str | None = None,
        download: bool = False,
        **memory: Any,
    ) -> KandinskyGenerator:
        """Open the decoder.

        Parameters
        ----------
        weights : str
            Folder with ``unet``, ``movq`` and ``scheduler``, or a repository of the hub.
        image_tower : str
            Folder with ``image_encoder``, or a repository; needed for guidance only.
        image_size : int, optional
            Side of the pictures in pixels, a multiple of 64; 512 as trained.
        scheduler : str, optional
            Another solver of diffusers, such as ``UniPCMultistepScheduler``.
        download : bool
            Whether missing files may be fetched.
        **memory
            See `Memory`.

        Returns
        -------
        KandinskyGenerator
            Takes pooled embeddings, (n, 1280) with the public weights.

        Raises
        ------
        ConfigError
            If an option is unknown or impossible.
        WeightsError
            If a file is missing, damaged or another model's.
        """
        from diffusers import UNet2DConditionModel, VQModel

        using, what = Memory.of(memory, _NAME), f"generator {_NAME}"
        folder = open_folder(weights, [_UNET, _MOVQ, _SCHEDULER], download=download,
                             half=using.dtype != "float32", what=what)  # fmt: skip
        unet = folder.model(_UNET, UNet2DConditionModel, using.torch_dtype)
        if unet.config.encoder_hid_dim_type != "image_proj":
            raise WeightsError(f"{what}: {folder.root / 'unet'}: is not a Kandinsky 2.2 decoder")
        movq = folder.model(_MOVQ, VQModel, using.torch_dtype)
        factor = 2 ** (len(movq.config.block_out_channels) - 1)
        takes = Conditioning(
            "openclip:ViT-bigG-14/laion2b_s39b_b160k", "pooled", (unet.config.encoder_hid_dim,)
        )
        return cls(
            null_source=image_tower,
            download=download,
            takes=takes,
            name=_NAME,
            unet=unet,
            codec=LatentCodec(movq, image_size or unet.config.sample_size * factor, using),
            scheduler=make_scheduler(scheduler, folder.scheduler()),
            memory=using,
            provenance={
                "model": _NAME,
                "weights": weights,
                "sha256": folder.digest(_UNET),
                "vae_sha256": folder.digest(_MOVQ),
            },
        )

    @cached_property
    def null(self) -> Tensor:
        """Embedding of a picture of zeros, (1, width)."""
        return null_image(
            self.null_source, "image_encoder", penultimate=False, download=self.download,
            memory=self.memory, what=f"generator {_NAME}",
        )  # fmt: skip

    def _condition(
        self, embeddings: Tensor, guided: bool, noise: list[torch.Generator]
    ) -> Mapping[str, Any]:
        if guided:
            embeddings = torch.cat([self.null.expand_as(embeddings), embeddings])
        given = embeddings.to(self.memory.device, self.unet.dtype)
        return {"encoder_hidden_states": None, "added_cond_kwargs": {"image_embeds": given}}
