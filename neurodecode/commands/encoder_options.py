"""What commands that fit a linear encoder to every subject ask for, and read first."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodecode.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurodecode.tasks.baselines import Features

__all__ = ["add_encoder_options", "read_features"]


def add_encoder_options(parser: argparse.ArgumentParser) -> None:
    """Declare ``--target``, ``--components``, ``--jobs``, ``--seed`` and ``--out``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of a command.
    """
    add = parser.add_argument
    add("--target", default="tokens", help="array of the embedding store (default: %(default)s)")
    add("--components", type=int, default=200,
        help="principal components of the features (default: %(default)s)")  # fmt: skip
    add("--jobs", type=int, default=-1, help="processes (default: one for each core)")
    add("--seed", type=int, default=0, help="of the encoder's inner folds")
    add("--out", type=Path, required=True, help="folder to write, one file a subject")


def read_features(args: argparse.Namespace, files: Sequence[Path]) -> Features:
    """Open what the encoder predicts from.

    Parameters
    ----------
    args : argparse.Namespace
        With ``target`` and ``components``.
    files : sequence of Path
        Embedding stores.

    Returns
    -------
    Features
        The target of all of them.

    Raises
    ------
    ConfigError
        If the number of components is not positive.
    DataError
        If a store is missing or lacks the target.
    """
    from neurodecode.commands.baseline import check_target
    from neurodecode.store import EmbeddingStore
    from neurodecode.tasks.baselines import Features

    if args.components < 1:
        raise ConfigError(f"--components is {args.components}; give a positive number")
    features = Features([EmbeddingStore(path) for path in files], args.target)
    check_target(features)
    return features
