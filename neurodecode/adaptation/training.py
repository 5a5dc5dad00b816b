"""Training on a few trials: the same way for whatever is adapted."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

from neurodecode.adaptation.plan import AdaptationPlan
from neurodecode.adaptation.run import TrainedRun
from neurodecode.loaders import ResponseDataModule
from neurodecode.nn.low_rank import merged_state

__all__ = ["fit_plan", "new_trainer"]

#: Times in a training that the validation set is looked at.
_LOOKS = 10


class _LikeThatOfFit(Callback):
    """Makes checkpoints that are read as those of ``neurodecode fit``."""

    def __init__(self, hyper_parameters: Mapping[str, Any]) -> None:
        self.hyper_parameters = dict(hyper_parameters)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Say what the model is built from, and put low-rank updates into their matrices.

        The optimizer's state would double the file, and belongs to the matrices' parts.
        """
        checkpoint["optimizer_states"], checkpoint["lr_schedulers"] = [], []
        # else Lightning asks whoever predicts for the callbacks of the training
        checkpoint["callbacks"] = {}
        checkpoint["hyper_parameters"] = self.hyper_parameters
        checkpoint["state_dict"] = merged_state(checkpoint["state_dict"])


def new_trainer(run: TrainedRun, folder: Path, *, quiet: bool, **settings: Any) -> Trainer:
    """Make a trainer for the device and precision of a run.

    Parameters
    ----------
    run : TrainedRun
        The run that is adapted.
    folder : Path
        Where logs go.
    quiet : bool
        No progress bar.
    **settings
        Of Lightning's trainer.

    Returns
    -------
    Trainer
        For one device.
    """
    # as for `neurodecode fit`: hints about small models on CPUs
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*GPU available but not used.*")
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
    if quiet:
        for name in ("lightning.pytorch", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.WARNING)
    chosen = run.config.get("trainer") or {}
    return Trainer(
        accelerator=chosen.get("accelerator") or "auto",
        devices=1,
        precision=chosen.get("precision"),
        deterministic=chosen.get("deterministic"),
        default_root_dir=folder,
        enable_progress_bar=not quiet,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **settings,
    )


def fit_plan(
    task: LightningModule,
    data: ResponseDataModule,
    run: TrainedRun,
    plan: AdaptationPlan,
    folder: Path,
    *,
    monitor: str,
    quiet: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Train, and keep what is best on the validation set.

    Parameters
    ----------
    task : LightningModule
        With what is not to be trained frozen.
    data : ResponseDataModule
        The new subject's.
    run : TrainedRun
        The run that is adapted.
    plan : AdaptationPlan
        How long.
    folder : Path
        Where ``best.ckpt`` and ``metrics.csv`` go.
    monitor : str
        Logged value that is to be large.
    quiet : bool
        No progress bar.
    callbacks : sequence of Callback
        Further ones.

    Returns
    -------
    Path
        The checkpoint.
    """
    epochs = max(1, math.ceil(plan.steps / len(data.train_dataloader())))
    best = ModelCheckpoint(
        folder, "best", monitor=monitor, mode="max", enable_version_counter=False
    )
    own = _LikeThatOfFit(run.content["hyper_parameters"])
    trainer = new_trainer(
        run,
        folder,
        quiet=quiet,
        max_epochs=epochs,
        check_val_every_n_epoch=max(1, epochs // _LOOKS),
        gradient_clip_val=(run.config.get("trainer") or {}).get("gradient_clip_val"),
        logger=CSVLogger(folder, name="", version=""),
        callbacks=[*callbacks, own, best],
    )
    trainer.fit(task, data)
    return folder / "best.ckpt"
