"""Short trainings of listening networks within a division, by Lightning's trainer."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader, RandomSampler

from neurodecode.auditory.excerpts import Excerpts
from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.nn.listening.base import ListeningNetwork
from neurodecode.tasks.encode_callbacks import AveragedWeights
from neurodecode.tasks.listening import ListeningTask

__all__ = ["Course", "train_network"]


@dataclass(frozen=True)
class Course:
    """How long and how a network is trained.

    Parameters
    ----------
    epochs, batches, batch_size : int
        Epochs, batches in each, and excerpts in a batch.
    window_s, hop_s : float
        Length of the excerpts, and from one to the next, in s.
    lr, weight_decay : float
        Peak learning rate, and decay of matrices.
    mixing : float
        Another excerpt's brain is added with up to this weight: noise as it is.
    averaging : float
        Weights that are kept are a moving average; weight of the past in each step.
    seed : int
        Of draws and beginnings.

    Raises
    ------
    ConfigError
        If a number cannot be.
    """

    epochs: int = 6
    batches: int = 16
    batch_size: int = 32
    window_s: float = 5.0
    hop_s: float = 0.5
    lr: float = 1e-3
    weight_decay: float = 1e-2
    mixing: float = 0.0
    averaging: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batches", "batch_size", "window_s", "hop_s", "lr"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name):g}; give a positive number")
        if self.mixing < 0 or not 0 <= self.averaging < 1:
            raise ConfigError("mixing cannot be negative, and averaging lies from 0 to below 1")


class _Curve(Callback):
    """Losses on what is left out, before training and after each epoch."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the loss."""
        self.losses.append(float(trainer.callback_metrics["val/loss"]))


def train_network(
    make: Callable[[], ListeningNetwork],
    data: Excerpts,
    course: Course,
    *,
    validation: Excerpts | None = None,
    epochs: int | None = None,
) -> tuple[ListeningNetwork, list[float]]:
    """Train a network.

    Parameters
    ----------
    make : callable
        Gives the network as training begins with it.
    data : Excerpts
        Training side.
    course : Course
        How.
    validation : Excerpts, optional
        What is left out, to be told how training goes.
    epochs : int, optional
        Stop after so many epochs of the course; its learning rate is not hurried for it.

    Returns
    -------
    network : ListeningNetwork
        Averaged weights, in evaluation mode.
    losses : list of float
        Cross-entropy of `validation` before training and after each epoch; empty without.
    """
    torch.manual_seed(course.seed)
    sizes = {name: each.shape for name, each in data[0].items()}
    context = BuildContext(
        dict.fromkeys(data.subjects, sizes["eeg"][1]), {"sound": tuple(sizes["candidates"][2:])}
    )
    task = ListeningTask(
        context, lambda *_: make(), lr=course.lr, weight_decay=course.weight_decay,
        mixing=course.mixing, steps=course.epochs * course.batches,
    )  # fmt: skip
    n_epochs = course.epochs if epochs is None else epochs
    curve = _Curve()
    draws = RandomSampler(data, replacement=True, num_samples=course.batches * course.batch_size)
    batches = DataLoader(data, course.batch_size, sampler=draws)
    checks = None if validation is None else DataLoader(validation, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of workers and logs that are not wanted here
        trainer = _trainer(n_epochs, [AveragedWeights(course.averaging), curve])
        if checks is not None:
            trainer.validate(task, checks, verbose=False)
        if n_epochs:
            trainer.fit(task, batches, checks)
    return task.network.eval(), curve.losses


def _trainer(epochs: int, callbacks: list[Callback]) -> Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return Trainer(
        accelerator="cpu", devices=1, max_epochs=epochs, num_sanity_val_steps=0, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        callbacks=callbacks,
    )  # fmt: skip
