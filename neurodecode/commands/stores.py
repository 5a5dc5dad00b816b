"""Options and checks that commands on a folder of stores have in common."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError, DataError

if TYPE_CHECKING:
    from neurodecode.splits import Split

__all__ = ["add_fold", "add_stores", "read_fold", "store_paths"]


def add_stores(parser: argparse.ArgumentParser, *, splits: str = "splits.json") -> None:
    """Declare ``--stores`` and ``--splits``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of a command.
    splits : str
        What to say of the split.
    """
    parser.add_argument("--stores", type=Path, required=True, help="folder with sub-*.h5")
    parser.add_argument("--splits", type=Path, required=True, help=splits)


def add_fold(parser: argparse.ArgumentParser) -> None:
    """Declare ``--fold``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of a command.
    """
    parser.add_argument("--fold", type=int, default=0, help="which fold (default: %(default)s)")


def read_fold(args: argparse.Namespace) -> Split:
    """Read the split, and make sure that it has the fold.

    Parameters
    ----------
    args : argparse.Namespace
        With ``splits`` and ``fold``.

    Returns
    -------
    Split
        The checked split.

    Raises
    ------
    ConfigError
        If there is no such fold.
    """
    from neurodecode.splits import read_split

    split = read_split(args.splits)
    if not 0 <= args.fold < len(split.folds):
        raise ConfigError(f"--fold {args.fold} does not exist; there are {len(split.folds)}")
    return split


def store_paths(folder: Path, subjects: list[str]) -> list[Path]:
    """Files of the chosen subjects, or of all.

    Parameters
    ----------
    folder : Path
        With ``sub-*.h5``.
    subjects : list of str
        Which; all if empty.

    Returns
    -------
    list of Path
        One a subject.

    Raises
    ------
    DataError
        If there are none, or a subject is unknown.
    """
    found = {path.stem.removeprefix("sub-"): path for path in sorted(folder.glob("sub-*.h5"))}
    if not found:
        raise DataError("no sub-*.h5 found", file=folder, fix="run `neurodecode prepare` first")
    if unknown := [subject for subject in subjects if subject not in found]:
        raise DataError(
            f"unknown subject; known: {', '.join(found)}", file=folder, subject=unknown[0]
        )
    return [found[subject] for subject in subjects or found]
