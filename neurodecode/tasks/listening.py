"""Training of listening networks: which of the candidates is attended?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurodecode.context import BuildContext
from neurodecode.nn.listening.base import ListeningNetwork
from neurodecode.nn.listening.inception import InceptionAttention
from neurodecode.tasks.base import DecodingModule
from neurodecode.tasks.optim import adamw_one_cycle

__all__ = ["ListeningTask"]

Batch = dict[str, Tensor]


class ListeningTask(DecodingModule):
    """Cross-entropy of the attended among the candidates.

    Parameters
    ----------
    context : BuildContext
        Linked from the DataModule: channels of the subjects, ``targets["sound"]`` (features,).
    network : callable
        Makes the network from the numbers of channels and of features.
    lr, weight_decay, warmup : float
        Peak learning rate, decay of matrices, and share of steps in which the rate rises.
    mixing : float
        In training, the brain of another excerpt is added with a weight up to this: noise as
        brains make it.
    steps : int, optional
        Over how many the learning rate goes up and down (default: the whole training).
    """

    def __init__(
        self,
        context: BuildContext,
        network: Callable[[int, int], ListeningNetwork] = InceptionAttention,
        lr: float = 1e-3,
        weight_decay: float = 1e-2,
        warmup: float = 0.1,
        mixing: float = 0.0,
        steps: int | None = None,
    ) -> None:
        super().__init__(context)
        n_channels = next(iter(context.n_features.values()))
        self.network: nn.Module = network(n_channels, context.targets["sound"][0])
        self.optim = {"lr": lr, "weight_decay": weight_decay, "warmup": warmup}
        self.mixing, self.steps = mixing, steps

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW under a one-cycle learning rate."""
        steps = self.steps or int(self.trainer.estimated_stepping_batches)
        return adamw_one_cycle(self.network, steps, **self.optim)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Cross-entropy of a batch."""
        eeg = batch["eeg"]
        if self.mixing:
            share = self.mixing * torch.rand(len(eeg), 1, 1, device=eeg.device)
            eeg = eeg + share * eeg[torch.randperm(len(eeg), device=eeg.device)]
        logits = self.network(eeg, batch["candidates"])
        loss = F.cross_entropy(logits, batch["attended"])
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(logits))
        return loss

    @torch.no_grad()
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Cross-entropy and share of right answers, of trials that nothing was learned from."""
        logits = self.network(batch["eeg"], batch["candidates"])
        right = (logits.argmax(1) == batch["attended"]).float().mean()
        loss = F.cross_entropy(logits, batch["attended"])
        self.log_dict({"val/loss": loss, "val/accuracy": right}, batch_size=len(logits))
