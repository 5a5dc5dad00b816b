"""Adapting whatever a run has trained."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from lightning.pytorch import seed_everything

from neurodecode.adaptation.decoder import DecoderAdaptation
from neurodecode.adaptation.encoder import EncoderAdaptation
from neurodecode.adaptation.likelihood import NewSubject
from neurodecode.adaptation.plan import AdaptationPlan
from neurodecode.adaptation.run import TrainedRun
from neurodecode.adaptation.training import fit_plan, new_trainer
from neurodecode.adaptation.writer import AdaptedWriter
from neurodecode.errors import WeightsError
from neurodecode.files import atomic_path
from neurodecode.loaders.responses import Side
from neurodecode.store import ResponseStore, write_predictions
from neurodecode.tasks.checkpoints import load_task
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.encode import EncodeTask
from neurodecode.tasks.fewer_trials import counted
from neurodecode.tasks.writer import side_path

__all__ = ["adapt"]

PREDICTIONS = "predictions.h5"
LIKELIHOOD = "likelihood.h5"


def adapt(
    run: TrainedRun, plan: AdaptationPlan, folder: Path, out: Path, *, quiet: bool = False
) -> None:
    """Adapt a run to a new subject, and predict this subject.

    Parameters
    ----------
    run : TrainedRun
        What was trained on others.
    plan : AdaptationPlan
        Whom to adapt to, and how.
    folder : Path
        Empty; predictions and all else go here.
    out : Path
        Where the folder will be in the end: what is written names files there.
    quiet : bool
        No progress bar.

    Raises
    ------
    WeightsError
        If the run is of neither a decoder nor an encoder.
    """
    ways: dict[str, Callable[..., None]] = {
        _path(DecodeTask): _adapt_decoder,
        _path(EncodeTask): _adapt_encoder,
    }
    if run.task not in ways:
        raise WeightsError(
            f"file {run.checkpoint}: checkpoint of {run.task}; adapt takes one of"
            f" {' or '.join(sorted(ways))}"
        )
    # before anything is built: weights are drawn then
    seed_everything(plan.seed, verbose=False)
    ways[run.task](run, plan, folder, out, quiet)


def _path(task: type) -> str:
    return f"{task.__module__}.{task.__qualname__}"


def _adapt_decoder(
    run: TrainedRun, plan: AdaptationPlan, folder: Path, out: Path, quiet: bool
) -> None:
    adaptation = DecoderAdaptation(run, plan, folder)
    task, data = adaptation.build()
    best = fit_plan(task, data, run, plan, folder, monitor="val/top1", quiet=quiet)
    trained = load_task(best, DecodeTask, data.context)
    writer = AdaptedWriter(folder / PREDICTIONS, plan)
    trainer = new_trainer(run, folder, quiet=quiet, logger=False, callbacks=[writer])
    for side in plan.sides:
        data.predict_on = side
        trainer.predict(trained, datamodule=data, return_predictions=False)
        _write_likelihood(adaptation.subject, plan, side, folder)
    _write_config(run, plan, folder, out)


def _write_likelihood(subject: NewSubject, plan: AdaptationPlan, side: Side, folder: Path) -> None:
    """What the encoder behind the synthetic responses makes of the same responses."""
    data = subject.data
    judged = counted(subject.likelihood(side), subject.store, data.split, plan.draw)
    write_predictions(
        side_path(folder / LIKELIHOOD, side),
        f"{plan.method}_likelihood",
        [judged],
        _likelihood_attrs(plan, subject.store, side),
    )


def _likelihood_attrs(plan: AdaptationPlan, store: ResponseStore, side: str) -> dict[str, Any]:
    return {
        "task": "adaptation",
        "trials": plan.label,
        "dataset": store.dataset,
        "side": side,
        "scale": "nats",
        "selection_split": "validation",
        "transductive": False,
        "seed": plan.seed,
    }


def _adapt_encoder(
    run: TrainedRun, plan: AdaptationPlan, folder: Path, out: Path, quiet: bool
) -> None:
    adaptation = EncoderAdaptation(run, plan, folder)
    data = adaptation.data
    store = data.stores[plan.subject]
    found = counted(adaptation.identify(quiet=quiet), store, data.split, plan.draw)
    attrs = _likelihood_attrs(plan, store, plan.side)
    write_predictions(side_path(folder / PREDICTIONS, plan.side), plan.method, [found], attrs)


def _write_config(run: TrainedRun, plan: AdaptationPlan, folder: Path, out: Path) -> None:
    """Configuration with which ``predict`` and ``export`` find the adapted decoder's data."""
    config: dict[str, Any] = deepcopy(dict(run.config))
    config["data"]["init_args"] |= {
        "subjects": [plan.subject],
        "trials": plan.draw.label,
        "trials_seed": plan.draw.seed,
        "synthetic": None,  # served training, and is gone
    }
    config["seed_everything"] = plan.seed
    config["ckpt_path"] = None
    writer = {
        "class_path": "neurodecode.tasks.writer.PredictionWriter",
        "init_args": {"path": str(out / PREDICTIONS), "method": plan.method},
    }
    config["trainer"] |= {"callbacks": [writer], "default_root_dir": str(out), "logger": False}
    with atomic_path(folder / "config.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
