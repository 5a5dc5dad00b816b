"""`neurodecode caption`: say in words what was decoded."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodecode.embed import Embedder
    from neurodecode.store.predictions import PredictionFile
    from neurodecode.tasks.caption_sources import CaptionSource

__all__ = ["HELP", "add_arguments", "run"]

HELP = "give decoded embeddings or pictures the closest caption of those there are"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--predictions", type=Path, required=True, metavar="FILE",
        help="decoded embeddings, or pictures of `reconstruct`")  # fmt: skip
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--stimuli", type=Path, help="stimuli.h5 of the data set: captions of"
        " pictures that training may use; needs --splits")  # fmt: skip
    source.add_argument("--bank", type=Path, metavar="FOLDER",
        help="captions of `bank build --captions FILE`; none may be of a test picture")  # fmt: skip
    add("--splits", type=Path, help="with --stimuli: splits.json that divides stimuli")
    add("--embedder", help="with --stimuli: image-text model (default: the one that was decoded,"
        " else mini-clip); a bank has its own")  # fmt: skip
    add("--array", default="tokens", help="images: the pictures; else what was decoded: pooled, or"
        " tokens, pooled as the model pools those of a picture (default: %(default)s)")  # fmt: skip
    add("--name", default="", help="name under which the scores appear (default: the method)")
    add("--download", action="store_true", help="allow fetching public weights from a model hub")
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
    from neurodecode.errors import about
    from neurodecode.store import read_predictions, write_predictions
    from neurodecode.tasks.captions import retrieve_captions

    content = read_predictions(args.predictions)
    source = _from_bank(args) if args.bank else _from_stimuli(args, content)
    with about(file=args.predictions):
        predictions = retrieve_captions(content, source, args.array)
    attrs = {
        **content.attrs,
        "task": "captioning",
        "array": args.array,
        "captions": source.provenance,
        "embedder": dict(source.embedder.provenance),
    }
    write_predictions(args.out, args.name or content.method, predictions, attrs)


def _from_stimuli(args: argparse.Namespace, content: PredictionFile) -> CaptionSource:
    from neurodecode.errors import ConfigError, about
    from neurodecode.splits import read_split
    from neurodecode.store import read_stimuli
    from neurodecode.tasks.caption_sources import TrainingCaptions

    if args.splits is None:
        raise ConfigError(
            "--stimuli needs --splits: captions of validation and test pictures must stay out"
        )
    split = read_split(args.splits)
    name = args.embedder or content.attrs.get("embedding_model") or "mini-clip"
    embedder = _embedder(name, args)
    with about(file=args.stimuli):
        return TrainingCaptions(read_stimuli(args.stimuli), split, embedder)


def _from_bank(args: argparse.Namespace) -> CaptionSource:
    from neurodecode.banks import Bank
    from neurodecode.errors import ConfigError
    from neurodecode.tasks.caption_sources import BankCaptions

    for option in ("embedder", "splits"):
        if getattr(args, option):
            raise ConfigError(f"--{option} belongs to --stimuli, not to --bank")
    bank = Bank(args.bank)
    told = bank.embedding.get("provenance", {})
    name = str(told.get("embedder", bank.embedding["name"]))
    return BankCaptions(bank, _embedder(name, args))


def _embedder(name: str, args: argparse.Namespace) -> Embedder:
    from neurodecode.embed import make_embedder

    fetch: dict[str, Any] = {"download": True} if args.download else {}
    return make_embedder(name, **fetch)
