"""`neurodecode caption`: say in words what was decoded."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["HELP", "add_arguments", "run"]

HELP = "give decoded embeddings the closest caption of a training picture"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--predictions", type=Path, required=True, metavar="FILE", help="decoded embeddings")
    add("--stimuli", type=Path, required=True, help="stimuli.h5 of the data set, with captions")
    add("--splits", type=Path, required=True, help="splits.json; one that divides stimuli")
    add("--embedder", default="mini-clip",
        help="image-text model whose embedding was decoded (default: %(default)s)")  # fmt: skip
    add("--array", default="tokens", help="what was decoded: pooled, or tokens that are pooled as"
        " the model pools those of a picture (default: %(default)s)")  # fmt: skip
    add("--name", default="", help="name under which the scores appear (default: the method)")
    add("--out", type=Path, required=True, help="predictions.h5 to write")


def run(args: argparse.Namespace) -> None:
    """Retrieve captions.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If predictions, captions or weights are missing or do not belong together.
    """
    from neurodecode.embed import make_embedder
    from neurodecode.errors import about
    from neurodecode.splits import read_split
    from neurodecode.store import read_predictions, read_stimuli, write_predictions
    from neurodecode.tasks.captions import CaptionBank, retrieve_captions

    content = read_predictions(args.predictions)
    split = read_split(args.splits)
    embedder = make_embedder(args.embedder)
    with about(file=args.stimuli):
        bank = CaptionBank(read_stimuli(args.stimuli), split, embedder)
    with about(file=args.predictions):
        predictions = retrieve_captions(content, bank, args.array)
    attrs = {
        **content.attrs,
        "task": "captioning",
        "array": args.array,
        "embedder": dict(embedder.provenance),
    }
    write_predictions(args.out, args.name or content.method, predictions, attrs)
