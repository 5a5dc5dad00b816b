"""The same encoder with each attention mechanism, trained on responses."""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint

from neurodecode.bench.brain_cost import training_cost
from neurodecode.bench.brain_features import FeatureBank, FeatureTask, PatchFeatures
from neurodecode.bench.brain_places import PATCHES, Among, fair_options
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.nn.attention import make_attention
from neurodecode.nn.encoders import ConvCore, RoutingEncoder
from neurodecode.nn.encoders.token_block import TokenBlock
from neurodecode.store import Prediction
from neurodecode.tasks.encode import EncodeTask
from neurodecode.tasks.encode_callbacks import AveragedWeights

__all__ = ["NONE", "BrainSettings", "open_data", "train_with"]

#: Without a block of self-attention: what every mechanism is added to.
NONE = "none"
EXPANSION = 2


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
        Of the one-cycle learning rate; the best epoch is chosen on validation.
    among : {"patches", "queries"}
        What attends by the mechanism: patches to one another, or queries to patches.
    queries : {"unit", "region"}
        What has a query.
    tower : str, optional
        Frozen tower whose patches are attended to; a convolutional core is learned by default.
    layers : sequence of int
        Of the tower.
    width, n_heads : int
        Of tokens.
    channels, kernels, strides : sequence of int
        Of the core; by default 8 x 8 patches of a picture of 64 x 64.
    image_size, batch_size : int
        Pixels of a side, and pictures of a batch.
    lr : float
        Peak learning rate.
    seed : int
        Of weights, shifts and order.
    """

    stores: Path
    subjects: Sequence[str] | None = None
    fold: int = 0
    epochs: int = 20
    among: Among = PATCHES
    queries: Literal["unit", "region"] = "unit"
    tower: str | None = None
    layers: Sequence[int] = (2, 5)
    width: int = 64
    n_heads: int = 4
    channels: Sequence[int] = (32, 48)
    kernels: Sequence[int] = (7, 3)
    strides: Sequence[int] = (4, 2)
    image_size: int = 64
    batch_size: int = 128
    lr: float = 4e-3
    seed: int = 0
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, name: str, side: int) -> dict[str, Any]:
        """Options of a mechanism for so many patches a side."""
        return fair_options(name, side) | dict(self.options.get(name, {}))


def open_data(settings: BrainSettings) -> EncodingDataModule:
    """Open what all trainings share: responses, pictures or the features of a tower.

    Parameters
    ----------
    settings : BrainSettings
        What is trained.

    Returns
    -------
    EncodingDataModule
        The data.
    """
    data = EncodingDataModule(
        settings.stores, fold=settings.fold, image_size=settings.image_size,
        subjects=None if settings.subjects is None else list(settings.subjects),
        batch_size=settings.batch_size, seed=settings.seed,
    )  # fmt: skip
    if settings.tower is not None:
        data.__dict__["bank"] = FeatureBank(data, settings.tower, settings.layers)
    return data


def train_with(
    name: str, settings: BrainSettings, data: EncodingDataModule
) -> tuple[list[Prediction], dict[str, Any]]:
    """Train a routing encoder that attends by one mechanism, at one place.

    Attention at the other place is softmax. What a mechanism among patches has of parameters,
    its block has less in the perceptron.

    Parameters
    ----------
    name : str
        Mechanism of the registry, or `NONE` for an encoder without the block.
    settings : BrainSettings
        What is trained.
    data : EncodingDataModule
        From `open_data`.

    Returns
    -------
    predictions : list of Prediction
        ``responses`` and ``measured`` of the test stimuli, one for each subject.
    cost : dict
        ``parameters``, of them ``own_parameters`` of the mechanism, ``options``, ``epoch`` that
        was best and ``validation`` (correlation every second epoch), and what `training_cost`
        measures.
    """
    seed_everything(settings.seed, verbose=False)
    task = _task(name, settings, data)
    start = time.process_time()
    curve = _fit(task, data, settings)
    seconds = time.process_time() - start
    attention = _attention(task, name, settings)
    own = [] if attention is None else list(attention.parameters())
    side = task.encoder.shape[1]
    cost = {
        "parameters": sum(each.numel() for each in task.encoder.parameters()),
        "own_parameters": sum(each.numel() for each in own),
        "options": settings.of(name, side),
        "validation": curve,
        "train_cpu_s": round(seconds, 1),
        **training_cost(task, data, attention),
    }
    return _predict(task.eval(), data, settings.fold), cost


def _task(name: str, settings: BrainSettings, data: EncodingDataModule) -> EncodeTask:
    patches = settings.among == PATCHES
    routed = {} if patches else {"routing": name}
    core = partial(ConvCore, settings.channels, settings.kernels, settings.strides)
    if settings.tower is not None:
        core = partial(PatchFeatures, data.bank.shape)
    side = core().out_shape(settings.image_size, settings.image_size)[1]
    if not patches:
        routed["routing_options"] = settings.of(name, side)
    encoder = partial(
        RoutingEncoder, core=core, width=settings.width, n_heads=settings.n_heads,
        queries=settings.queries, **routed,
    )  # fmt: skip
    make = EncodeTask if settings.tower is None else FeatureTask
    # a tower sees patches, not pixels: pictures are not shifted
    task = make(data.context, encoder, lr=settings.lr, max_shift=2 if settings.tower is None else 0)
    if patches and name != NONE:
        task.encoder.blocks.append(_block(name, settings, side))
    return task


def _block(name: str, settings: BrainSettings, side: int) -> TokenBlock:
    """Block of equal size whatever the mechanism: its own parameters are taken off the rest."""
    width = settings.width
    attention = make_attention(
        name, settings.n_heads, width // settings.n_heads, settings.of(name, side)
    )
    own = sum(each.numel() for each in attention.parameters())
    hidden = EXPANSION * width - round(own / (2 * width + 1))
    return TokenBlock(width, attention, expansion=hidden / width)


def _attention(task: EncodeTask, name: str, settings: BrainSettings) -> Any:
    if settings.among != PATCHES:
        return task.encoder.route
    return None if name == NONE else task.encoder.blocks[0].attention


class _Curve(Callback):
    """Validation scores, in order."""

    def __init__(self) -> None:
        self.scores: list[float] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the score."""
        self.scores.append(round(float(trainer.callback_metrics["val/r"]), 4))


def _fit(task: EncodeTask, data: EncodingDataModule, settings: BrainSettings) -> list[float]:
    """Train, and go back to the epoch that was best on validation."""
    curve = _Curve()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of workers and logs that are not wanted here
        best = ModelCheckpoint(folder, filename="best", monitor="val/r", mode="max")
        trainer = Trainer(
            accelerator="cpu", devices=1, max_epochs=settings.epochs, num_sanity_val_steps=0,
            check_val_every_n_epoch=min(2, settings.epochs), logger=False,
            enable_progress_bar=False, enable_model_summary=False,
            callbacks=[AveragedWeights(), best, curve],
        )  # fmt: skip
        trainer.fit(task, data)
        kept = torch.load(best.best_model_path, weights_only=True)
        task.load_state_dict(kept["state_dict"])
    return curve.scores


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
