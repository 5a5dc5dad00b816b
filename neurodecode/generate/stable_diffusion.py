"""Opening Stable Diffusion and SDXL for use without their image towers and safety checkers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from neurodecode.errors import WeightsError
from neurodecode.generate.components import Component
from neurodecode.generate.memory import Memory, resident
from neurodecode.generate.weights import open_folder
from neurodecode.generate.weights_folder import WeightsFolder, quiet_libraries

__all__ = ["UNET", "VAE", "encode_sdxl", "open_stable_diffusion", "size_ids"]

UNET, VAE = Component("unet"), Component("vae")
_TEXT = [Component("text_encoder", "transformers"), Component("text_encoder_2", "transformers")]
_WORDS = [Component("tokenizer", "tokenizer"), Component("tokenizer_2", "tokenizer")]


def open_stable_diffusion(
    source: str, *, xl: bool, download: bool, memory: Memory, what: str
) -> tuple[Any, WeightsFolder]:
    """Open a text-to-image pipeline.

    Parameters
    ----------
    source : str
        Folder as diffusers saves it, or a repository.
    xl : bool
        Whether it is SDXL.
    download : bool
        Whether missing files may be fetched.
    memory : Memory
        Type of the networks; they stay on the CPU for now.
    what : str
        What it is for, for error messages.

    Returns
    -------
    pipeline : StableDiffusionPipeline or StableDiffusionXLPipeline
        All its parts.
    folder : WeightsFolder
        Where they come from.

    Raises
    ------
    WeightsError
        If a file is missing, damaged or another model's.
    """
    from diffusers import (
        AutoencoderKL,
        StableDiffusionPipeline,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    n = 2 if xl else 1
    components = [UNET, VAE, *_TEXT[:n], *_WORDS[:n], Component("scheduler", "scheduler")]
    folder = open_folder(source, components, download=download, half=memory.dtype != "float32",
                         what=what)  # fmt: skip
    unet = folder.model(UNET, UNet2DConditionModel, memory.torch_dtype)
    if (unet.config.addition_embed_type == "text_time") != xl or unet.config.class_embed_type:
        kind = "an SDXL" if xl else "a plain Stable Diffusion"
        raise WeightsError(f"{what}: {folder.root / 'unet'}: is not {kind} model")
    texts = [
        folder.model(part, CLIPTextModelWithProjection if number else CLIPTextModel,
                     memory.torch_dtype)
        for number, part in enumerate(_TEXT[:n])
    ]  # fmt: skip
    words = [CLIPTokenizer.from_pretrained(folder.root, subfolder=w.name) for w in _WORDS[:n]]
    parts = {
        "unet": unet,
        "vae": folder.model(VAE, AutoencoderKL, memory.torch_dtype),
        "scheduler": folder.scheduler(),
        "text_encoder": texts[0],
        "tokenizer": words[0],
        "feature_extractor": None,
        "image_encoder": None,
    }
    if not xl:
        return StableDiffusionPipeline(
            **parts, safety_checker=None, requires_safety_checker=False
        ), folder
    index = folder.config("model_index.json")
    return StableDiffusionXLPipeline(
        **parts, text_encoder_2=texts[1], tokenizer_2=words[1], add_watermarker=False,
        force_zeros_for_empty_prompt=index.get("force_zeros_for_empty_prompt", True),
    ), folder  # fmt: skip


@torch.inference_mode()
def encode_sdxl(pipeline: Any, texts: list[str], memory: Memory) -> dict[str, Tensor]:
    """Encode captions for SDXL, and the empty text that guidance moves away from.

    Parameters
    ----------
    pipeline : StableDiffusionXLPipeline
        Has the text towers.
    texts : list of str of length n
        Captions.
    memory : Memory
        Where the towers run.

    Returns
    -------
    dict
        ``words`` (2 n, n_words, width) and ``pooled`` (2 n, width); the empty text's rows first.
    """
    towers = pipeline.text_encoder, pipeline.text_encoder_2
    # quietly: that long captions are cut to the towers' length is expected
    with resident(towers[0], memory), resident(towers[1], memory), quiet_libraries():
        words, null_words, pooled, null_pooled = pipeline.encode_prompt(
            texts, device=memory.device, num_images_per_prompt=1, do_classifier_free_guidance=True
        )
    return {"words": torch.cat([null_words, words]), "pooled": torch.cat([null_pooled, pooled])}


def size_ids(image_size: int, n: int) -> Tensor:
    """Tell SDXL the size of the picture, uncropped (its micro-conditioning).

    Parameters
    ----------
    image_size : int
        Side in pixels.
    n : int
        Rows.

    Returns
    -------
    Tensor of shape (n, 6)
        Original size, upper left corner, target size.
    """
    return torch.tensor([[image_size, image_size, 0, 0, image_size, image_size]]).repeat(n, 1)
