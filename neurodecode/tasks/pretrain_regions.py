"""Self-supervised pretraining on region time series."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.nn.regions import MaskedRegions
from neurodecode.nn.regions.masked import masked_error, random_mask
from neurodecode.tasks.base import DecodingModule
from neurodecode.tasks.optim import adamw_one_cycle

__all__ = ["PretrainRegions"]


class PretrainRegions(DecodingModule):
    """Hide patches of regions and rebuild them (BrainMAE); no label is used.

    Parameters
    ----------
    context : BuildContext
        Linked from the DataModule: regions, and volumes of a window.
    patch, width, depth, n_heads, attention, adaptive, dropout
        See `neurodecode.nn.regions.MaskedRegions`.
    mask_share : float
        Share of the patches that is hidden.
    whole_regions : float
        Share of the hidden ones that are regions hidden for the whole window.
    lr, weight_decay, warmup : float
        Of `neurodecode.tasks.optim.adamw_one_cycle`.

    Raises
    ------
    ConfigError
        If a share is not between 0 and 1.
    """

    def __init__(
        self,
        context: BuildContext,
        patch: int = 3,
        width: int = 48,
        depth: int = 2,
        n_heads: int = 4,
        attention: str = "softmax",
        adaptive: bool = True,
        dropout: float = 0.0,
        mask_share: float = 0.6,
        whole_regions: float = 0.5,
        lr: float = 2e-3,
        weight_decay: float = 0.05,
        warmup: float = 0.1,
    ) -> None:
        super().__init__(context)
        self.save_hyperparameters(ignore=["context"])
        if not (0 < mask_share < 1 and 0 <= whole_regions <= 1):
            raise ConfigError(
                f"mask_share {mask_share:g} must lie between 0 and 1, whole_regions"
                f" {whole_regions:g} from 0 to 1"
            )
        self.encoder = MaskedRegions(
            n_regions=next(iter(context.n_features.values())),
            n_volumes=next(iter(context.n_times.values())),
            patch=patch, width=width, depth=depth, n_heads=n_heads, attention=attention,
            adaptive=adaptive, dropout=dropout,
        )  # fmt: skip
        self.mask = {"share": mask_share, "whole": whole_regions}
        self.optim = {"lr": lr, "weight_decay": weight_decay, "warmup": warmup}

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW under a one-cycle learning rate."""
        steps = int(self.trainer.estimated_stepping_batches)
        return adamw_one_cycle(self.encoder, steps, **self.optim)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip the gradients."""
        clip_grad_norm_(self.encoder.parameters(), 1.0)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Also note the division of the data: it may not be used in another."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["split"] = self.trainer.datamodule.digest

    def error(self, series: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Hide, rebuild, compare.

        Parameters
        ----------
        series : Tensor of shape (n_batch, n_regions, n_volumes)
            Windows.
        generator : torch.Generator, optional
            Chooses what is hidden.

        Returns
        -------
        Tensor
            Mean squared error of what was hidden.
        """
        patches = self.encoder.patches(series)
        hidden = random_mask(tuple(patches.shape[:3]), **self.mask, generator=generator)
        hidden = hidden.to(series.device)
        return masked_error(self.encoder(series, hidden), patches, hidden)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        """Error of windows of the training runs."""
        loss = self.error(batch)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch),
                 prog_bar=True, sync_dist=True)  # fmt: skip
        return loss

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        """The same of validation runs; the same patches are hidden every time."""
        loss = self.error(batch, torch.Generator().manual_seed(batch_idx))
        self.log("val/loss", loss, batch_size=len(batch), prog_bar=True, sync_dist=True)
