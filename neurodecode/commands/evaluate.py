"""`neurodecode evaluate`: compare predictions with the truth, write every score as a record."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from neurodecode.evaluation.brain import BrainJudge
    from neurodecode.evaluation.evaluated import Evaluated
    from neurodecode.metrics.records import MetricRecord

    #: How the predictions of a task, method and number of trials were made.
    Made = dict[tuple[str, str, str], Mapping[str, Any]]

__all__ = ["HELP", "add_arguments", "run"]

#: As in `neurodecode.evaluation.matching`, which imports more than ``--help`` should wait for.
MATCHINGS = ("csls", "sinkhorn", "hungarian", "whitening")
#: As in `neurodecode.evaluation.nets`.
NETS = ("alexnet2", "alexnet5", "inception", "clip", "effnet", "swav")
HELP = "compare predictions with the truth: metrics.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    parser.add_argument("--profile", required=True, help="name of the set of runs (mini, real)")
    parser.add_argument(
        "--dataset",
        action="append",
        required=True,
        dest="datasets",
        metavar="NAME",
        help="data set; once for each, followed by its --predictions",
    )
    parser.add_argument("--stores", type=Path, default=Path("data/stores"))
    parser.add_argument("--embeddings", type=Path, default=Path("data/embeddings"))
    parser.add_argument(
        "--predictions",
        type=Path,
        nargs="+",
        action="append",
        required=True,
        metavar="FILE",
        help="predictions of any methods on the data set named before",
    )
    parser.add_argument(
        "--clip",
        default="mini-clip",
        help="embedder whose pooled embedding two_way_clip uses; category_accuracy is measured"
        " where its embedding of the stimuli is among --embeddings",
    )
    parser.add_argument(
        "--no-readout",
        dest="readout",
        action="store_false",
        help="leave category_accuracy of reconstructions out",
    )
    parser.add_argument(
        "--brain-encoders",
        type=Path,
        metavar="FOLDER",
        help="encoders (`neurodecode encoder`) that judge reconstructions of the first data set:"
        " brain_correlation; on other features than an encoder that guided",
    )
    parser.add_argument(
        "--matching",
        nargs="+",
        default=[],
        choices=MATCHINGS,
        help="also score identification with all test items judged together (transductive)",
    )
    parser.add_argument(
        "--nets",
        nargs="*",
        choices=NETS,
        help="published feature networks for reconstructions; clip then takes the place of --clip"
        " in two_way_clip (default: all others whose weights are in torch's cache)",
    )
    parser.add_argument(
        "--untrained-nets",
        action="store_true",
        help="give networks without weights random ones; their records say so",
    )
    parser.add_argument(
        "--drawn",
        type=int,
        default=300,
        help="candidates of retrieval_draws_top1, for test sets that are larger"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--cross-modal",
        action="store_true",
        help="also look for what a method decoded from one data set among what it decoded from each"
        " other, of the same stimuli",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder: metrics.json, tables/")


def run(args: argparse.Namespace) -> None:
    """Score all predictions.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If there is not one group of predictions for each data set.
    DataError
        If predictions, stores or embeddings are missing, broken or do not belong together.
    """
    import pandas as pd

    from neurodecode.errors import ConfigError
    from neurodecode.evaluation.category import TRUE_PICTURES
    from neurodecode.evaluation.differences import paired_differences
    from neurodecode.evaluation.items import extra_keys, items_frame, write_table
    from neurodecode.evaluation.summary import summarise_items
    from neurodecode.evaluation.whole import absent_record, summarise_wholes
    from neurodecode.evaluation.whole_differences import whole_differences
    from neurodecode.metrics.records import write_records

    if args.drawn < 1:
        raise ConfigError(f"--drawn is {args.drawn}; give a positive number")
    if len(args.datasets) != len(args.predictions):
        raise ConfigError("give --predictions once after each --dataset")
    names = (
        "items", "candidates", "confusion", "differences", "generalisation", "units",
        "encoding_differences",
    )  # fmt: skip
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in names}
    records = _cross_modal(args) if args.cross_modal else []
    for dataset, files in zip(args.datasets, args.predictions, strict=True):
        everything, made = _evaluate(args, dataset, files)
        about = {"profile": args.profile, "dataset": dataset}
        records += _over_time(everything, about, tables)
        items = items_frame(everything.scores, dataset)
        records += summarise_items(items, args.profile, made, extra_keys(everything.scores))
        records += summarise_wholes(everything.wholes, about, made)
        records += [
            absent_record(about, *kind, reason) for kind, reason in everything.absent.items()
        ]
        tables["items"].append(items)
        tables["candidates"] += everything.candidates
        tables["confusion"] += everything.confusion
        tables["units"] += everything.units
        encoding = whole_differences(everything.wholes, dataset)
        tables["encoding_differences"] += [encoding] if len(encoding) else []
        together = [name for (_, name, _), about in made.items() if about.get("transductive")]
        differences = paired_differences(items, [*together, TRUE_PICTURES])
        of_all_units = encoding[encoding["region"] == ""].drop(columns="region")
        both = [each for each in (differences, of_all_units.assign(trials="")) if len(each)]
        tables["differences"] += both
    for name, parts in tables.items():
        if parts:
            write_table(args.out / "tables" / f"{name}.csv", pd.concat(parts, ignore_index=True))
    write_records(args.out / "metrics.json", records)


def _cross_modal(args: argparse.Namespace) -> list[MetricRecord]:
    """Records of retrieval across the data sets."""
    from neurodecode.errors import ConfigError, about
    from neurodecode.evaluation.cross_modal import cross_modal_records, open_decoded
    from neurodecode.store import read_predictions

    parts = []
    for dataset, files in zip(args.datasets, args.predictions, strict=True):
        for path in files:
            with about(file=path):
                content = read_predictions(path)
                found = open_decoded(
                    content, dataset, args.stores / dataset, args.embeddings / dataset
                )
            parts += [] if found is None else [found]
    records = cross_modal_records(parts, args.profile)
    if not records:
        raise ConfigError(
            "--cross-modal: no method decoded the same embedding from two of the data sets; give"
            " --predictions of one method for each"
        )
    return records


def _over_time(
    everything: Evaluated, about: dict[str, str], tables: dict[str, list[pd.DataFrame]]
) -> list[MetricRecord]:
    """Records and tables of what was decoded from windows of time."""
    if not everything.courses:
        return []
    from neurodecode.evaluation.course_records import course_records, latency_differences

    for course in everything.courses:
        tables["generalisation"] += course.generalisation(about["dataset"])
    records = [record for each in everything.courses for record in course_records(each, about)]
    return records + latency_differences(everything.courses, about)


def _evaluate(args: argparse.Namespace, dataset: str, files: list[Path]) -> tuple[Evaluated, Made]:
    """Score all files of one data set, and say how the predictions were made."""
    from neurodecode.errors import about
    from neurodecode.evaluation.category import TRUE_PICTURES
    from neurodecode.evaluation.evaluated import Evaluated
    from neurodecode.evaluation.predictions import Evaluator
    from neurodecode.progress import progress_bar
    from neurodecode.store import read_predictions

    stores, embeddings = args.stores / dataset, args.embeddings / dataset
    matching = list(dict.fromkeys(args.matching))
    judge = _judge(args, stores) if dataset == args.datasets[0] else None
    evaluate = Evaluator(
        dataset, stores, embeddings, args.clip, matching, args.readout, args.nets,
        args.untrained_nets, args.drawn, judge,
    )  # fmt: skip
    everything, ceilings = Evaluated(), {}
    features = {"features": args.clip, "encoder": judge.name if judge else None}
    made: Made = {("reconstruction", TRUE_PICTURES, ""): features}
    with progress_bar(f"evaluate {dataset}", len(files), quiet=args.quiet) as advance:
        for number, path in enumerate(files, start=1):
            content = read_predictions(path)
            with about(file=path):
                done = evaluate(content)
            origin = {**content.attrs, **features}
            made |= {(score.task, score.method, score.trials): origin for score in done.scores}
            made |= {(whole.task, whole.method, ""): origin for whole in done.wholes}
            for method, settings in done.matched.items():
                together = {"transductive": True, "settings": settings}
                made["identification", method, ""] = origin | together
            # every file of reconstructions brings it along, and it is the same in all
            ceilings |= {(each.subject, each.fold, each.metric): each for each in done.ceiling}
            everything.add(done)
            advance(number)
    everything.scores += ceilings.values()
    return everything, made


def _judge(args: argparse.Namespace, stores: Path) -> BrainJudge | None:
    if args.brain_encoders is None:
        return None
    from neurodecode.evaluation.brain import BrainJudge
    from neurodecode.splits import read_split

    return BrainJudge(args.brain_encoders, stores, read_split(stores / "splits.json"))
