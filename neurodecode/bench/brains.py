"""The same encoder with each attention mechanism, trained on responses."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Trainer, seed_everything

from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.nn.encoders import ConvCore, RoutingEncoder
from neurodecode.store import Prediction
from neurodecode.tasks.encode import EncodeTask
from neurodecode.tasks.encode_callbacks import AveragedWeights

__all__ = ["NONE", "BrainSettings", "train_with"]

#: Without a block of self-attention: what every mechanism is added to.
NONE = "none"


@dataclass(frozen=True)
class BrainSettings:
    """What is trained, the same for every mechanism.

    Parameters
    ----------
    stores : Path
        Folder with ``sub-<subject>.h5``, ``stimuli.h5`` and ``splits.json``.
    subjects : sequence of str, optional
        Subjects; all by default.
    fold : int
        Fold of the split.
    epochs : int
        Fixed; nothing is chosen on validation.
    width, n_heads : int
        Of tokens.
    channels, kernels, strides : sequence of int
        Of the core; by default 8 x 8 patches of a picture of 64 x 64.
    seed : int
        Of weights, shifts and order.
    """

    stores: Path
    subjects: Sequence[str] | None = None
    fold: int = 0
    epochs: int = 12
    width: int = 64
    n_heads: int = 4
    channels: Sequence[int] = (32, 48)
    kernels: Sequence[int] = (7, 3)
    strides: Sequence[int] = (4, 2)
    image_size: int = 64
    batch_size: int = 128
    lr: float = 4e-3
    seed: int = 0


def train_with(name: str, settings: BrainSettings) -> tuple[list[Prediction], dict[str, Any]]:
    """Train a routing encoder whose patches attend to each other by one mechanism.

    Queries of units are softmax attention in all of them.

    Parameters
    ----------
    name : str
        Mechanism of the registry, or `NONE` for an encoder without the block.
    settings : BrainSettings
        What is trained.

    Returns
    -------
    predictions : list of Prediction
        ``responses`` and ``measured`` of the test stimuli, one for each subject.
    cost : dict
        ``parameters``, of them ``own_parameters`` of the mechanism, and ``train_s``, seconds.
    """
    seed_everything(settings.seed, verbose=False)
    data = EncodingDataModule(
        settings.stores, fold=settings.fold, image_size=settings.image_size,
        subjects=None if settings.subjects is None else list(settings.subjects),
        batch_size=settings.batch_size, seed=settings.seed,
    )  # fmt: skip
    core = partial(ConvCore, settings.channels, settings.kernels, settings.strides)
    encoder = partial(
        RoutingEncoder, core=core, width=settings.width, n_heads=settings.n_heads,
        depth=0 if name == NONE else 1, attention="softmax" if name == NONE else name,
    )  # fmt: skip
    task = EncodeTask(data.context, encoder, lr=settings.lr)
    trainer = Trainer(
        accelerator="cpu", devices=1, max_epochs=settings.epochs, limit_val_batches=0,
        num_sanity_val_steps=0, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[AveragedWeights()],
    )  # fmt: skip
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of workers and logs that are not wanted here
        trainer.fit(task, data)
    seconds = time.perf_counter() - start
    own = [] if name == NONE else list(task.encoder.blocks[0].attention.parameters())
    cost = {
        "parameters": sum(each.numel() for each in task.encoder.parameters()),
        "own_parameters": sum(each.numel() for each in own),
        "train_s": round(seconds, 1),
    }
    return _predict(task.eval(), data, settings.fold), cost


@torch.inference_mode()
def _predict(task: EncodeTask, data: EncodingDataModule, fold: int) -> list[Prediction]:
    """Predict the test stimuli."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for number, batch in enumerate(data.test_dataloader()):
        for subject, made in task.predict_step(batch, number).items():
            parts.setdefault(subject, []).append(made)
    found = []
    for subject, rows in parts.items():
        joined = {key: torch.cat([each[key] for each in rows]).numpy() for key in rows[0]}
        found.append(
            Prediction(
                subject=subject,
                stimulus_id=[data.stimuli[row] for row in joined["stimulus"]],
                arrays={
                    key: joined[key].astype(np.float32) for key in ("responses", "measured")
                },
                candidate_id=[],
                n_averaged=float(joined["n_averaged"].mean()),
                fold=fold,
            )
        )  # fmt: skip
    return found
