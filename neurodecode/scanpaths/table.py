"""Scanpaths as a table with one row for each fixation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodecode.errors import DataError
from neurodecode.scanpaths.container import LABELS, Scanpaths

__all__ = ["from_frame", "to_frame"]

_NEEDED = ("scanpath", "viewer", "stimulus", "x", "y", "width", "height")


def to_frame(scanpaths: Scanpaths) -> pd.DataFrame:
    """See `Scanpaths.to_frame`.

    Parameters
    ----------
    scanpaths : Scanpaths
        With the size of every stimulus.

    Returns
    -------
    DataFrame
        One row for each fixation.
    """
    owner = scanpaths.owner
    sizes = np.array([scanpaths.size[name] for name in scanpaths.stimulus]).reshape(-1, 2)
    first = scanpaths.offsets[:-1][owner]
    return pd.DataFrame(
        {
            "scanpath": owner,
            "fixation": np.arange(len(owner)) - first + 1,
            **{name: getattr(scanpaths, name)[owner] for name in LABELS},
            "x": scanpaths.x,
            "y": scanpaths.y,
            "duration": scanpaths.duration,
            "width": sizes[owner, 0],
            "height": sizes[owner, 1],
        }
    )


def from_frame(frame: pd.DataFrame, pixels_per_degree: float) -> Scanpaths:
    """See `Scanpaths.from_frame`.

    Parameters
    ----------
    frame : DataFrame
        One row for each fixation.
    pixels_per_degree : float
        Pixels per degree, NaN where unknown.

    Returns
    -------
    Scanpaths
        In the order of first appearance.

    Raises
    ------
    DataError
        If a column is missing.
    """
    missing = [name for name in _NEEDED if name not in frame]
    if missing:
        raise DataError("column is missing", field=missing[0], fix="see Scanpaths.to_frame")
    number, _ = pd.factorize(frame["scanpath"])
    order = np.argsort(number, kind="stable")
    frame, number = frame.iloc[order], number[order]
    first = np.flatnonzero(np.diff(number, prepend=-1))
    rows = frame.iloc[first]
    labels = {name: rows[name].fillna("").to_numpy(dtype=str) for name in LABELS if name in frame}
    pairs = zip(rows["width"], rows["height"])
    duration = frame["duration"] if "duration" in frame else np.full(len(frame), np.nan)
    return Scanpaths(
        x=frame["x"].to_numpy(),
        y=frame["y"].to_numpy(),
        duration=np.asarray(duration),
        offsets=np.append(first, len(frame)),
        **labels,
        size=dict(zip(labels["stimulus"], pairs)),
        pixels_per_degree=pixels_per_degree,
    )
