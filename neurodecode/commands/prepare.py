"""``neurodecode prepare``: read a data set, write stores and checked splits."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from neurodecode.datasets.prepare import Found

HELP = "read a data set as published; write response stores, stimuli and checked splits"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--dataset", required=True, help="name of the data set, see docs/datasets.md")
    add("--root", default="", help="folder of the data set, in its published layout")
    add("--sources", default="", help="file of `neurodecode locate` that says where the root is")
    add("--out", required=True, help="folder to write, e.g. data/stores/mini-fmri")
    add("--subjects", nargs="+", default=[], help="which subjects (default: all that are there)")
    add("--dtype", choices=("float32", "float16"), default="float32", help="type on disk")
    add("--drop-bad-voxels", action="store_true", help="leave out NaN and constant voxels")
    add("--scheme", default="", help="split scheme: shared-test, kfold, leave-one-run-out or"
        " held-out-categories (default: the data set's own)")  # fmt: skip
    add("--splits", type=Path, metavar="FILE",
        help="divide as the splits.json of another data set with the same stimuli does",
    )  # fmt: skip
    add("--fold", type=int, help="keep only this fold of the split")
    add("--recipe", help="MEG, EEG: preprocessing, one of configs/preprocess/*.yaml or your own"
        " (default: the data set's own)")  # fmt: skip
    add("--val-share", type=float, default=0.1, help="validation's share of what is not test")
    add("--n-folds", type=int, default=5, help="folds of kfold and held-out-categories")
    add("--seed", type=int, default=0, help="seed of the split")
    add("--unshown", type=int, default=0,
        help="also store this many pictures that none of the subjects was shown, for `neurodecode"
        " augment` (default: none)")  # fmt: skip
    add("--jobs", type=int, help="subjects read at a time (default: one after the other)")
    add("--image-size", type=int, help="crop and resize the pictures to this many pixels")
    add("--option", action="append", default=[], metavar="KEY=VALUE", help="option of the reader")


def run(args: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    args : argparse.Namespace
        Parsed options.

    Raises
    ------
    NeurodecodeError
        If the data set cannot be prepared; nothing is written then.
    """
    from neurodecode.datasets import load
    from neurodecode.datasets.prepare import PrepareOptions, prepare
    from neurodecode.splits import read_split

    reader = load(args.dataset, _root(args), **_reader_options(args))
    options = PrepareOptions(
        subjects=args.subjects,
        dtype=args.dtype,
        drop_bad_voxels=args.drop_bad_voxels,
        scheme=args.scheme,
        val_share=args.val_share,
        n_folds=args.n_folds,
        seed=args.seed,
        like=None if args.splits is None else read_split(args.splits),
        fold=args.fold,
        unshown=args.unshown,
        jobs=args.jobs,
        quiet=args.quiet,
    )
    found = prepare(reader, args.out, options)
    if not args.quiet:
        _show(args.dataset, found)


def _root(args: argparse.Namespace) -> str | Path:
    from neurodecode.datasets.locate import read_sources

    if bool(args.root) == bool(args.sources):
        raise ConfigError("give either --root or --sources")
    if args.root:
        return args.root
    known = read_sources(args.sources)
    if args.dataset not in known:
        raise ConfigError(
            f"{args.sources} does not list {args.dataset}; run `neurodecode locate --data DIR"
            f" --require {args.dataset}`"
        )
    return known[args.dataset]


def _reader_options(args: argparse.Namespace) -> dict[str, str | int]:
    options: dict[str, str | int] = {}
    for word in args.option:
        key, equals, value = word.partition("=")
        if not equals:
            raise ConfigError(f"--option {word}: write KEY=VALUE")
        options[key] = value
    if args.image_size is not None:
        options["image_size"] = args.image_size
    if args.recipe is not None:
        options["recipe"] = args.recipe
    return options


def _show(dataset: str, found: Found) -> None:
    """Show tables of what was found."""
    from rich.console import Console
    from rich.table import Table

    subjects = Table(title=f"{dataset}: {found.n_stimuli} pictures")
    for column in ("subject", "trials", "stimuli", "features", "dropped", "sessions", "runs"):
        subjects.add_column(column, justify="right")
    for name, store in found.stores.items():
        runs = set(zip(store.session.tolist(), store.run.tolist(), strict=True))
        numbers = (
            store.n_trials,
            len(set(store.stimulus_id)),
            store.n_features,
            found.dropped[name],
            len(set(store.session)),
            len(runs),
        )
        subjects.add_row(name, *map(str, numbers))
    split = found.split
    folds = Table(
        title=f"split {split.scheme}, by {split.unit}, {len(split.duplicates)} look-alikes"
    )
    for column in ("fold", "train", "validation", "test"):
        folds.add_column(column, justify="right")
    for number, fold in enumerate(split.folds):
        folds.add_row(str(number), *(str(len(keys)) for keys in fold.sides().values()))
    console = Console()
    console.print(subjects)
    console.print(folds)
