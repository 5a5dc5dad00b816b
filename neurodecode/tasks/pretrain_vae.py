"""Training of the miniature autoencoder: 64-px pictures to 4 x 16 x 16 latents and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from neurodecode.embed.bundle import read_bundle
from neurodecode.tasks.schedules import adamw_cosine


def vae_config(channels: tuple[int, ...], latent_channels: int, norm_groups: int,
               sample_size: int, patch: int) -> dict[str, Any]:  # fmt: skip
    """Give the configuration of a small diffusers ``AutoencoderKL``.

    Parameters
    ----------
    channels : tuple of int
        Channels of each level; every level but the last halves the picture.
    latent_channels : int
        Channels of the latent.
    norm_groups : int
        Groups of the group normalisation.
    sample_size : int
        Side of what the model takes: the pictures' side over `patch`.
    patch : int
        Side of the pixel blocks that are folded into channels before the model. Convolutions at
        full resolution would cost four times as much as all others together.

    Returns
    -------
    dict
        Keyword arguments of ``AutoencoderKL``.
    """
    levels = len(channels)
    return {
        "in_channels": 3 * patch**2,
        "out_channels": 3 * patch**2,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "block_out_channels": list(channels),
        "layers_per_block": 1,
        "latent_channels": latent_channels,
        "norm_num_groups": norm_groups,
        "sample_size": sample_size,
        "mid_block_add_attention": False,
    }


def edge_loss(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference of the pictures' horizontal and vertical differences.

    Parameters
    ----------
    first, second : Tensor of shape (n, channels, height, width)
        Pictures.

    Returns
    -------
    Tensor of shape ()
        The loss.
    """
    error = first - second
    rows = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return rows + (error[..., 1:] - error[..., :-1]).abs().mean()


class PretrainVae(pl.LightningModule):
    """Autoencoder with a slight pull of the latent towards a normal distribution.

    The loss is L1 + 2 * MSE + `edge_weight` * `edge_loss` + `kl_weight` * KL (means over pixels
    and latent entries). There is no adversarial term: drawn scenes are sharp enough without one.

    Parameters
    ----------
    channels : tuple of int
        See `vae_config`.
    latent_channels, norm_groups, sample_size, patch : int
        See `vae_config`.
    lr, weight_decay : float
        AdamW.
    warmup : int
        Steps of the warm-up.
    edge_weight, kl_weight : float
        Weights of the loss.
    decoder_of : str, optional
        Folder of a bundle: start from its autoencoder, and train the decoder only, so that
        latents (and what was trained on them) stay valid.
    """

    def __init__(
        self,
        channels: tuple[int, ...] = (64, 96),
        latent_channels: int = 4,
        norm_groups: int = 16,
        sample_size: int = 32,
        patch: int = 2,
        lr: float = 2e-3,
        weight_decay: float = 0.0,
        warmup: int = 200,
        edge_weight: float = 0.5,
        kl_weight: float = 1e-4,
        decoder_of: str | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.config = vae_config(tuple(channels), latent_channels, norm_groups, sample_size, patch)
        self.model = AutoencoderKL(**self.config)
        if decoder_of is not None:
            _, weights = read_bundle("mini-vae", Path(decoder_of))
            self.model.load_state_dict(weights)
            self.model.encoder.requires_grad_(False)
            self.model.quant_conv.requires_grad_(False)

    def encode(self, images: Tensor) -> Any:
        """Give the posterior of the latent.

        Parameters
        ----------
        images : Tensor of shape (n, 3, height, width)
            Pictures from -1 to 1.

        Returns
        -------
        DiagonalGaussianDistribution
            The posterior.
        """
        return self.model.encode(F.pixel_unshuffle(images, self.hparams["patch"])).latent_dist

    def _decode(self, latents: Tensor) -> Tensor:
        return F.pixel_shuffle(self.model.decode(latents).sample.float(), self.hparams["patch"])

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Reconstruct a batch from a sample of its latent."""
        images = batch["images"].float() / 127.5 - 1.0
        posterior = self.encode(images)
        restored = self._decode(posterior.sample())
        l1, mse = F.l1_loss(restored, images), F.mse_loss(restored, images)
        kl = posterior.kl().mean() / posterior.mean[0].numel()
        loss = l1 + 2 * mse + self.hparams["edge_weight"] * edge_loss(restored, images)
        loss = loss + self.hparams["kl_weight"] * kl
        self.log_dict({"train/loss": loss, "train/l1": l1, "train/mse": mse / 4, "train/kl": kl})
        return loss

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Squared error of held-out pictures, in units of the range 0 to 1."""
        images = batch["images"].float() / 127.5 - 1.0
        latents = self.encode(images).mode()
        restored = self._decode(latents).clamp(-1, 1)
        self.log("val/mse", F.mse_loss(restored, images) / 4)
        self.log("val/latent_std", latents.float().std())

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, warm-up, cosine."""
        total = int(self.trainer.estimated_stepping_batches)
        h = self.hparams
        return adamw_cosine(self.model, h["lr"], h["weight_decay"], h["warmup"], total)
