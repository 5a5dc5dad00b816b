"""What is wrong with scanpaths, and which fixations lie outside their stimulus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import DataError

if TYPE_CHECKING:
    from neurodecode.scanpaths.container import Scanpaths

__all__ = ["check", "off_image"]


def off_image(scanpaths: Scanpaths) -> np.ndarray:
    """Find fixations outside their stimulus.

    Parameters
    ----------
    scanpaths : Scanpaths
        With the size of every stimulus.

    Returns
    -------
    array of bool of shape (n_fixations,)
        Whether x < 0, y < 0, x >= width or y >= height.

    Raises
    ------
    DataError
        If a stimulus has no size.
    """
    missing = sorted(set(scanpaths.stimulus.tolist()) - set(scanpaths.size))
    if missing:
        raise DataError(
            f"stimulus {missing[0]} has no size", field="size", fix="give its width and height"
        )
    if not len(scanpaths):
        return np.zeros(0, bool)
    sizes = np.array([scanpaths.size[name] for name in scanpaths.stimulus.tolist()])
    width, height = sizes.T[:, scanpaths.owner]
    x, y = scanpaths.x, scanpaths.y
    return (x < 0) | (y < 0) | (x >= width) | (y >= height)


def check(scanpaths: Scanpaths) -> np.ndarray:
    """Refuse what cannot be a scanpath; see `Scanpaths.check`.

    Parameters
    ----------
    scanpaths : Scanpaths
        Any.

    Returns
    -------
    array of bool of shape (n_fixations,)
        Fixations outside their stimulus.

    Raises
    ------
    DataError
        If a scanpath is empty, a duration is not positive, a coordinate is not finite, or the
        size of a stimulus does not match.
    """
    empty = np.flatnonzero(scanpaths.n_fixations == 0)
    if empty.size:
        raise _error(scanpaths, empty[0], "scanpath is empty", "x", "leave it out")
    for name in ("x", "y"):
        bad = np.flatnonzero(~np.isfinite(getattr(scanpaths, name)))
        if bad.size:
            owner = scanpaths.owner[bad[0]]
            raise _error(scanpaths, owner, "coordinate is not a number", name, "leave it out")
    # NaN means unknown, and no comparison with NaN holds
    bad = np.flatnonzero(scanpaths.duration <= 0)
    if bad.size:
        problem = f"duration of {scanpaths.duration[bad[0]]:g} ms"
        fix = "give milliseconds above 0, or NaN where unknown"
        raise _error(scanpaths, scanpaths.owner[bad[0]], problem, "duration", fix)
    outside = off_image(scanpaths)
    _check_sizes(scanpaths, outside)
    return outside


def _check_sizes(scanpaths: Scanpaths, outside: np.ndarray) -> None:
    names, number = np.unique(scanpaths.stimulus, return_inverse=True)
    by_fixation = number[scanpaths.owner]
    share = np.bincount(by_fixation, outside, len(names)) / np.bincount(
        by_fixation, minlength=len(names)
    )
    if names.size and share.max() > 0.5:
        name = str(names[share.argmax()])
        width, height = scanpaths.size[name]
        raise DataError(
            f"{share.max():.0%} of the fixations on {name} lie outside {width} x {height} pixels",
            field="size",
            fix="check the size of the image and the unit of the coordinates",
        )


def _error(scanpaths: Scanpaths, row: int, problem: str, name: str, fix: str) -> DataError:
    stimulus, viewer = scanpaths.stimulus[row], scanpaths.viewer[row]
    return DataError(f"{problem} (stimulus {stimulus})", subject=str(viewer), field=name, fix=fix)
