"""``neurodecode locate``: note where the real recordings are."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from neurodecode.datasets.base import DatasetReader

HELP = "find known data sets under a folder and write where they are"

_LOG = logging.getLogger(__name__)
_SIMULATED = ("mini-fmri", "mini-meg", "mini-eeg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of this command.
    """
    add = parser.add_argument
    add("--data", default="", help="folder that holds the data sets, each in a folder of its own")
    add("--out", default="data/raw/sources.yaml", help="file to write")
    add("--require", nargs="*", default=[], metavar="NAME", help="data sets that must be there")


def run(args: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    args : argparse.Namespace
        Parsed options.

    Raises
    ------
    ConfigError
        If no folder is given, or not everything that is required is there; the text says what
        was looked for and how to get it.
    """
    from pathlib import Path

    from neurodecode.datasets import DATASETS
    from neurodecode.datasets.locate import locate, write_sources

    readers = {name: reader for name, reader in DATASETS.items() if name not in _SIMULATED}
    unknown = sorted(set(args.require) - set(readers))
    if unknown:
        raise ConfigError(f"unknown data set {unknown[0]}; known: {', '.join(sorted(readers))}")
    folder = Path(args.data) if args.data else None
    if folder is None or not folder.is_dir():
        where = "no folder of recordings given (--data DIR)" if folder is None else f"no {folder}"
        raise ConfigError(f"{where}; {_how_to_get(readers)}")
    found = locate(folder, readers)
    absent = [name for name in args.require if name not in found]
    if not found or absent:
        problem = f"no {' and no '.join(absent)}" if absent else "no known data set"
        wanted = {name: readers[name] for name in absent} or readers
        raise ConfigError(
            f"{problem} in {folder} or a folder directly below; {_how_to_get(wanted)}"
        )
    write_sources(args.out, found, quiet=args.quiet)
    for name, path in found.items():
        _LOG.info("%s: %s", name, path)


def _how_to_get(readers: dict[str, type[DatasetReader]]) -> str:
    return "; ".join(
        f"{name} (looked for {reader.looked_for().replace('or no', 'or')}): {reader.how_to_get}"
        for name, reader in sorted(readers.items())
    )
