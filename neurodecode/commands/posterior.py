"""`neurodecode posterior`: pictures as the mean of scenes that would have been answered alike."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError, DataError, about

if TYPE_CHECKING:
    import numpy as np

    from neurodecode.adaptation.run import TrainedRun
    from neurodecode.loaders.encoding import EncodingDataModule
    from neurodecode.store import Prediction
    from neurodecode.tasks.encode import EncodeTask

__all__ = ["HELP", "add_arguments", "run"]

HELP = "reconstruct from a bank of pictures: their mean under the likelihood of an encoder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--encoders", type=Path, nargs="+", required=True, metavar="RUN",
        help="folders of `neurodecode fit` of encoders of one fold, with predictions.h5; several"
        " are stacked")  # fmt: skip
    add("--subjects", nargs="+", help="whose pictures; by default all that the encoders know")
    add("--side", choices=("test", "validation"), default="test",
        help="whose stimuli are reconstructed (default: %(default)s)")  # fmt: skip
    add("--prior-only", action="store_true",
        help="control: the mean of the bank, without a brain")  # fmt: skip
    add("--method", default="", help="name in the tables (default: guided, or prior_only)")
    add("--out", type=Path, required=True, help="HDF5 file of reconstructions to write")


def run(args: argparse.Namespace) -> None:
    """Reconstruct the held-out stimuli of every subject from the training pictures of all.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If runs or data are missing, broken or do not belong together.
    """
    from neurodecode.adaptation.run import TrainedRun
    from neurodecode.progress import progress_bar
    from neurodecode.store import write_predictions
    from neurodecode.tasks.checkpoints import load_task
    from neurodecode.tasks.encode import EncodeTask

    runs = [TrainedRun.open(each) for each in args.encoders]
    data: EncodingDataModule = runs[0].data(subjects=None)
    for each in runs:
        _check(each, runs[0])
    tasks = [load_task(each.checkpoint, EncodeTask, each.data().context).eval() for each in runs]
    files = [_predicted(each) for each in runs]
    subjects = args.subjects or runs[0].subjects
    if unknown := sorted(set(subjects) - set(runs[0].subjects)):
        known = ", ".join(runs[0].subjects)
        raise ConfigError(f"--subjects {unknown[0]}: the encoders know {known}")
    drawn = []
    with progress_bar("averaging pictures", len(subjects), quiet=args.quiet) as advance:
        for subject in subjects:
            predicted = [each[subject] for each in files]
            drawn.append(_reconstruct(data, subject, tasks, predicted, args))
            advance(1)
    names = "+".join(path.parent.name if _is_fold(path) else path.name for path in args.encoders)
    attrs = {
        "task": "reconstruction",
        "dataset": data.stores[subjects[0]].dataset,
        "side": args.side,
        "generator": {"model": "bank", "side": "train", "size": data.image_size},
        "selection_split": "validation",
        "transductive": False,
        "seed": 0,
    }
    attrs |= {"control": True} if args.prior_only else {"guide": {"embedder": names}}
    method = args.method or ("prior_only" if args.prior_only else "guided")
    write_predictions(args.out, method, drawn, attrs)


def _is_fold(path: Path) -> bool:
    return path.name.startswith("fold-")


def _check(one: TrainedRun, first: TrainedRun) -> None:
    """Refuse encoders of other data or of another fold."""
    for name in ("stores", "fold", "image_size"):
        values = [each.data_arguments.get(name) for each in (first, one)]
        if values[0] != values[1]:
            raise ConfigError(
                f"{one.checkpoint.parent}: data.{name} is {values[1]}, that of"
                f" {first.checkpoint.parent} is {values[0]}; give encoders of the same data"
            )


def _predicted(run: TrainedRun) -> dict[str, Prediction]:
    from neurodecode.store import read_predictions

    found = [folder / "predictions.h5" for folder in run.checkpoint.parents[:2]]
    path = next((each for each in found if each.is_file()), found[-1])
    with about(file=path):
        by_subject = {each.subject: each for each in read_predictions(path).predictions}
        if lacking := sorted(set(run.subjects) - set(by_subject)):
            raise DataError(
                "no predictions of this subject",
                subject=lacking[0],
                fix="run `neurodecode predict` of the encoder again",
            )
    return by_subject


def _bank_rows(data: EncodingDataModule) -> np.ndarray:
    """Pictures on which nobody is tested or validated."""
    import numpy as np

    if data.split.unit != "stimulus":
        raise DataError(
            f"the split is by {data.split.unit}: its held-out stimuli would be in the bank",
            field="splits",
            fix="prepare again with a split by stimulus",
        )
    training = set(data.split.folds[data.fold].sides()["train"])
    return np.array([row for row, name in enumerate(data.stimuli) if name in training])


def _reconstruct(
    data: EncodingDataModule,
    subject: str,
    tasks: list[EncodeTask],
    predicted: list[Prediction],
    args: argparse.Namespace,
) -> Prediction:
    import numpy as np

    from neurodecode.loaders.table import TrialTable
    from neurodecode.store import Prediction
    from neurodecode.tasks.posterior_mean import bank_weights, mean_pictures, predict_pictures

    store = data.stores[subject]
    table = TrialTable.load(store, data.split, data.fold, ("train",))
    bank = data.bank.read("image", _bank_rows(data))
    measured = table.average(args.side)
    if args.prior_only:
        weights = np.full((len(measured.stimulus_id), len(bank)), 1 / len(bank))
    else:
        answers = [predict_pictures(task, subject, bank) for task in tasks]
        weights = bank_weights(store, table, data.fold, predicted, answers, args.side)
    return Prediction(
        subject=subject,
        stimulus_id=measured.stimulus_id.tolist(),
        arrays={"images": mean_pictures(bank.permute(0, 2, 3, 1).numpy(), weights)},
        n_averaged=float(measured.n_averaged.mean()),
        fold=data.fold,
    )
