"""`neurodecode bank`: build a bank of embeddings, and seek decoded embeddings in it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError, DataError

if TYPE_CHECKING:
    from neurodecode.banks.sources import Source

HELP = "build and search large banks of pictures and captions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    build = steps.add_parser("build", help="build a bank; an interrupted build goes on")
    add = build.add_argument
    add("--images", type=Path, help="folder of pictures; NAME.txt beside NAME.jpg is its caption")
    add("--captions", type=Path, help="text file with one caption a line")
    add("--embeddings", type=Path, help="store of `neurodecode embed`")
    add("--stimuli", type=Path, help="with --embeddings: stimuli.h5 that has the captions")
    add("--model", help="with --images or --captions: embedder, as for `neurodecode embed`")
    add("--array", default="pooled", help="array of the embedding (default: %(default)s)")
    add("--index", choices=("flat", "ivfpq"), default="flat",
        help="exact search, or lists of compressed vectors (default: %(default)s)")  # fmt: skip
    add("--dtype", choices=("float32", "float16"), default="float32", help="of vectors on disk")
    add("--lists", type=int, help="ivfpq: number of lists (default: about 4 sqrt(n))")
    add("--bytes", type=int, help="ivfpq: bytes of a code (default: up to 96)")
    add("--train", type=int, default=200_000, help="ivfpq: vectors that it is fitted to")
    add("--batch-size", type=int, help="rows at a time (default: 64; with --embeddings 4096)")
    add("--seed", type=int, default=0)
    add("--download", action="store_true", help="allow fetching public weights from a model hub")
    add("--out", type=Path, required=True, help="folder of the bank")
    find = steps.add_parser("search", help="seek decoded embeddings in a bank")
    add = find.add_argument
    add("--bank", type=Path, required=True, help="folder of the bank")
    add("--predictions", type=Path, required=True, help="decoded embeddings")
    add("--array", default="tokens", help="their array (default: %(default)s)")
    add("--top", type=int, default=10, metavar="K", help="how many for each (default: %(default)s)")
    add("--probe", type=int, default=32, help="ivfpq: lists looked through (default: %(default)s)")
    add("--refine", type=int, default=10,
        help="ivfpq: candidates compared exactly, times K (default: %(default)s)")  # fmt: skip
    add("--out", type=Path, required=True, help="table to write, .csv or .parquet")
    check = steps.add_parser("check", help="compare the files of a bank with their checksums")
    check.add_argument("--bank", type=Path, required=True, help="folder of the bank")


def run(args: argparse.Namespace) -> None:
    """Build, search or check a bank.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If pictures, weights, embeddings or the bank cannot be read or do not fit each other.
    """
    {"build": _build, "search": _search, "check": _check}[args.step](args)


def _build(args: argparse.Namespace) -> None:
    from neurodecode.banks import BankOptions, build_bank
    from neurodecode.banks.library import faiss_library

    if args.index != "flat":
        faiss_library()  # before hours of embedding
    for option in ("lists", "bytes", "train", "batch_size"):
        value = getattr(args, option)
        if value is not None and value < 1:
            raise ConfigError(f"--{option.replace('_', '-')} is {value}; give a positive number")
    options = BankOptions(
        index=args.index,
        dtype=args.dtype,
        n_lists=args.lists,
        n_bytes=args.bytes,
        n_train=args.train,
        seed=args.seed,
        block=args.batch_size or (4096 if args.embeddings else 64),
    )
    build_bank(_source(args), args.out, options, quiet=args.quiet)


def _source(args: argparse.Namespace) -> Source:
    from neurodecode.banks.sources import CaptionLines, PictureFolder, StoredEmbeddings
    from neurodecode.embed import make_embedder

    given = [name for name in ("images", "captions", "embeddings") if getattr(args, name)]
    if len(given) != 1:
        raise ConfigError("give one of --images, --captions and --embeddings")
    path: Path = getattr(args, given[0])
    if not path.exists():
        raise DataError("is missing", file=path, field=f"--{given[0]}", fix="check the path")
    if args.embeddings:
        if args.model:
            raise ConfigError("--model belongs to --images and --captions; a store has its own")
        return StoredEmbeddings(path, args.array, args.stimuli)
    if not args.model:
        raise ConfigError(f"--{given[0]} needs --model, the embedder")
    embedder = make_embedder(args.model, download=args.download)
    if args.images:
        return PictureFolder(path, embedder, args.array)
    return CaptionLines(path, embedder)


def _search(args: argparse.Namespace) -> None:
    from neurodecode.banks import Bank
    from neurodecode.banks.query import search_predictions, write_table

    if args.out.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"--out {args.out}: give a name that ends in .csv or .parquet")
    table = search_predictions(
        args.predictions,
        Bank(args.bank),
        args.top,
        array=args.array,
        n_probe=args.probe,
        refine=args.refine,
    )
    write_table(table, args.out)


def _check(args: argparse.Namespace) -> None:
    from neurodecode.banks import Bank

    Bank(args.bank).check()
