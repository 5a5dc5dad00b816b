"""`neurodecode combine`: rank candidates by several methods together."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from neurodecode.store.predictions import PredictionFile

__all__ = ["HELP", "add_arguments", "run"]

HELP = "rank by several methods together, weighed on the validation set"

METHODS = {"posterior": "product of experts, weights of largest validation likelihood"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    methods = "; ".join(f"{name}: {text}" for name, text in METHODS.items())
    add("--method", choices=sorted(METHODS), default="posterior", help=methods)
    add("--name", default="", help="name under which the scores appear (default: the method)")
    add("--validation", type=Path, nargs="+", required=True, metavar="FILE",
        help="predictions of each method on the validation side (`baseline --side validation`,"
        " `predict --data.predict_on=validation`)")  # fmt: skip
    add("--predictions", type=Path, nargs="+", required=True, metavar="FILE",
        help="predictions of the same methods on the test side, in the same order")  # fmt: skip
    add("--splits", type=Path, required=True, help="splits.json")
    add("--embeddings", type=Path, metavar="FOLDER",
        help="the data set's embeddings, for methods that decode one")  # fmt: skip
    add("--standardise", action="store_true",
        help="bring each item's scores to unit spread first")  # fmt: skip
    add("--out", type=Path, required=True, help="predictions.h5 to write")


def run(args: argparse.Namespace) -> None:
    """Fit the weights and write the combined predictions.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    ConfigError
        If the files do not come in pairs of one method.
    DataError
        If predictions do not belong together.
    LeakError
        If validation predictions are not of the validation side, or predictions not of the test
        side.
    """
    from neurodecode.errors import about
    from neurodecode.evaluation.combination import check_side, combine, rankings
    from neurodecode.splits import read_split
    from neurodecode.store import read_predictions, write_predictions

    if len(args.validation) != len(args.predictions):
        raise ConfigError("give one file of --validation for each file of --predictions")
    split = read_split(args.splits)
    sides: dict[str, list[PredictionFile]] = {}
    for side, files in (("validation", args.validation), ("test", args.predictions)):
        sides[side] = []
        for path in files:
            content = read_predictions(path)
            with about(file=path):
                check_side(content, split, side)
            sides[side].append(content)
    _check_pairs(args, sides["validation"], sides["test"])
    with about(file=args.validation[0]):
        validation = rankings(sides["validation"], args.embeddings)
    with about(file=args.predictions[0]):
        test = rankings(sides["test"], args.embeddings)
        predictions, weights = combine(validation, test, standardise=args.standardise)
    attrs = _attrs(sides["test"], weights, args.standardise)
    write_predictions(args.out, args.name or args.method, predictions, attrs)


def _check_pairs(
    args: argparse.Namespace, validation: list[PredictionFile], test: list[PredictionFile]
) -> None:
    for number, (one, other) in enumerate(zip(validation, test, strict=True)):
        if _identity(one) != _identity(other):
            raise ConfigError(
                f"{args.validation[number]} ({one.method}) and {args.predictions[number]}"
                f" ({other.method}) are not of the same method; give both lists in one order"
            )


def _identity(content: PredictionFile) -> tuple[Any, ...]:
    return (content.method, content.attrs.get("embedding"), content.attrs.get("target"))


def _attrs(
    contents: list[PredictionFile], weights: dict[str, dict[str, float]], standardise: bool
) -> dict[str, Any]:
    return {
        "task": "identification",
        "side": "test",
        "scale": "nats",
        "selection_split": "validation",
        # what one of them knew of the other test items, all of them together know
        "transductive": any(content.attrs.get("transductive", False) for content in contents),
        "seed": int(contents[0].attrs.get("seed", 0)),
        "standardise": standardise,
        "weights": weights,
    }
