"""What all training tasks share: safe checkpoints that resume exactly."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.loaders.dataset import Batch
from neurodecode.tasks.checkpoints import (
    CONTEXT_KEY,
    check_context,
    plain_context,
    plain_hyperparameters,
)

__all__ = ["DecodingModule"]


class DecodingModule(LightningModule):
    """LightningModule whose checkpoints carry the sizes of the data and the random state.

    A checkpoint holds plain types and tensors only, so that it loads with
    ``weights_only=True``; with the random state restored, an interrupted training goes on as
    if nothing had happened.

    Parameters
    ----------
    context : BuildContext
        Sizes of the data.
    """

    def __init__(self, context: BuildContext) -> None:
        super().__init__()
        self.build_context = context
        self._random_state: dict[str, Tensor] = {}

    @property
    def n_epochs(self) -> int:
        """Epochs of the whole training, from ``trainer.max_epochs``."""
        epochs = self.trainer.max_epochs
        if epochs is None or epochs < 1:
            raise ConfigError("trainer.max_epochs must be set: the phases of training follow it")
        return epochs

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add sizes and random state; drop hyper-parameters that are not plain values."""
        checkpoint[CONTEXT_KEY] = plain_context(self.build_context)
        checkpoint["random_state"] = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            checkpoint["random_state"]["cuda"] = torch.cuda.get_rng_state(self.device)
        if "hyper_parameters" in checkpoint:
            checkpoint["hyper_parameters"] = plain_hyperparameters(checkpoint["hyper_parameters"])

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint for data of other sizes, and remember its random state."""
        check_context(checkpoint[CONTEXT_KEY], self.build_context)
        self._random_state = checkpoint["random_state"]

    def on_train_start(self) -> None:
        """Go on with the random numbers where the checkpoint was written."""
        if "cpu" in self._random_state:
            torch.set_rng_state(self._random_state["cpu"].cpu())
        if "cuda" in self._random_state and self.device.type == "cuda":
            torch.cuda.set_rng_state(self._random_state["cuda"].cpu(), self.device)
        self._random_state = {}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Where several batches make up one step, give each random numbers of its own.

        Dropout and mixing of a batch then follow from its number in the epoch alone: processes
        do not repeat each other's, a restart needs no state of theirs, and two processes compute
        what one does that accumulates the gradients of two batches. With one batch a step the
        stream of the checkpoint goes on.

        Parameters
        ----------
        batch : Batch
            Not used.
        batch_idx : int
            Number of the batch in the epoch, counted on this device.
        """
        world = self.trainer.world_size
        if world * self.trainer.accumulate_grad_batches == 1:
            return
        number = batch_idx * world + self.trainer.global_rank
        # Lightning keeps the seed of the run here
        run_seed = int(os.environ.get("PL_GLOBAL_SEED", 0))
        sequence = np.random.SeedSequence([run_seed, self.current_epoch, number])
        torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0]))

    def split_rows(self, batch: Batch) -> list[tuple[str, slice]]:
        """Rows of each subject in a batch.

        Parameters
        ----------
        batch : Batch
            As the DataModule makes it.

        Returns
        -------
        list of (str, slice)
            Subject and its rows, in order.
        """
        parts, start = [], 0
        for subject, responses in batch["responses"].items():
            parts.append((subject, slice(start, start + len(responses))))
            start += len(responses)
        return parts

    def by_subject(self, batch: Batch, arrays: dict[str, Tensor]) -> dict[str, Any]:
        """Divide the rows of a batch among its subjects.

        Parameters
        ----------
        batch : Batch
            The batch.
        arrays : dict of str to Tensor of shape (n_batch, ...)
            Predictions.

        Returns
        -------
        dict of str to dict of str to Tensor
            By subject, then by name.
        """
        columns = {**arrays, **{name: batch[name] for name in ("stimulus", "n_averaged", "trial")}}
        return {
            subject: {
                name: _on_cpu(torch.as_tensor(values[rows])) for name, values in columns.items()
            }
            for subject, rows in self.split_rows(batch)
        }


def _on_cpu(values: Tensor) -> Tensor:
    values = values.detach().cpu()
    # mixed precision leaves bfloat16, which numpy and HDF5 do not know
    return values.float() if values.dtype == torch.bfloat16 else values
