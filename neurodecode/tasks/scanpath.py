"""Training of scanpath models by LightningCLI, and drawing scanpaths with them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from neurodecode.context import BuildContext
from neurodecode.gaze.density_training import density_loss
from neurodecode.gaze.likelihood import fit_beginnings, likelihood
from neurodecode.gaze.looks import Looks
from neurodecode.nn.scanpath.density import FixationDensity
from neurodecode.nn.scanpath.oat import ObjectAttentionTransformer
from neurodecode.nn.scanpath.object_scene import ObjectScene
from neurodecode.nn.scanpath.object_sequences import sequence_loss
from neurodecode.scanpaths import Scanpath
from neurodecode.tasks.base import DecodingModule
from neurodecode.tasks.optim import adamw_one_cycle
from neurodecode.tasks.scanpath_writer import Drawn

__all__ = ["OatTask", "ScanpathDensityTask", "ScanpathTask"]

Batch = dict[str, Tensor]


class ScanpathTask(DecodingModule):
    """What training a scanpath model has in common.

    Parameters
    ----------
    context : BuildContext
        Linked from the DataModule.
    network : nn.Module
        What is trained.
    lr, weight_decay, warmup : float
        Peak learning rate, decay of matrices, and share of steps in which the rate rises.
    max_norm : float
        Gradients are scaled down to this norm.
    n_fixations, n_samples : int
        Length and number of the scanpaths that ``predict`` draws for each picture (and target).
    """

    def __init__(
        self, context: BuildContext, network: nn.Module, lr: float, weight_decay: float,
        warmup: float, max_norm: float, n_fixations: int, n_samples: int,
    ) -> None:  # fmt: skip
        super().__init__(context)
        self.network, self.max_norm = network, max_norm
        self.optim = {"lr": lr, "weight_decay": weight_decay, "warmup": warmup}
        self.n_fixations, self.n_samples = n_fixations, n_samples

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW under a one-cycle learning rate."""
        steps = int(self.trainer.estimated_stepping_batches)
        return adamw_one_cycle(self.network, steps, **self.optim)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip the gradients; Lightning refuses to for a fused optimizer in mixed precision."""
        clip_grad_norm_(self.network.parameters(), self.max_norm)

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Negative log likelihood.

        Parameters
        ----------
        batch : dict of str to Tensor
            From the DataModule.

        Returns
        -------
        Tensor
            Nats a fixation.
        """

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Negative log likelihood of a batch."""
        loss = self.loss(batch)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=_size(batch),
                 prog_bar=True, sync_dist=True)  # fmt: skip
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """The same, of pictures that nothing was learned from."""
        self.log("val/loss", self.loss(batch), batch_size=_size(batch), prog_bar=True,
                 sync_dist=True)  # fmt: skip

    def predict_step(self, batch: str, batch_idx: int) -> Drawn:
        """Draw scanpaths on one picture, for every target and caption that viewers had there.

        Parameters
        ----------
        batch : str
            Name of the picture.
        batch_idx : int
            Seeds the draws.

        Returns
        -------
        Drawn
            `n_samples` for each of them.
        """
        data = self.trainer.datamodule
        model, paths = data.wrap(self.network), data.data.scanpaths
        own = paths.select(paths.stimulus == batch)
        searches = bool(model.needs)
        own = own.select((own.target != "") == searches)
        goals = sorted(set(zip(own.task.tolist(), own.target.tolist(), strict=True)))
        drawn: list[Scanpath] = []
        for number, (task, target) in enumerate(goals):
            found = model.predict(
                data.data.pictures[batch], objects=data.data.objects.get(batch),
                target=target or None, n_fixations=self.n_fixations, n_samples=self.n_samples,
                seed=1000 * batch_idx + number,
            )  # fmt: skip
            drawn += [
                Scanpath(each.x, each.y, each.duration, viewer=each.viewer, stimulus=batch,
                         task=task, target=target, size=each.size)
                for each in found
            ]  # fmt: skip
        return Drawn(drawn)


class OatTask(ScanpathTask):
    """Training of OAT.

    Parameters
    ----------
    context : BuildContext
        Linked from the DataModule (`neurodecode.gaze.search_data.SearchData`).
    network : callable
        Makes the network from the width of the objects' embeddings (None where they are crops).
    lr, weight_decay, warmup, max_norm, n_fixations, n_samples
        See `ScanpathTask`.
    """

    def __init__(
        self,
        context: BuildContext,
        network: Callable[[int | None], nn.Module] = ObjectAttentionTransformer,
        lr: float = 1e-3,
        weight_decay: float = 1e-2,
        warmup: float = 0.3,
        max_norm: float = 1.0,
        n_fixations: int = 12,
        n_samples: int = 8,
    ) -> None:
        described = context.targets["objects"]
        made = network(described[0] if len(described) == 1 else None)
        super().__init__(context, made, lr, weight_decay, warmup, max_norm, n_fixations,
                         n_samples)  # fmt: skip
        self.save_hyperparameters(ignore=["context"])

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of the next object, and of the end."""
        scene = ObjectScene(**{each.name: batch[each.name] for each in fields(ObjectScene)})
        logits = self.network(scene, batch["fixated"])
        return sequence_loss(logits, batch["fixated"], batch["lengths"])


class ScanpathDensityTask(ScanpathTask):
    """Training of the density model by exact likelihood, from the fitted centre bias on.

    Parameters
    ----------
    context : BuildContext
        Linked from the DataModule (`neurodecode.gaze.density_data.DensityData`).
    network : callable
        Makes the network from the grid and the number of features.
    duration_weight : float
        Weight of the durations' likelihood.
    lr, weight_decay, warmup, max_norm, n_fixations, n_samples
        See `ScanpathTask`.
    """

    def __init__(
        self,
        context: BuildContext,
        network: Callable[[tuple[int, int], int], nn.Module] = FixationDensity,
        duration_weight: float = 0.2,
        lr: float = 3e-3,
        weight_decay: float = 0.1,
        warmup: float = 0.3,
        max_norm: float = 1.0,
        n_fixations: int = 9,
        n_samples: int = 8,
    ) -> None:
        features, *grid = context.targets["cells"]
        super().__init__(context, network(tuple(grid), features), lr, weight_decay, warmup,
                         max_norm, n_fixations, n_samples)  # fmt: skip
        self.save_hyperparameters(ignore=["context"])
        self.duration_weight = duration_weight

    def on_fit_start(self) -> None:
        """Fit centre bias and overall durations to the training scanpaths."""
        fit_beginnings(self.network, self.trainer.datamodule.parts["train"][1])

    def loss(self, batch: Batch) -> Tensor:
        """Negative log likelihood of place and duration."""
        return density_loss(self.network, batch["features"], _looks(batch), self.duration_weight)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log likelihood of the place, and what it gains over the centre bias."""
        looks = _looks(batch)
        where = likelihood(self.network, self.network.encode(batch["features"]), looks).where
        prior = self.network.log_prior.flatten()[looks.cell[looks.valid]]
        n = int(looks.valid.sum())
        gain = (where.sum() - prior.sum()) / n / math.log(2)
        for name, value in (("val/log_likelihood", where.sum() / n),
                            ("val/information_gain_bits", gain)):  # fmt: skip
            self.log(name, value, batch_size=n, prog_bar=True, sync_dist=True)


def _looks(batch: Batch) -> Looks:
    return Looks(batch["cell"], batch["duration"], batch["length"])


def _size(batch: Batch) -> int:
    return len(next(iter(batch.values())))
