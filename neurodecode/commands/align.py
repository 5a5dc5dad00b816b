"""`neurodecode align`: bring the responses of all subjects into one space."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.commands.stores import add_fold, add_stores, read_fold, store_paths

__all__ = ["HELP", "add_arguments", "run"]

HELP = "bring the responses of all subjects into one space (hyperalignment)"

METHODS = {
    "procrustes": "rotations of principal components",
    "ridge": "ridge regression onto the template of the rotations",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    methods = "; ".join(f"{name}: {text}" for name, text in METHODS.items())
    add_stores(parser, splits="splits.json; one that divides stimuli")
    add_fold(parser)
    add("--method", choices=sorted(METHODS), default="procrustes",
        help=f"{methods} (default: %(default)s)")  # fmt: skip
    add("--components", type=int, default=50,
        help="dimensions of the common space (default: %(default)s)")  # fmt: skip
    add("--synthetic", type=Path, metavar="FOLDER",
        help="align by the responses that `neurodecode augment` predicts to pictures nobody was"
        " shown, where subjects share too few training stimuli")  # fmt: skip
    add("--subjects", nargs="+", default=[], help="which subjects (default: all in the folder)")
    add("--seed", type=int, default=0, help="of the principal components")
    add("--out", type=Path, required=True,
        help="folder to write: stores of the common space, and splits.json of this fold"
        " alone")  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Fit the alignment and write the aligned stores.

    Parameters
    ----------
    args : argparse.Namespace
        Options of this command.

    Raises
    ------
    NeurodecodeError
        If the subjects cannot be aligned without test stimuli, or files do not fit together.
    """
    from dataclasses import replace

    from neurodecode.errors import ConfigError
    from neurodecode.folders import atomic_folder
    from neurodecode.linear import FunctionalAlignment
    from neurodecode.loaders.counts import open_responses
    from neurodecode.splits import write_split
    from neurodecode.store import ResponseStore
    from neurodecode.tasks.align import align_subjects

    split = read_fold(args)
    if args.components < 1:
        raise ConfigError(f"--components is {args.components}; give a positive number")
    opened = [open_responses(path) for path in store_paths(args.stores, args.subjects)]
    stores = {store.subject: store for store in opened}
    if len(stores) < 2:
        raise ConfigError("one subject cannot be aligned; give two or more")
    alignment = FunctionalAlignment(args.components, seed=args.seed, method=args.method)
    aligned = align_subjects(stores, split, args.fold, alignment, args.synthetic)
    with atomic_folder(args.out) as folder:
        for subject, recording in aligned.items():
            dataset = stores[subject].dataset
            ResponseStore.write(folder / f"sub-{subject}.h5", recording, dataset=dataset)
        # the space was learned from this fold's training trials: other folds would leak
        write_split(folder / "splits.json", replace(split, folds=(split.folds[args.fold],)))
