"""`neurodecode adapt`: a trained model for a subject it has never seen, after a few trials."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurodecode.adaptation.plan import AdaptationPlan
    from neurodecode.adaptation.run import TrainedRun

__all__ = ["HELP", "add_arguments", "run"]

POSTERIOR = "posterior.h5"

HELP = "train a new subject's adapter on a few trials, the rest of a trained model frozen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--from", type=Path, required=True, dest="source", metavar="RUN",
        help="folder of `neurodecode fit`: config.yaml and best.ckpt")  # fmt: skip
    add("--subject", required=True, help="whom the run has never seen; in the same stores")
    add("--trials", required=True, metavar="N",
        help="how many random training trials of the subject to use, a share like 10%%, or"
        " `all`")  # fmt: skip
    add("--rank", type=int, default=0,
        help="also train an update of this rank of trunk and heads (default: none)")  # fmt: skip
    add("--from-scratch", action="store_true",
        help="train a model of the same parts on these trials alone, for comparison")  # fmt: skip
    add("--steps", type=int, default=600, help="of the optimiser (default: %(default)s)")
    add("--lr", type=float, help="peak learning rate (default: that of the run)")
    add("--weight-decay", type=float, help="of matrices (default: that of the run)")
    add("--seed", type=int, default=0, help="of the trials and of training")
    add("--side", choices=("test", "validation"), default="test",
        help="what is predicted in the end (default: %(default)s)")  # fmt: skip
    add("--name", default="",
        help="name under which the scores appear (default: adapted or from_scratch)")  # fmt: skip
    add("--out", type=Path, required=True,
        help="folder: predictions.h5, likelihood.h5 and posterior.h5 (of a decoder, its encoder"
        " and both), best.ckpt, config.yaml")  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Adapt, and predict the new subject.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If the run is missing or broken, knows the subject already, or the subject has fewer
        trials.
    """
    from neurodecode.adaptation.adapt import adapt
    from neurodecode.adaptation.run import TrainedRun
    from neurodecode.folders import atomic_folder

    source = TrainedRun.open(args.source)
    source.check_new(args.subject)
    plan = _plan(args, source.content.get("hyper_parameters", {}))
    with atomic_folder(args.out) as folder:
        adapt(source, plan, folder, args.out, quiet=args.quiet)
        _combine(folder, plan, source)


def _combine(folder: Path, plan: AdaptationPlan, source: TrainedRun) -> None:
    """Decoder and encoder together, where the run is of a decoder."""
    from neurodecode.adaptation.adapt import LIKELIHOOD, PREDICTIONS
    from neurodecode.commands.combine import combine_files
    from neurodecode.splits import read_split
    from neurodecode.store import read_predictions
    from neurodecode.tasks.writer import side_path

    files = [folder / PREDICTIONS, folder / LIKELIHOOD]
    if not all(each.is_file() for each in files):
        return
    data = source.data_arguments
    splits = Path(data.get("splits") or Path(data["stores"]) / "splits.json")
    if read_split(splits).unit != "stimulus":
        return  # nobody could check that weights come from validation alone
    decoded = str(read_predictions(files[0]).attrs["embedding"])
    paths = [Path(each) for each in data["embeddings"].values()]
    combine_files(
        [side_path(each, "validation") for each in files],
        files,
        splits,
        next(each.parent for each in paths if each.stem == decoded),
        folder / POSTERIOR,
        f"{plan.method}_posterior",
    )


def _plan(args: argparse.Namespace, trained: dict) -> AdaptationPlan:
    from neurodecode.adaptation.plan import AdaptationPlan
    from neurodecode.loaders.draw import TrialDraw

    def chosen(name: str) -> float:
        """What is on the command line, or else what the run was trained with."""
        given = getattr(args, name)
        return float(trained[name] if given is None else given)

    return AdaptationPlan(
        subject=args.subject,
        draw=TrialDraw.of(args.trials, args.seed),
        method=args.name or ("from_scratch" if args.from_scratch else "adapted"),
        from_scratch=args.from_scratch,
        rank=args.rank,
        steps=args.steps,
        lr=chosen("lr"),
        weight_decay=chosen("weight_decay"),
        seed=args.seed,
        side=args.side,
    )
