"""Training of the miniature prior: from tokens as a decoder gives them to tokens of scenes."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from neurodecode.nn.diffusion import Diffusion
from neurodecode.nn.prior import PriorTransformer
from neurodecode.tasks.pretrain_channel import DecodingChannel
from neurodecode.tasks.schedules import adamw_cosine

__all__ = ["PretrainPrior"]


class PretrainPrior(pl.LightningModule):
    """Diffusion prior on the tokens of scenes, conditioned on what a decoder would make of them.

    `neurodecode.tasks.prior.PriorTask` goes on from its weights with decoded brains.

    Parameters
    ----------
    n_tokens, token_width : int
        Shape of the CLIP tokens.
    width, depth, n_heads : int
        See `PriorTransformer`.
    n_steps : int
        Steps of the diffusion.
    drop : float
        How often the condition is hidden.
    lr, weight_decay : float
        AdamW.
    warmup : int
        Steps of the warm-up.
    """

    def __init__(
        self,
        n_tokens: int = 17,
        token_width: int = 128,
        width: int = 160,
        depth: int = 3,
        n_heads: int = 4,
        n_steps: int = 100,
        drop: float = 0.15,
        lr: float = 1e-3,
        weight_decay: float = 0.01,
        warmup: int = 100,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.config = {"width": width, "depth": depth, "n_heads": n_heads}
        shape = (n_tokens, token_width)
        self.model = PriorTransformer(shape, shape, residual=True, **self.config)
        self.channel = DecodingChannel(*shape)
        self.diffusion = Diffusion(n_steps, drop)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("deviation", torch.ones(()))

    def setup(self, stage: str) -> None:
        """Take the moments of the training tokens, and learn what decoded ones look like."""
        if stage == "fit":
            tokens = self.trainer.datamodule.sets["train"].tokens
            self.channel.fit(tokens)
            some = tokens[:10_000].float()
            self.mean.copy_(some.mean(dim=0))
            self.deviation.fill_(float(some.var(dim=0).mean().sqrt()))

    def _loss(self, tokens: Tensor) -> Tensor:
        decoded = (self.channel(tokens) - self.mean) / self.deviation
        return self.diffusion.loss(self.model, (tokens - self.mean) / self.deviation, decoded)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Denoise tokens at random steps of the diffusion."""
        loss = self._loss(batch["tokens"])
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Loss of held-out scenes with the same noise each time."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(batch_idx)
            self.log("val/loss", self._loss(batch["tokens"]))

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, warm-up, cosine."""
        total = int(self.trainer.estimated_stepping_batches)
        h = self.hparams
        return adamw_cosine(self.model, h["lr"], h["weight_decay"], h["warmup"], total)
