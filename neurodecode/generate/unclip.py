"""Stable unCLIP (Stable Diffusion 2.1): pictures from pooled ViT-H embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from neurodecode.errors import ConfigError, WeightsError
from neurodecode.generate.autoencoder import LatentCodec
from neurodecode.generate.components import Component
from neurodecode.generate.conditioning import Conditioning
from neurodecode.generate.latent import LatentGenerator
from neurodecode.generate.memory import Memory, resident
from neurodecode.generate.sampling import make_scheduler
from neurodecode.generate.weights import open_folder
from neurodecode.generate.weights_folder import WeightsFolder

__all__ = ["StableUnclipGenerator"]

_NAME = "stable-unclip"
_UNET, _VAE = Component("unet"), Component("vae")
_TEXT, _NORMALISER = Component("text_encoder", "transformers"), Component("image_normalizer")
_COMPONENTS = [
    _UNET, _VAE, _TEXT, _NORMALISER, Component("scheduler", "scheduler"),
    Component("image_noising_scheduler", "scheduler"), Component("tokenizer", "tokenizer"),
]  # fmt: skip


class StableUnclipGenerator(LatentGenerator):
    """Stable Diffusion 2.1 conditioned on image embeddings.

    Diffusers' own pipeline, named img2img, starts from noise; here a rough picture may be the
    start as well.

    Parameters
    ----------
    prompt : Tensor of shape (2, n_words, width)
        Encoded negative and positive prompt.
    noiser : StableUnCLIPImg2ImgPipeline
        Brings noise and its level into the embedding.
    noise_level : int
        Step of the embedding's own noise schedule; more noise trusts the embedding less.
    **parts
        See `LatentGenerator`.

    References
    ----------
    Ramesh et al. 2022 (unCLIP); Rombach et al. 2022.
    """

    def __init__(self, prompt: Tensor, noiser: Any, noise_level: int, **parts: Any) -> None:
        super().__init__(**parts)
        self.prompt, self.noiser, self.noise_level = prompt, noiser, noise_level
        steps = noiser.image_noising_scheduler.config.num_train_timesteps
        if not 0 <= noise_level < steps:
            raise ConfigError(
                f"generator {_NAME}: noise_level {noise_level} is not in [0, {steps})"
            )

    @classmethod
    def load(
        cls,
        weights: str = "sd2-community/stable-diffusion-2-1-unclip",
        *,
        prompt: str = "",
        noise_level: int = 0,
        image_size: int | None = None,
        scheduler: str | None = None,
        download: bool = False,
        **memory: Any,
    ) -> StableUnclipGenerator:
        """Open the generator.

        Parameters
        ----------
        weights : str
            Folder as diffusers saves a ``StableUnCLIPImg2ImgPipeline``, or a repository; its
            image tower is not needed. Stability AI withdrew its own copy in November 2025, the
            default is a mirror.
        prompt : str
            Text that goes with every picture.
        noise_level : int
            Noise added to the embedding, in steps of its schedule (0 to 999).
        image_size : int, optional
            Side of the pictures in pixels; 768 as trained.
        scheduler : str, optional
            Another solver of diffusers.
        download : bool
            Whether missing files may be fetched.
        **memory
            See `Memory`.

        Returns
        -------
        StableUnclipGenerator
            Takes pooled embeddings, (n, 1024) with the public weights.

        Raises
        ------
        ConfigError
            If an option is unknown or impossible.
        WeightsError
            If a file is missing, damaged or another model's.
        """
        using, what = Memory.of(memory, _NAME), f"generator {_NAME}"
        folder = open_folder(weights, _COMPONENTS, download=download,
                             half=using.dtype != "float32", what=what)  # fmt: skip
        pipeline = _pipeline(folder, using, what)
        with resident(pipeline.text_encoder, using), torch.inference_mode():
            given, null = pipeline.encode_prompt(prompt, using.device, 1, True, "")
        # the text never changes: its encoder need not stay
        pipeline.text_encoder = None
        size = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
        width = pipeline.image_normalizer.config.embedding_dim
        return cls(
            prompt=torch.cat([null, given]).cpu(),
            noiser=pipeline,
            noise_level=noise_level,
            takes=Conditioning("openclip:ViT-H-14/laion2b_s32b_b79k", "pooled", (width,)),
            name=_NAME,
            unet=pipeline.unet,
            codec=LatentCodec(pipeline.vae, image_size or size, using),
            scheduler=make_scheduler(scheduler, pipeline.scheduler),
            memory=using,
            provenance={
                "model": _NAME,
                "weights": weights,
                "sha256": folder.digest(_UNET),
                "vae_sha256": folder.digest(_VAE),
                "text_sha256": folder.digest(_TEXT),
                "prompt": prompt,
                "noise_level": noise_level,
            },
        )

    def _condition(
        self, embeddings: Tensor, guided: bool, noise: list[torch.Generator]
    ) -> Mapping[str, Any]:
        n = len(embeddings)
        # with its level behind it: twice the width
        labels = self.noiser.noise_image_embeddings(embeddings, self.noise_level, generator=noise)
        words = self.prompt[1:].expand(n, -1, -1)
        if guided:
            labels = torch.cat([torch.zeros_like(labels), labels])
            words = torch.cat([self.prompt[:1].expand(n, -1, -1), words])
        to = {"device": self.memory.device, "dtype": self.unet.dtype}
        return {"encoder_hidden_states": words.to(**to), "class_labels": labels.to(**to)}


def _pipeline(folder: WeightsFolder, memory: Memory, what: str) -> Any:
    """Diffusers' pipeline without its image tower."""
    from diffusers import (
        AutoencoderKL,
        StableUnCLIPImg2ImgPipeline,
        UNet2DConditionModel,
    )
    from diffusers.pipelines.stable_diffusion import StableUnCLIPImageNormalizer
    from transformers import CLIPTextModel, CLIPTokenizer

    unet = folder.model(_UNET, UNet2DConditionModel, memory.torch_dtype)
    normaliser = folder.model(_NORMALISER, StableUnCLIPImageNormalizer, torch.float32)
    width = unet.config.projection_class_embeddings_input_dim
    if unet.config.class_embed_type != "projection" or width != 2 * normaliser.config.embedding_dim:
        raise WeightsError(f"{what}: {folder.root / 'unet'}: is not a Stable unCLIP model")
    return StableUnCLIPImg2ImgPipeline(
        feature_extractor=None,
        image_encoder=None,
        image_normalizer=normaliser,
        image_noising_scheduler=folder.scheduler("image_noising_scheduler"),
        tokenizer=CLIPTokenizer.from_pretrained(folder.root, subfolder="tokenizer"),
        text_encoder=folder.model(_TEXT, CLIPTextModel, memory.torch_dtype),
        unet=unet,
        scheduler=folder.scheduler(),
        vae=folder.model(_VAE, AutoencoderKL, memory.torch_dtype),
    )
