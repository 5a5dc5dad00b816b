"""Splits on disk, as JSON that a person can read."""

from __future__ import annotations

from pathlib import Path

from neurodecode.errors import DataError
from neurodecode.files import read_json, write_json
from neurodecode.splits.checks import check
from neurodecode.splits.types import SIDES, Fold, Split

__all__ = ["read_split", "write_split"]

FORMAT_VERSION = 1


def write_split(path: str | Path, split: Split) -> None:
    """Write a split, complete or not at all.

    Parameters
    ----------
    path : path-like
        ``splits.json``.
    split : Split
        What to write; it is checked first.

    Raises
    ------
    LeakError
        If the split leaks.
    """
    check(split)
    write_json(
        path,
        {
            "kind": "splits",
            "format_version": FORMAT_VERSION,
            "scheme": split.scheme,
            "unit": split.unit,
            "seed": split.seed,
            "info": dict(split.info),
            "duplicates": [list(group) for group in split.duplicates],
            # written only where there are any: other splits keep their bytes
            **({"groups": [list(group) for group in split.groups]} if split.groups else {}),
            "folds": [
                {side: list(keys) for side, keys in fold.sides().items()} for fold in split.folds
            ],
        },
    )


def read_split(path: str | Path) -> Split:
    """Read a split and check it.

    Parameters
    ----------
    path : path-like
        File written by `write_split`.

    Returns
    -------
    Split
        The split.

    Raises
    ------
    DataError
        If the file is missing, broken or of another version.
    LeakError
        If somebody edited it into a split that leaks.
    """
    content = read_json(path)
    known = isinstance(content, dict) and content.get("kind") == "splits"
    if not known or content.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"not splits of format version {FORMAT_VERSION}",
            file=path,
            fix="run `neurodecode prepare` again",
        )
    try:
        split = Split(
            scheme=content["scheme"],
            unit=content["unit"],
            folds=tuple(
                Fold(**{side: tuple(fold[side]) for side in SIDES}) for fold in content["folds"]
            ),
            seed=content["seed"],
            duplicates=tuple(tuple(group) for group in content["duplicates"]),
            groups=tuple(tuple(group) for group in content.get("groups", ())),
            info=content["info"],
        )
    except (KeyError, TypeError) as error:
        raise DataError(
            f"entry is missing or malformed ({error})",
            file=path,
            fix="run `neurodecode prepare` again",
        ) from error
    check(split)
    return split
