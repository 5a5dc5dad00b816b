"""BIDS file names: their entities, and their natural order."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["entity", "natural", "natural_text", "number_in"]


def natural_text(text: str) -> list[tuple[int, str]]:
    """Key that sorts ``run-2`` before ``run-10``.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of tuple of (int, str)
        Key for `sorted`.
    """
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def natural(path: Path) -> list[tuple[int, str]]:
    """Key that sorts paths as `natural_text` sorts texts.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    list of tuple of (int, str)
        Key for `sorted`.
    """
    return natural_text(str(path))


def entity(name: str, key: str, default: str) -> str:
    """Read an entity of a BIDS file name.

    Parameters
    ----------
    name : str
        File name, e.g. ``sub-01_ses-a_task-look_run-2_meg.fif``.
    key : str
        Its key, e.g. ``run``.
    default : str
        What to give where the name does not have it.

    Returns
    -------
    str
        The label, e.g. ``2``.
    """
    found = re.search(rf"(?:^|_){key}-([A-Za-z0-9]+)", name)
    return found[1] if found else default


def number_in(label: str) -> int:
    """Number that the digits of a label make; 0 if it has none.

    Parameters
    ----------
    label : str
        E.g. ``07`` or ``run7``.

    Returns
    -------
    int
        E.g. 7.
    """
    return int("0" + re.sub(r"\D", "", label))
