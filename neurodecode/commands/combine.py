"""`neurodecode combine`: rank candidates by several methods together."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from neurodecode.store.predictions import PredictionFile

__all__ = ["HELP", "add_arguments", "combine_files", "run"]

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
    combine_files(
        args.validation,
        args.predictions,
        args.splits,
        args.embeddings,
        args.out,
        args.name or args.method,
        standardise=args.standardise,
    )


def combine_files(
    validation: Sequence[Path],
    predictions: Sequence[Path],
    splits: Path,
    embeddings: Path | None,
    out: Path,
    name: str,
    *,
    standardise: bool = False,
) -> None:
    """Weigh methods on validation predictions, and write their posterior of the test side.

    Parameters
    ----------
    validation, predictions : sequence of Path
        One file a method on either side, in one order.
    splits : Path
        ``splits.json``.
    embeddings : Path or None
        Folder of the data set's embeddings, for methods that decode one.
    out : Path
        File to write.
    name : str
        Of the method.
    standardise : bool
        Bring each item's scores to unit spread first.

    Raises
    ------
    ConfigError
        If the files do not come in pairs of one method.
    DataError
        If predictions do not belong together.
    LeakError
        If a file is not of its side.
    """
    from neurodecode.errors import about
    from neurodecode.evaluation.combination import check_side, combine, rankings
    from neurodecode.splits import read_split
    from neurodecode.store import read_predictions, write_predictions

    if len(validation) != len(predictions):
        raise ConfigError("give one file of --validation for each file of --predictions")
    split = read_split(splits)
    sides: dict[str, list[PredictionFile]] = {}
    for side, files in (("validation", validation), ("test", predictions)):
        sides[side] = []
        for path in files:
            content = read_predictions(path)
            with about(file=path):
                check_side(content, split, side)
            sides[side].append(content)
    _check_pairs(validation, predictions, sides)
    with about(file=validation[0]):
        held_out = rankings(sides["validation"], embeddings)
    with about(file=predictions[0]):
        test = rankings(sides["test"], embeddings)
        combined, weights = combine(held_out, test, standardise=standardise)
    write_predictions(out, name, combined, _attrs(sides["test"], weights, standardise))


def _check_pairs(
    validation: Sequence[Path], test: Sequence[Path], sides: dict[str, list[PredictionFile]]
) -> None:
    pairs = zip(sides["validation"], sides["test"], strict=True)
    for number, (one, other) in enumerate(pairs):
        if _identity(one) != _identity(other):
            raise ConfigError(
                f"{validation[number]} ({one.method}) and {test[number]}"
                f" ({other.method}) are not of the same method; give both lists in one order"
            )


def _identity(content: PredictionFile) -> tuple[Any, ...]:
    names = ("embedding", "target", "trials")
    return (content.method, *(content.attrs.get(name) for name in names))


def _attrs(
    contents: list[PredictionFile], weights: dict[str, dict[str, float]], standardise: bool
) -> dict[str, Any]:
    first = contents[0].attrs
    # learning curves say how many trials a method was given
    counted = {name: first[name] for name in ("task", "trials") if "trials" in first}
    return {
        "task": "identification",
        **counted,
        "side": "test",
        "scale": "nats",
        "selection_split": "validation",
        # what one of them knew of the other test items, all of them together know
        "transductive": any(content.attrs.get("transductive", False) for content in contents),
        "seed": int(contents[0].attrs.get("seed", 0)),
        "standardise": standardise,
        "weights": weights,
    }
