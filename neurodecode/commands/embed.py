"""`neurodecode embed`: run an image tower once over every stimulus of a data set."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

HELP = "embed the stimuli with an image or image-text model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    parser.add_argument("--stimuli", type=Path, required=True, help="stimuli.h5 of the data set")
    parser.add_argument(
        "--model",
        required=True,
        help="embedder: mini-clip, mini-vae, gabor, openclip:ARCHITECTURE/WEIGHTS,"
        " openclip-penultimate:..., timm:MODEL or sd-vae:REPOSITORY[@PIXELS]",
    )
    parser.add_argument("--out", type=Path, required=True, help="HDF5 file to write")
    parser.add_argument(
        "--splits", type=Path, help="embed only what somebody was shown: the stimuli of this split"
    )
    parser.add_argument(
        "--no-text", action="store_true", help="leave the captions out, pictures alone"
    )
    parser.add_argument(
        "--arrays",
        nargs="+",
        default=[],
        metavar="NAME",
        help="of a CLIP model: tokens, pooled, patches (tokens without the class token), joint"
        " (tokens in the space of pictures and texts); default: tokens pooled",
    )
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="embed one of N parts, into a file beside --out; run again without it to join them",
    )
    parser.add_argument(
        "--download", action="store_true", help="allow fetching public weights from a model hub"
    )


def run(args: argparse.Namespace) -> None:
    """Embed the stimuli; an interrupted run goes on where it stopped.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If stimuli or weights cannot be read, or the embeddings cannot be written.
    """
    from neurodecode.embed import embed_stimuli, make_embedder
    from neurodecode.errors import ConfigError
    from neurodecode.splits import read_split
    from neurodecode.store import read_stimuli
    from neurodecode.store.shards import Shard

    if args.batch_size < 1:
        raise ConfigError(f"--batch-size is {args.batch_size}; give a positive number")
    stimuli = read_stimuli(args.stimuli)
    if args.splits is not None:
        stimuli = stimuli.select(read_split(args.splits).stimuli)
    if args.no_text:
        stimuli = replace(stimuli, captions=None)
    embedder = make_embedder(args.model, download=args.download)
    if args.arrays:
        if not hasattr(embedder, "choose"):
            raise ConfigError(f"--arrays: those of {args.model} cannot be chosen; leave it out")
        embedder.choose(args.arrays)
    embed_stimuli(
        stimuli,
        embedder,
        args.out,
        batch_size=args.batch_size,
        quiet=args.quiet,
        shard=Shard.parse(args.shard) if args.shard else None,
    )
