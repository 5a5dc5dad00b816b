"""`neurodecode refine`: go over reconstructions with SDXL, told by captions what they show."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.commands.generator_options import add_generator_arguments, generator_options

if TYPE_CHECKING:
    from neurodecode.store import Prediction

HELP = "go over reconstructions with SDXL, told by a caption what they show"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    parser.add_argument(
        "--predictions", type=Path, required=True, help="pictures made by `reconstruct`"
    )
    parser.add_argument("--out", type=Path, required=True, help="HDF5 file to write")
    parser.add_argument(
        "--captioned", type=Path, required=True, metavar="FILE",
        help="captions of the same stimuli, made by `caption`",
    )  # fmt: skip
    add_generator_arguments(parser)
    parser.add_argument("--method", default="refined", help="name in the tables")
    parser.add_argument("--strength", type=float, default=0.48, help="share of the steps that run")
    parser.add_argument("--steps", type=int, default=25, help="steps of the solver")
    parser.add_argument("--guidance", type=float, default=5.0, help="towards the caption")
    parser.add_argument(
        "--blend", type=float, default=0.75,
        help="share of the refined picture, the rest is the low-level one; 1 leaves it out",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> None:
    """Refine the pictures of every prediction.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If predictions, captions or weights are missing, broken or do not fit each other.
    """
    from neurodecode.errors import about
    from neurodecode.generate.refine import SdxlRefiner
    from neurodecode.store import read_predictions, write_predictions
    from neurodecode.tasks.refine import Refining, refine

    content, captioned = read_predictions(args.predictions), read_predictions(args.captioned)
    how = Refining(args.strength, args.steps, args.guidance, args.blend, args.seed)
    told = _same_stimuli(content.predictions, captioned.predictions, args.captioned)
    refiner = SdxlRefiner.load(**generator_options(args))
    with about(file=args.predictions):
        refined = [
            refine(each, own, refiner, how)
            for each, own in zip(content.predictions, told, strict=True)
        ]
    attrs = dict(content.attrs) | {
        "refiner": dict(refiner.provenance),
        "refining": vars(how),
        "captions": captioned.attrs.get("captions"),
        "captioned_by": captioned.attrs.get("array"),
    }
    write_predictions(args.out, args.method, refined, attrs)


def _same_stimuli(
    predictions: list[Prediction], captioned: list[Prediction], file: Path
) -> list[Prediction]:
    """The captions of each prediction."""
    from neurodecode.errors import DataError, about

    known = {(each.subject, each.fold): each for each in captioned}
    found = []
    for each in predictions:
        own = known.get((each.subject, each.fold))
        if own is None or list(own.stimulus_id) != list(each.stimulus_id):
            raise DataError("captions of other stimuli than the pictures", file=file,
                            subject=each.subject, field="stimulus_id",
                            fix="caption what the pictures were drawn from")  # fmt: skip
        with about(file=file):
            own.array("captions")
        found.append(own)
    return found
