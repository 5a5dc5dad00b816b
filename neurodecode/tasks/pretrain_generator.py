"""Training of the miniature generator: diffusion on latents, given CLIP tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from neurodecode.embed.bundle import read_bundle
from neurodecode.generate.denoiser import MiniDenoiser, normalise_tokens
from neurodecode.generate.noise import training_scheduler
from neurodecode.tasks.pretrain_channel import DecodingChannel
from neurodecode.tasks.schedules import adamw_cosine


class PretrainGenerator(pl.LightningModule):
    """Velocity prediction (Salimans & Ho 2022) with dropped conditions for guidance.

    Each sample is weighted by ``min(snr, snr_cap) / (snr + 1)`` (Hang et al. 2023, in its form
    for velocity prediction).

    Parameters
    ----------
    token_width : int
        Width of the CLIP tokens.
    channels : tuple of int
        See `neurodecode.generate.denoiser.MiniDenoiser`.
    layers, heads, norm_groups : int
        See `neurodecode.generate.denoiser.MiniDenoiser`.
    drop : float
        Share of the samples that are trained without their tokens.
    channel : bool
        Train on tokens as a decoder would give them (`DecodingChannel`) instead of true ones.
    snr_cap : float
        Cap of the signal-to-noise ratio in the weights.
    lr, weight_decay : float
        AdamW.
    warmup : int
        Steps of the warm-up.
    start_from : str, optional
        Folder of a bundle: go on from its weights.
    """

    def __init__(
        self,
        token_width: int = 128,
        channels: tuple[int, ...] = (64, 128),
        layers: int = 1,
        heads: int = 4,
        norm_groups: int = 16,
        drop: float = 0.1,
        channel: bool = True,
        snr_cap: float = 5.0,
        lr: float = 1e-3,
        weight_decay: float = 0.01,
        warmup: int = 100,
        start_from: str | None = None,
    ) -> None:
        super().__init__()
        # checkpoints hold plain values only; a subclass knows the sizes of its data
        self.save_hyperparameters(ignore=["context"])
        self.config = {
            "token_width": token_width, "channels": list(channels), "layers": layers,
            "heads": heads, "norm_groups": norm_groups,
        }  # fmt: skip
        self.model = MiniDenoiser.from_config(self.config)
        if start_from is not None:
            self.model.load_state_dict(read_bundle("mini-generator", Path(start_from))[1])
        self.channel = DecodingChannel(1 + self.model.grid**2, token_width) if channel else None
        self.scheduler = training_scheduler()

    def setup(self, stage: str) -> None:
        """Learn from the training tokens what decoded ones look like."""
        if stage == "fit" and self.channel is not None:
            self.channel.fit(self.trainer.datamodule.sets["train"].tokens)

    def _loss(self, latents: Tensor, tokens: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
        noisy = self.scheduler.add_noise(latents, noise, steps)
        target = self.scheduler.get_velocity(latents, noise, steps)
        # The CPU's fused attention is slower than plain matrix products at these sizes.
        with sdpa_kernel(SDPBackend.MATH):
            velocity = self.model(noisy, steps, tokens).float()
        level = self.scheduler.alphas_cumprod.to(steps.device)[steps]
        snr = level / (1 - level)
        weight = snr.clamp(max=self.hparams["snr_cap"]) / (snr + 1)
        return (weight * (velocity - target).square().mean(dim=(1, 2, 3))).mean()

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Denoise latents at random steps of the schedule."""
        latents, n = batch["latents"], len(batch["latents"])
        tokens = batch["tokens"] if self.channel is None else self.channel(batch["tokens"])
        tokens = normalise_tokens(tokens)
        kept = torch.rand(n, 1, 1, device=tokens.device) >= self.hparams["drop"]
        steps = torch.randint(0, 1000, (n,), device=tokens.device)
        loss = self._loss(latents, tokens * kept, torch.randn_like(latents), steps)
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Loss of held-out scenes with the same noise and steps each time."""
        latents, n = batch["latents"], len(batch["latents"])
        source = torch.Generator().manual_seed(batch_idx)
        noise = torch.randn(latents.shape, generator=source).to(latents)
        steps = torch.linspace(0, 999, n).long().to(latents.device)
        loss = self._loss(latents, normalise_tokens(batch["tokens"]), noise, steps)
        self.log("val/loss", loss, batch_size=n)

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, warm-up, cosine."""
        total = int(self.trainer.estimated_stepping_batches)
        h = self.hparams
        return adamw_cosine(self.model, h["lr"], h["weight_decay"], h["warmup"], total)
