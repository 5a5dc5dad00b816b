"""Any timm model as an embedder, DINOv2 for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import timm
import torch
from timm.data import resolve_model_data_config
from torch import nn

from neurodecode.embed.hub import hub_file
from neurodecode.embed.pixels import prepare_images
from neurodecode.errors import ConfigError, WeightsError
from neurodecode.files import sha256

__all__ = ["TimmEmbedder"]

_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


class TimmEmbedder:
    """A timm model as an embedder.

    Parameters
    ----------
    model : nn.Module
        timm model with ``forward_features`` and ``forward_head``.
    name : str
        Name of the embedder.
    provenance : mapping
        Where the weights come from.
    device : str
        Where the model runs.
    """

    def __init__(
        self, model: nn.Module, *, name: str, provenance: Mapping[str, Any], device: str = "cpu"
    ) -> None:
        self.model = model.eval().requires_grad_(False).to(device)
        self.name, self.device, self.provenance = name, device, dict(provenance)
        self.data = resolve_model_data_config(model)

    @classmethod
    def public(cls, variant: str, *, download: bool = False, device: str = "cpu") -> TimmEmbedder:
        """Open public weights.

        Parameters
        ----------
        variant : str
            timm's name with its tag, such as ``vit_base_patch14_dinov2.lvd142m``.
        download : bool
            Whether the weights may be fetched.
        device : str
            Where the model runs.

        Returns
        -------
        TimmEmbedder
            The embedder.

        Raises
        ------
        ConfigError
            If timm knows no such model.
        WeightsError
            If the weights are not on this machine.
        """
        if not variant or not timm.is_model(variant.split(".")[0]):
            raise ConfigError(
                f"timm:{variant}: no such model; timm.list_models(pretrained=True) lists them"
            )
        try:
            pretrained = timm.get_pretrained_cfg(variant)
        except RuntimeError:  # what timm raises for an unknown tag
            pretrained = None
        repository = pretrained.hf_hub_id if pretrained else None
        if not repository:
            raise WeightsError(f"timm:{variant}: no public weights under this name and tag")
        weights = hub_file(repository, _HUB_FILES, download=download, what=f"timm:{variant}")
        overlay = {"file": str(weights)}
        model = timm.create_model(
            variant, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay
        )
        provenance = {"model": variant, "repository": repository, "sha256": sha256(weights)}
        return cls(model, name=f"timm:{variant}", provenance=provenance, device=device)

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
            ``tokens`` of shape (n, n_tokens, width): the last feature map, row by row, with its
            prefix tokens where the model has them; ``pooled`` of shape (n, width).
        """
        size, crop = self.data["input_size"][1:], self.data["crop_pct"]
        pixels = prepare_images(
            images, size, self.data["mean"], self.data["std"], crop_share=crop
        ).to(self.device)
        features = self.model.forward_features(pixels)
        pooled = self.model.forward_head(features, pre_logits=True)
        tokens = features if features.ndim == 3 else _flat(features, self.model.num_features)
        return {"tokens": tokens.float().cpu().numpy(), "pooled": pooled.float().cpu().numpy()}


def _flat(features: torch.Tensor, width: int) -> torch.Tensor:
    """Turn a feature map, channels first or last, into tokens of shape (n, n_tokens, width)."""
    if features.shape[-1] == width and features.shape[1] != width:
        return features.flatten(1, 2)
    return features.flatten(2).transpose(1, 2)
