"""`neurodecode bench attention --brains`: which mechanism predicts the brain best?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodecode.evaluation.whole import WholeScore

__all__ = ["compare_on_brains"]

#: What all are compared with.
REFERENCE = "softmax"


def compare_on_brains(args: argparse.Namespace) -> dict[str, Any]:
    """Train the same encoder with each mechanism and score it on the test stimuli.

    Parameters
    ----------
    args : argparse.Namespace
        Options of `neurodecode bench`.

    Returns
    -------
    dict
        ``settings`` and ``rows``: mechanism, median correlation over units (mean over subjects)
        with its interval, difference to softmax with its interval, parameters, seconds.

    Raises
    ------
    ConfigError
        If a mechanism, subject or fold is unknown.
    DataError
        If stores are missing or broken.
    """
    from dataclasses import asdict

    from neurodecode.bench.attention import known_mechanisms
    from neurodecode.bench.brains import NONE, BrainSettings, train_with
    from neurodecode.nn.attention import ATTENTION
    from neurodecode.progress import progress_bar
    from neurodecode.splits import read_split

    names = args.mechanisms or [NONE, *known_mechanisms()]
    for name in names:
        if name != NONE:
            ATTENTION[name]  # refuses unknown ones before anything is trained
    names = [REFERENCE, *(name for name in names if name != REFERENCE)]
    settings = BrainSettings(args.brains, args.subjects, args.fold, args.epochs, seed=args.seed)
    split = read_split(args.brains / "splits.json")
    costs, scores = {}, []
    with progress_bar("encoders", len(names), quiet=args.quiet) as advance:
        for done, name in enumerate(names, start=1):
            predictions, costs[name] = train_with(name, settings)
            for each in predictions:
                scores += _scores(each, name, split.folds[args.fold].test)
            advance(done)
    about = asdict(settings) | {"stores": str(settings.stores)}
    return {"settings": about, "rows": _rows(scores, costs, args.brains.name)}


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

    made = {("encoding", name, ""): {"selection_split": "none"} for name in costs}
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
        rows.append({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
    return sorted(rows, key=lambda row: -row["pearson_r"])
