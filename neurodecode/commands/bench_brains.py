"""`neurodecode bench attention --brains`: which mechanism predicts the brain best?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodecode.bench.brains import BrainSettings
    from neurodecode.evaluation.whole import WholeScore
    from neurodecode.store import Prediction

__all__ = ["add_brain_arguments", "compare_on_brains"]

#: What all are compared with.
REFERENCE = "softmax"


def add_brain_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the comparison on brains.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of `neurodecode bench`.
    """
    add = parser.add_argument_group("on brains").add_argument
    add("--brains", type=Path, metavar="STORES",
        help="train the same encoder with each mechanism on these stores, and score it on their"
        " test stimuli; other comparisons in the file of results stay in it")  # fmt: skip
    add("--among", choices=["patches", "queries"], default="patches",
        help="patches attend to one another by the mechanism, or learned queries to the patches"
        " (default: %(default)s)")  # fmt: skip
    add("--queries", choices=["unit", "region"], default="unit",
        help="what has a learned query (default: %(default)s)")  # fmt: skip
    add("--tower", metavar="NAME",
        help="frozen tower whose patches are attended to, e.g. mini-clip (default: learn a"
        " convolutional core)")  # fmt: skip
    add("--subjects", nargs="+", help="subjects to train on (default: all)")
    add("--fold", type=int, default=0)
    add("--epochs", type=int, default=20, help="of every training (default: %(default)s)")
    add("--batch-size", type=int, default=64, metavar="N", help="pictures (default: %(default)s)")
    add("--seed", type=int, default=0)
    add("--keep", type=Path, metavar="FOLDER",
        help="keep what each training predicted, and take what is done from there")  # fmt: skip


def compare_on_brains(args: argparse.Namespace, out: Path) -> dict[str, Any]:
    """Train the same encoder with each mechanism and score it on the test stimuli.

    Parameters
    ----------
    args : argparse.Namespace
        Options of `neurodecode bench`.
    out : Path
        File of results; what it holds of other stores and places is kept.

    Returns
    -------
    dict
        ``comparisons``, each with ``settings``, ``left_out`` (mechanism -> why) and ``rows``:
        mechanism, median correlation over units (mean over subjects) with its interval,
        difference to softmax with its interval, and what the training cost.

    Raises
    ------
    ConfigError
        If a mechanism, subject or fold is unknown.
    DataError
        If stores are missing or broken, or `out` holds something else.
    """
    from dataclasses import asdict

    from neurodecode.bench.attention import known_mechanisms
    from neurodecode.bench.brain_places import PATCHES, reason_against
    from neurodecode.bench.brains import NONE, BrainSettings, open_data, train_with
    from neurodecode.nn.attention import ATTENTION
    from neurodecode.progress import progress_bar
    from neurodecode.splits import read_split

    before = _comparisons(out)
    names = args.mechanisms or [*([NONE] if args.among == PATCHES else []), *known_mechanisms()]
    for name in names:
        if name != NONE:
            ATTENTION[name]  # refuses unknown ones before anything is trained
    names = [REFERENCE, *(name for name in names if name != REFERENCE)]
    left_out = {n: why for n in names if (why := reason_against(n, args.among))}
    names = [name for name in names if name not in left_out]
    settings = BrainSettings(
        args.brains, args.subjects, args.fold, args.epochs, args.among, args.queries, args.tower,
        batch_size=args.batch_size, seed=args.seed,
    )  # fmt: skip
    split = read_split(args.brains / "splits.json")
    data = open_data(settings)
    costs, scores = {}, []
    with progress_bar("encoders", len(names), quiet=args.quiet) as advance:
        for done, name in enumerate(names, start=1):
            kept = None if args.keep is None else args.keep / f"{name}.h5"
            made = _kept(kept, settings)
            if made is None:
                made = train_with(name, settings, data)
                _keep(kept, name, made, settings)
            predictions, costs[name] = made
            for each in predictions:
                scores += _scores(each, name, split.folds[args.fold].test)
            advance(done)
    about = asdict(settings) | {"stores": str(settings.stores)}
    rows = _rows(scores, costs, args.brains.name)
    new = {"settings": about, "left_out": left_out, "rows": rows}
    return {"comparisons": [*(c for c in before if _key(c) != _key(new)), new]}


def _key(comparison: dict[str, Any]) -> tuple[str, str]:
    return comparison["settings"]["stores"], comparison["settings"]["among"]


def _comparisons(out: Path) -> list[dict[str, Any]]:
    """What a file of results holds already."""
    from neurodecode.errors import DataError

    if not out.exists():
        return []
    try:
        found = json.loads(out.read_text(encoding="utf-8"))["results"]["comparisons"]
        [_key(each) for each in found]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "not a comparison of mechanisms", file=out, fix="give another --out, or remove it"
        ) from error
    return found


def _keep(
    path: Path | None, name: str, made: tuple[list[Prediction], dict], settings: BrainSettings
) -> None:
    from neurodecode.store import write_predictions

    if path is not None:
        write_predictions(path, name, made[0], {"cost": made[1], "settings": repr(settings)})


def _kept(
    path: Path | None, settings: BrainSettings
) -> tuple[list[Prediction], dict[str, Any]] | None:
    """What an earlier run left, if it was made with the same settings."""
    from neurodecode.store import read_predictions

    if path is None or not path.exists():
        return None
    found = read_predictions(path)
    if found.attrs.get("settings") != repr(settings):
        return None
    return found.predictions, found.attrs["cost"]


def _scores(prediction: Any, name: str, test: list[str]) -> list[WholeScore]:
    from neurodecode.evaluation.encoding import encoding_scores, unit_scores

    # significance of single units is not asked for
    found = encoding_scores(prediction, name, unit_scores(prediction, test, n_permutations=0))
    return [each for each in found if each.metric == "pearson_r"]


def _rows(
    scores: list[WholeScore], costs: dict[str, dict[str, Any]], dataset: str
) -> list[dict[str, Any]]:
    """One row a mechanism, the best first."""
    from neurodecode.evaluation.whole import summarise_wholes
    from neurodecode.evaluation.whole_differences import whole_differences

    made = {("encoding", name, ""): {"selection_split": "validation"} for name in costs}
    records = summarise_wholes(scores, {"profile": "bench", "dataset": dataset}, made)
    several = len({each.subject for each in scores}) > 1
    differences = whole_differences(scores, dataset)
    rows = []
    for record in records:
        if several and record.subject != "mean":
            continue
        row = {
            "mechanism": record.method, "pearson_r": record.value, "ci_low": record.ci_low,
            "ci_high": record.ci_high, "n": record.n, **costs[record.method],
        }  # fmt: skip
        against = differences[
            (differences["method"] == record.method)
            & (differences["baseline"] == REFERENCE)
            & (differences["subject"] == record.subject)
        ]
        if len(against):
            found = against.iloc[0]
            row |= {
                "minus_softmax": float(found["difference"]), "minus_softmax_low": found["ci_low"],
                "minus_softmax_high": found["ci_high"],
            }  # fmt: skip
        rows.append({k: round(v, 4) + 0.0 if isinstance(v, float) else v for k, v in row.items()})
    return sorted(rows, key=lambda row: -row["pearson_r"])
