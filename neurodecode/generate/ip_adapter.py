"""Stable Diffusion and SDXL with an IP-Adapter: pictures from CLIP tokens or pooled embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neurodecode.errors import WeightsError
from neurodecode.generate.autoencoder import LatentCodec
from neurodecode.generate.components import Component
from neurodecode.generate.conditioning import Conditioning
from neurodecode.generate.latent import LatentGenerator
from neurodecode.generate.memory import Memory, resident
from neurodecode.generate.null_image import null_image
from neurodecode.generate.sampling import make_scheduler
from neurodecode.generate.stable_diffusion import (
    UNET,
    VAE,
    encode_sdxl,
    open_stable_diffusion,
    size_ids,
)
from neurodecode.generate.weights import open_folder
from neurodecode.generate.weights_folder import quiet_libraries

__all__ = ["IpAdapterGenerator"]

_VIT_H, _BIGG = "ViT-H-14/laion2b_s32b_b79k", "ViT-bigG-14/laion2b_s39b_b160k"
#: Image tower of the published adapters, by file name; the arrays follow from the weights.
_TOWERS = {
    "ip-adapter_sd15": _VIT_H,
    "ip-adapter_sd15_light": _VIT_H,
    "ip-adapter-plus_sd15": _VIT_H,
    "ip-adapter_sd15_vit-G": _BIGG,
    "ip-adapter_sdxl": _BIGG,
    "ip-adapter_sdxl_vit-h": _VIT_H,
    "ip-adapter-plus_sdxl_vit-h": _VIT_H,
}
#: Base model and adapter of each generator.
_DEFAULTS = {
    "sd-ip-adapter": (
        "stable-diffusion-v1-5/stable-diffusion-v1-5", "models/ip-adapter-plus_sd15.safetensors"
    ),
    "sdxl-ip-adapter": (
        "stabilityai/stable-diffusion-xl-base-1.0",
        "sdxl_models/ip-adapter-plus_sdxl_vit-h.safetensors",
    ),
}  # fmt: skip


class IpAdapterGenerator(LatentGenerator):
    """Stable Diffusion whose attention also reads an image embedding.

    Parameters
    ----------
    prompt : dict of str to Tensor
        Encoded text, negative before positive: ``words`` (2, n_words, width) and, for SDXL,
        ``pooled`` (2, width).
    null_options : mapping
        Arguments of `null_image`, for adapters of tokens.
    **parts
        See `LatentGenerator`.

    References
    ----------
    Ye et al. 2023, "IP-Adapter: text compatible image prompt adapter for text-to-image diffusion
    models".
    """

    def __init__(
        self, prompt: Mapping[str, Tensor], null_options: Mapping[str, Any], **parts: Any
    ) -> None:
        super().__init__(**parts)
        self.prompt, self.null_options = dict(prompt), dict(null_options)

    @classmethod
    def load(
        cls,
        weights: str | None = None,
        *,
        xl: bool = False,
        adapter: str = "h94/IP-Adapter",
        adapter_file: str | None = None,
        adapter_scale: float = 1.0,
        image_tower: str = "models/image_encoder",
        prompt: str = "",
        image_size: int | None = None,
        scheduler: str | None = None,
        download: bool = False,
        **memory: Any,
    ) -> IpAdapterGenerator:
        """Open base model and adapter.

        Parameters
        ----------
        weights : str, optional
            Folder of a Stable Diffusion 1.5 or SDXL pipeline, or a repository.
        xl : bool
            Whether it is SDXL.
        adapter : str
            Folder or repository of the adapter.
        adapter_file : str, optional
            Safetensors file in there; the plus adapter, which reads tokens, by default.
        adapter_scale : float
            Weight of the embedding beside the text.
        image_tower : str
            Sub-folder of `adapter` with the image tower, which adapters of tokens need for
            guidance.
        prompt : str
            Text that goes with every picture.
        image_size : int, optional
            Side of the pictures in pixels; 512, or 1024 for SDXL, as trained.
        scheduler : str, optional
            Another solver of diffusers.
        download : bool
            Whether missing files may be fetched.
        **memory
            See `Memory`.

        Returns
        -------
        IpAdapterGenerator
            Takes what the adapter reads: tokens of the last block but one, unnormalised, or
            pooled embeddings.

        Raises
        ------
        ConfigError
            If an option is unknown or impossible.
        WeightsError
            If a file is missing, damaged or another model's.
        """
        name = "sdxl-ip-adapter" if xl else "sd-ip-adapter"
        using, what = Memory.of(memory, name), f"generator {name}"
        weights = weights or _DEFAULTS[name][0]
        file = Component(adapter_file or _DEFAULTS[name][1], "file")
        pipeline, folder = open_stable_diffusion(
            weights, xl=xl, download=download, memory=using, what=what
        )
        found = open_folder(adapter, [file], download=download, half=False, what=what)
        words = _encode(pipeline, prompt, xl, using)
        _attach(pipeline, found.root, file.name, what)
        pipeline.set_ip_adapter_scale(adapter_scale)
        takes = _takes(pipeline.unet, file.name, found.config(f"{image_tower}/config.json"))
        return cls(
            prompt=words,
            null_options={
                "source": adapter, "component": image_tower, "penultimate": True,
                "download": download, "memory": using, "what": what,
            },
            takes=takes,
            name=name,
            unet=pipeline.unet,
            codec=LatentCodec(
                pipeline.vae,
                image_size or pipeline.unet.config.sample_size * pipeline.vae_scale_factor,
                using,
            ),
            scheduler=make_scheduler(scheduler, pipeline.scheduler),
            memory=using,
            provenance={
                "model": name,
                "weights": weights,
                "sha256": folder.digest(UNET),
                "vae_sha256": folder.digest(VAE),
                "adapter": f"{adapter}/{file.name}",
                "adapter_sha256": found.digest(file),
                "adapter_scale": adapter_scale,
                "prompt": prompt,
            },
        )  # fmt: skip

    @cached_property
    def null(self) -> Tensor:
        """Embedding that guidance moves away from: (1, *takes.shape)."""
        if self.takes.array == "pooled":
            return torch.zeros(1, *self.takes.shape)
        return null_image(**self.null_options)

    def _condition(
        self, embeddings: Tensor, guided: bool, noise: list[torch.Generator]
    ) -> Mapping[str, Any]:
        n, to = len(embeddings), {"device": self.memory.device, "dtype": self.unet.dtype}
        sides = [0, 1] if guided else [1]
        if guided:
            embeddings = torch.cat([self.null.expand_as(embeddings), embeddings])

        def rows(values: Tensor) -> Tensor:
            return values[sides].repeat_interleave(n, dim=0).to(**to)

        # one image an item: the adapter sees a list of adapters, each (rows, images, ...)
        added: dict[str, Any] = {"image_embeds": [embeddings[:, None].to(**to)]}
        if "pooled" in self.prompt:
            added["text_embeds"] = rows(self.prompt["pooled"])
            added["time_ids"] = size_ids(self.codec.image_size, len(sides) * n).to(**to)
        return {
            "encoder_hidden_states": rows(self.prompt["words"]),
            "added_cond_kwargs": added,
        }


@torch.inference_mode()
def _encode(pipeline: Any, prompt: str, xl: bool, memory: Memory) -> dict[str, Tensor]:
    """Encode the text once; its towers are not needed again."""
    if xl:
        encoded = encode_sdxl(pipeline, [prompt], memory)
        pipeline.text_encoder_2 = None
    else:
        with resident(pipeline.text_encoder, memory):
            given, null = pipeline.encode_prompt(prompt, memory.device, 1, True, "")
        encoded = {"words": torch.cat([null, given])}
    pipeline.text_encoder = None
    return {name: values.cpu() for name, values in encoded.items()}


def _attach(pipeline: Any, root: Path, name: str, what: str) -> None:
    folder, _, file = name.rpartition("/")
    try:
        with quiet_libraries():
            pipeline.load_ip_adapter(
                str(root), subfolder=folder, weight_name=file, image_encoder_folder=None,
                local_files_only=True, low_cpu_mem_usage=False,
            )  # fmt: skip
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise WeightsError(
            f"{what}: file {root / name}: is no IP-Adapter of this base model "
            f"({str(error).splitlines()[0][:160]})"
        ) from error


def _takes(unet: Any, file: str, tower_config: Mapping[str, Any]) -> Conditioning:
    """What the adapter's projection reads."""
    from diffusers.models.embeddings import ImageProjection

    projection = unet.encoder_hid_proj.image_projection_layers[0]
    tower = _TOWERS.get(file.rpartition("/")[2].removesuffix(".safetensors"))
    if isinstance(projection, ImageProjection):
        width = projection.image_embeds.in_features
        return Conditioning(tower and f"openclip:{tower}", "pooled", (width,))
    # the resampler reads any number of tokens: that of the tower, 257 in those published
    side = tower_config.get("image_size", 224) // tower_config.get("patch_size", 14)
    return Conditioning(
        tower and f"openclip-penultimate:{tower}", "tokens",
        (1 + side**2, projection.proj_in.in_features),
    )  # fmt: skip
