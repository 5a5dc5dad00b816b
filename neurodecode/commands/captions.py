"""`neurodecode captions`: make a bank of captions from which pictures get theirs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "embed captions into a bank, for refinement by caption"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--stimuli", type=Path, help="stimuli.h5, of which captions are taken")
    source.add_argument("--texts", type=Path, help="text file, one caption a line")
    parser.add_argument(
        "--splits", type=Path, help="with --stimuli: captions of training pictures alone are taken"
    )
    parser.add_argument("--fold", type=int, default=0, help="of the split")
    parser.add_argument(
        "--model", required=True, help="embedder that reads texts: mini-clip or openclip:..."
    )
    parser.add_argument("--out", type=Path, required=True, help="HDF5 file to write")
    parser.add_argument(
        "--download", action="store_true", help="allow fetching public weights from a model hub"
    )


def run(args: argparse.Namespace) -> None:
    """Embed the captions.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If captions or weights cannot be read, or the bank cannot be written.
    """
    from neurodecode.embed import CaptionBank, make_embedder

    texts, attrs = _from_file(args.texts) if args.texts else _from_stimuli(args)
    CaptionBank.write(args.out, texts, make_embedder(args.model, download=args.download), attrs)


def _from_file(path: Path) -> tuple[list[str], dict[str, Any]]:
    from neurodecode.errors import DataError
    from neurodecode.files import sha256

    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8 text", file=path) from error
    return texts, {"source": path.name, "source_sha256": sha256(path)}


def _from_stimuli(args: argparse.Namespace) -> tuple[list[str], dict[str, Any]]:
    """Captions of what may be used in training: those of test pictures would tell the truth."""
    from neurodecode.errors import ConfigError, DataError
    from neurodecode.splits import read_split
    from neurodecode.store import read_stimuli

    if args.splits is None:
        raise ConfigError(
            "--stimuli needs --splits: captions of validation and test pictures must stay out"
        )
    split, stimuli = read_split(args.splits), read_stimuli(args.stimuli)
    if not 0 <= args.fold < len(split.folds):
        raise ConfigError(f"--fold {args.fold}: the split has folds 0 to {len(split.folds) - 1}")
    if stimuli.captions is None:
        raise DataError("has no captions", file=args.stimuli, fix="give a text file with --texts")
    fold = split.folds[args.fold]
    kept = stimuli.select(split.pool(args.fold, stimuli.ids))
    texts = [text for texts in kept.captions or () for text in texts]
    return texts, {"source": args.stimuli.name, "split": fold.digest, "fold": args.fold}
