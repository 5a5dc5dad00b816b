"""OpenCLIP towers: patch tokens, pooled image embeddings and text embeddings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from torch import Tensor, nn

from neurodecode.embed.bundle import bundle_digest, open_bundle, read_bundle
from neurodecode.embed.hub import hub_file
from neurodecode.embed.pixels import prepare_images
from neurodecode.embed.tokenizer import load_tokenizer
from neurodecode.errors import ConfigError, DataError, WeightsError
from neurodecode.files import sha256

__all__ = ["OpenClipEmbedder", "build_clip"]

Tokenizer = Callable[[list[str]], Tensor]
_HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def build_clip(config: Mapping[str, Any]) -> CLIP:
    """Build open_clip's ``CLIP`` from its configuration, randomly initialised.

    Parameters
    ----------
    config : mapping
        ``embed_dim``, ``vision_cfg``, ``text_cfg`` and optionally ``quick_gelu``.

    Returns
    -------
    CLIP
        The model.
    """
    return CLIP(
        config["embed_dim"],
        vision_cfg=CLIPVisionCfg(**config["vision_cfg"]),
        text_cfg=CLIPTextCfg(**config["text_cfg"]),
        quick_gelu=config.get("quick_gelu", False),
    )


def image_tokens(
    visual: nn.Module, pixels: Tensor, *, penultimate: bool = False
) -> tuple[Tensor, Tensor]:
    """Run an image tower and keep its last layer, or the one before.

    Parameters
    ----------
    visual : nn.Module
        open_clip's ``VisionTransformer`` (or a timm tower inside open_clip).
    pixels : Tensor of shape (n, 3, height, width)
        Normalised pictures.
    penultimate : bool
        Keep what the last block reads, without a layer norm, as IP-Adapters do.

    Returns
    -------
    tokens : Tensor of shape (n, n_tokens, width)
        All tokens after the final layer norm (or of the last block but one), the class token
        first.
    pooled : Tensor of shape (n, embed_dim)
        The picture's embedding, not normalised.

    Raises
    ------
    ConfigError
        If the tower has no tokens (a ResNet, say).
    """
    layer = _last_block_but_one(visual) if penultimate else _final_norm(visual)
    seen: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        pooled = visual(pixels)
    finally:
        hook.remove()
    if not seen or seen[-1].ndim != 3:
        raise ConfigError("this image tower normalises after pooling and gives no tokens")
    return seen[-1], pooled[0] if isinstance(pooled, tuple) else pooled


def joint_tokens(tokens: Tensor, projection: Tensor | None) -> Tensor:
    """Bring all tokens to the space that pictures and texts share.

    Parameters
    ----------
    tokens : Tensor of shape (n, n_tokens, width)
        From `image_tokens`, the class token first.
    projection : Tensor of shape (width, embed_dim) or None
        Of the image tower.

    Returns
    -------
    Tensor of shape (n, n_tokens, embed_dim)
        In units of the length of the projected class token.

    References
    ----------
    Xu et al. 2023 (Versatile Diffusion); the target of MindEye, STTM and MindBridge.
    """
    projected = tokens if projection is None else tokens @ projection
    return projected / projected[:, :1].norm(dim=-1, keepdim=True)


def _final_norm(visual: nn.Module) -> nn.Module:
    final = getattr(visual, "ln_post", None)
    if final is None:
        final = getattr(getattr(visual, "trunk", None), "norm", None)
    if final is None or isinstance(final, nn.Identity):
        raise ConfigError("this image tower has no final token norm; use a vision transformer")
    return final


def _last_block_but_one(visual: nn.Module) -> nn.Module:
    transformer = getattr(visual, "transformer", None)
    blocks = getattr(transformer, "resblocks", ())
    # without batch_first the block's output is (n_tokens, n, width)
    if len(blocks) < 2 or not transformer.batch_first:
        raise ConfigError("this image tower has no last block but one; use open_clip's own ViT")
    return blocks[-2]


class OpenClipEmbedder:
    """An OpenCLIP model as an embedder.

    Parameters
    ----------
    model : nn.Module
        open_clip model with ``visual`` and ``encode_text``.
    tokenizer : callable
        Texts to token ids.
    name : str
        Name of the embedder.
    mean, std : sequence of float of length 3
        Channel normalisation on the scale 0 to 1.
    provenance : mapping
        Where the weights come from.
    device : str
        Where the model runs.
    penultimate : bool
        Give the tokens of the last block but one.

    Attributes
    ----------
    wanted : tuple of str
        Arrays that `encode_images` returns, of `ARRAYS`.
    """

    #: What there is of a picture.
    ARRAYS = ("tokens", "pooled", "patches", "joint")

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        *,
        name: str,
        mean: Sequence[float],
        std: Sequence[float],
        provenance: Mapping[str, Any],
        device: str = "cpu",
        penultimate: bool = False,
    ) -> None:
        self.penultimate = penultimate
        self.model = model.eval().requires_grad_(False).to(device)
        self.tokenizer, self.name, self.device = tokenizer, name, device
        self.mean, self.std = tuple(mean), tuple(std)
        size = model.visual.image_size
        self.image_size = (size, size) if isinstance(size, int) else tuple(size)
        self.provenance = dict(provenance)
        self.wanted: tuple[str, ...] = ("tokens", "pooled")

    @classmethod
    def bundled(cls, folder: Path | None = None, device: str = "cpu") -> OpenClipEmbedder:
        """Open the bundled miniature CLIP.

        Parameters
        ----------
        folder : Path, optional
            Folder of the bundle.
        device : str
            Where the model runs.

        Returns
        -------
        OpenClipEmbedder
            17 tokens of width 128, embeddings of width 128.

        Raises
        ------
        WeightsError
            If the weights are missing or damaged.
        """
        config, weights = read_bundle("mini-clip", folder)
        model = build_clip(config["model_cfg"])
        model.load_state_dict(weights)
        merges = open_bundle("mini-clip", folder) / "merges.txt.gz"
        return cls(
            model,
            load_tokenizer(merges, config["model_cfg"]["text_cfg"]["context_length"]),
            name="mini-clip",
            mean=config["preprocess_cfg"]["mean"],
            std=config["preprocess_cfg"]["std"],
            provenance={"model": "mini-clip", "sha256": bundle_digest("mini-clip", folder)},
            device=device,
        )

    @classmethod
    def public(cls, variant: str, *, download: bool = False, device: str = "cpu",
               penultimate: bool = False) -> OpenClipEmbedder:  # fmt: skip
        """Open public OpenCLIP weights.

        Parameters
        ----------
        variant : str
            ``ARCHITECTURE/WEIGHTS``; the weights are a tag of open_clip or a file.
        download : bool
            Whether the weights may be fetched.
        device : str
            Where the model runs.
        penultimate : bool
            Give the tokens of the last block but one, as IP-Adapters read them.

        Returns
        -------
        OpenClipEmbedder
            The embedder.

        Raises
        ------
        ConfigError
            If the name is incomplete or unknown, or if activation and weights do not match
            (OpenAI's weights need the architectures named ``-quickgelu``).
        WeightsError
            If the weights are not on this machine.
        """
        architecture, _, tag = variant.partition("/")
        config = open_clip.get_model_config(architecture) if architecture else None
        if config is None or not tag:
            raise ConfigError(
                f"openclip:{variant}: unknown; write openclip:ARCHITECTURE/WEIGHTS, for example "
                "openclip:ViT-L-14-quickgelu/openai"
            )
        weights, preprocess = _public_weights(architecture, tag, config, download)
        model = build_clip(config)
        open_clip.load_checkpoint(model, str(weights), weights_only=True)
        provenance = {"model": architecture, "weights": tag, "sha256": sha256(weights)}
        return cls(
            model,
            open_clip.get_tokenizer(architecture),
            name=f"openclip{'-penultimate' if penultimate else ''}:{variant}",
            mean=preprocess.get("mean") or open_clip.OPENAI_DATASET_MEAN,
            std=preprocess.get("std") or open_clip.OPENAI_DATASET_STD,
            provenance=provenance,
            device=device,
            penultimate=penultimate,
        )

    def choose(self, names: Sequence[str]) -> None:
        """Choose what `encode_images` returns.

        Parameters
        ----------
        names : sequence of str
            Of `ARRAYS`.

        Raises
        ------
        ConfigError
            If there is no such array.
        """
        if unknown := [name for name in names if name not in self.ARRAYS]:
            raise ConfigError(
                f"{self.name} has no array {unknown[0]!r}; it has {', '.join(self.ARRAYS)}"
            )
        self.wanted = tuple(dict.fromkeys(names))
        self.provenance["arrays"] = list(self.wanted)

    @torch.inference_mode()
    def encode_images(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Embed pictures.

        Parameters
        ----------
        images : array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Returns
        -------
        dict
            Of these the wanted ones, by default the first two: ``tokens`` of shape (n, n_tokens,
            width), after the final layer norm (or of the last block but one), class token first;
            ``pooled`` of shape (n, embed_dim), not normalised; ``patches``, the tokens without
            the class token; ``joint`` of shape (n, n_tokens, embed_dim), see `joint_tokens`.
        """
        pixels = prepare_images(images, self.image_size, self.mean, self.std).to(self.device)
        tokens, pooled = image_tokens(self.model.visual, pixels, penultimate=self.penultimate)
        made = {"tokens": tokens, "pooled": pooled, "patches": tokens[:, 1:]}
        if "joint" in self.wanted:
            made["joint"] = joint_tokens(tokens, getattr(self.model.visual, "proj", None))
        return {name: made[name].float().cpu().numpy() for name in self.wanted}

    @torch.inference_mode()
    def pool_tokens(self, tokens: np.ndarray) -> np.ndarray:
        """Pool tokens, such as decoded ones, in the way the tower pools those of a picture.

        Parameters
        ----------
        tokens : array of shape (n, n_tokens, width)
            As ``tokens`` of `encode_images`.

        Returns
        -------
        array of float32 of shape (n, embed_dim)
            As ``pooled`` of `encode_images`.

        Raises
        ------
        ConfigError
            If the tower pools otherwise than by its class token or the mean of its patches, or
            these are tokens of the last block but one.
        DataError
            If the tokens are of another size.
        """
        visual = self.model.visual
        pool = None if self.penultimate else getattr(visual, "pool_type", None)
        if pool not in ("tok", "avg") or getattr(visual, "final_ln_after_pool", False):
            raise ConfigError(f"{self.name}: tokens of this tower cannot be pooled; decode pooled")
        width = visual.ln_post.normalized_shape[0]
        if tokens.ndim != 3 or tokens.shape[2] != width:
            raise DataError(f"tokens {tokens.shape[1:]} where {self.name} has width {width}")
        values = torch.as_tensor(tokens, dtype=torch.float32, device=self.device)
        pooled = values[:, 0] if pool == "tok" else values[:, 1:].mean(dim=1)
        projection = visual.proj
        return (pooled if projection is None else pooled @ projection).float().cpu().numpy()

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Embed texts.

        Parameters
        ----------
        texts : sequence of str of length n
            Captions.

        Returns
        -------
        array of float32 of shape (n, embed_dim)
            Text embeddings, not normalised.
        """
        tokens = self.tokenizer(list(texts)).to(self.device)
        return self.model.encode_text(tokens).float().cpu().numpy()


def _public_weights(architecture: str, tag: str, config: Mapping[str, Any],
                    download: bool) -> tuple[Path, Mapping[str, Any]]:  # fmt: skip
    """Find the weights' file, and how its pictures are normalised."""
    if Path(tag).is_file():
        beside = Path(tag).with_name("open_clip_config.json")
        stored = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
        return Path(tag), stored.get("preprocess_cfg", {})
    pretrained = open_clip.get_pretrained_cfg(architecture, tag)
    if not pretrained:
        known = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
        raise ConfigError(f"openclip:{architecture}/{tag}: no such weights; known: {known}")
    if bool(pretrained.get("quick_gelu")) != bool(config.get("quick_gelu")):
        other = architecture.removesuffix("-quickgelu")
        other = other if config.get("quick_gelu") else f"{architecture}-quickgelu"
        raise ConfigError(
            f"openclip:{architecture}/{tag}: these weights were trained with another activation; "
            f"use openclip:{other}/{tag}"
        )
    repository, _, name = str(pretrained.get("hf_hub") or "").rpartition("/")
    if not repository:
        raise WeightsError(
            f"openclip:{architecture}/{tag}: not on the Hugging Face hub; fetch "
            f"{pretrained.get('url')} and give the file as openclip:{architecture}/FILE"
        )
    names = (name, f"{name.rsplit('.', 1)[0]}.safetensors") if name else _HUB_FILES
    what = f"openclip:{architecture}/{tag}"
    return hub_file(repository, names, download=download, what=what), pretrained
