"""Training an encoder: pictures -> responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from neurodecode.context import BuildContext
from neurodecode.loaders.dataset import Batch
from neurodecode.metrics.functional.correlation import pearson_r
from neurodecode.nn.encoders import SharedCoreEncoder
from neurodecode.nn.encoders.pixels import standardise_images
from neurodecode.tasks.base import DecodingModule
from neurodecode.tasks.optim import adamw_one_cycle
from neurodecode.tasks.validation import RowLog

__all__ = ["EncodeTask", "random_shifts", "shift_images", "small_shifts", "standardise_images"]


class EncodeTask(DecodingModule):
    """Gaussian encoding model of all subjects: squared error of standardised responses.

    Parameters
    ----------
    context : BuildContext
        Sizes of the data, linked from the DataModule.
    encoder : callable
        Makes the network from the context.
    max_shift : int
        Training pictures are shifted by up to this many pixels in each direction; when
        predicting, the mean over the picture and four such shifts is taken.
    lr, weight_decay, warmup : float
        Peak learning rate, weight decay of matrices, and share of steps in which the rate
        rises.
    max_norm : float
        Gradients are scaled down to this norm.
    """

    def __init__(
        self,
        context: BuildContext,
        encoder: Callable[[BuildContext], nn.Module] = SharedCoreEncoder,
        max_shift: int = 2,
        lr: float = 4e-3,
        weight_decay: float = 1e-2,
        warmup: float = 0.15,
        max_norm: float = 1.0,
    ) -> None:
        super().__init__(context)
        self.save_hyperparameters(ignore=["context"])
        self.encoder = encoder(context)
        self.max_shift, self.max_norm = max_shift, max_norm
        self.optim = {"lr": lr, "weight_decay": weight_decay, "warmup": warmup}
        self.validation = RowLog()

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW under a one-cycle learning rate."""
        steps = int(self.trainer.estimated_stepping_batches)
        return adamw_one_cycle(self.encoder, steps, **self.optim)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip the gradients; Lightning refuses to for a fused optimizer in mixed precision."""
        clip_grad_norm_(self.encoder.parameters(), self.max_norm)

    def forward(self, batch: Batch, shifts: Tensor | None = None) -> dict[str, Tensor]:
        """Predict the responses of a batch.

        Parameters
        ----------
        batch : Batch
            With pictures of type uint8 under ``targets["image"]``.
        shifts : Tensor of int of shape (n_batch, 2), optional
            Rows and columns by which each picture is shifted.

        Returns
        -------
        dict of str to Tensor of shape (n_rows, n_features)
            Predicted responses by subject.
        """
        images = standardise_images(batch["targets"]["image"])
        if shifts is not None:
            images = shift_images(images, shifts, self.max_shift)
        return self.encoder({subject: images[rows] for subject, rows in self.split_rows(batch)})

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Mean squared error, each subject counting alike.

        Parameters
        ----------
        batch : Batch
            As the DataModule makes it.
        batch_idx : int
            Not used.

        Returns
        -------
        Tensor
            Scalar.
        """
        n = len(batch["stimulus"])
        shifts = random_shifts(n, self.max_shift, device=batch["stimulus"].device)
        predicted = self(batch, shifts if self.max_shift else None)
        errors = [F.mse_loss(predicted[name], true) for name, true in batch["responses"].items()]
        loss = torch.stack(errors).mean()
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=n,
                 prog_bar=True, sync_dist=True)  # fmt: skip
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep predicted and measured responses.

        Parameters
        ----------
        batch : Batch
            Repeat averages.
        batch_idx : int
            Not used.
        """
        predicted = self(batch)
        for subject, rows in self.split_rows(batch):
            self.validation.add(
                subject,
                batch["stimulus"][rows].tolist(),
                predicted[subject],
                batch["responses"][subject],
            )

    def on_validation_epoch_end(self) -> None:
        """Log the median correlation over neurons, per subject and on average."""
        self.validation.gather()
        medians = {}
        for subject in self.validation.subjects:
            predicted, true = self.validation.pairs(subject)
            medians[subject] = float(pearson_r(predicted, true).nanmedian())
            self.log(f"val/r_{subject}", medians[subject], sync_dist=True)
        self.validation.clear()
        self.log("val/r", sum(medians.values()) / len(medians), prog_bar=True, sync_dist=True)

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Predict responses, averaged over small shifts of the picture.

        Parameters
        ----------
        batch : Batch
            Repeat averages.
        batch_idx : int
            Not used.

        Returns
        -------
        dict
            For each subject: ``stimulus``, ``n_averaged``, and the arrays ``responses``
            (predicted) and ``measured``.
        """
        step = self.max_shift
        places = small_shifts(step)
        n = len(batch["stimulus"])
        total: dict[str, Tensor] = {}
        for place in places:
            shifts = torch.tensor(place, device=batch["stimulus"].device).expand(n, 2)
            for subject, predicted in self(batch, shifts if step else None).items():
                total[subject] = total.get(subject, 0) + predicted.float() / len(places)
        out = {}
        for subject, rows in self.split_rows(batch):
            out[subject] = {
                "stimulus": batch["stimulus"][rows].cpu(),
                "n_averaged": batch["n_averaged"][rows].cpu(),
                "trial": batch["trial"][rows].cpu(),
                "responses": total[subject].cpu(),
                "measured": batch["responses"][subject].float().cpu(),
            }
        return out


def small_shifts(max_shift: int) -> list[tuple[int, int]]:
    """List the shifts over which predictions are averaged.

    Parameters
    ----------
    max_shift : int
        Of the training.

    Returns
    -------
    list of (int, int)
        Rows and columns: none, and, if training shifted, as far in each of four directions.
    """
    step = max_shift
    return [(0, 0), *([(0, step), (0, -step), (step, 0), (-step, 0)] if step else [])]


def random_shifts(n: int, max_shift: int, device: torch.device | None = None) -> Tensor:
    """Draw shifts from torch's global generator, so that a resumed training repeats them.

    Parameters
    ----------
    n : int
        Pictures.
    max_shift : int
        Largest shift in pixels.
    device : torch.device, optional
        Where to put them.

    Returns
    -------
    Tensor of int of shape (n, 2)
        Rows and columns.
    """
    return torch.randint(-max_shift, max_shift + 1, (n, 2)).to(device)


def shift_images(images: Tensor, shifts: Tensor, max_shift: int) -> Tensor:
    """Shift pictures; what comes in repeats the border.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Pictures.
    shifts : Tensor of int of shape (n, 2)
        ``shifted[y, x] = image[y + dy, x + dx]``.
    max_shift : int
        Bound of the shifts.

    Returns
    -------
    Tensor of shape (n, channels, height, width)
        Shifted pictures, channels last in memory.
    """
    height, width = images.shape[2:]
    padded = F.pad(images, (max_shift,) * 4, mode="replicate").permute(0, 2, 3, 1)
    rows = shifts[:, :1] + max_shift + torch.arange(height, device=images.device)
    columns = shifts[:, 1:] + max_shift + torch.arange(width, device=images.device)
    number = torch.arange(len(images), device=images.device)[:, None, None]
    return padded[number, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
