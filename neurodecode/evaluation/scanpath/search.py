"""Visual search: what is visited, and when the target is found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.metrics.functional import scanpath as fn
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["SearchTable", "behaviour_table", "fixated_objects", "found_curve"]

#: One row for each scanpath: stimulus, viewer, `fn.BEHAVIOUR`, and ``first``, the number of the
#: first fixation on the target (nan if there is none).
SearchTable = pd.DataFrame


def fixated_objects(scanpath: Scanpath, objects: Objects) -> np.ndarray:
    """Which object each fixation is on; between objects, the one with the nearest middle.

    Parameters
    ----------
    scanpath : Scanpath
        Fixations.
    objects : Objects
        At least one.

    Returns
    -------
    array of int of shape (n_fixations,)
        Index of the object.
    """
    on = objects.at(scanpath.x, scanpath.y)
    offset = scanpath.xy[:, None] - objects.centres[None]
    return np.where(on < 0, (offset**2).sum(axis=2).argmin(axis=1), on)


def behaviour_table(scanpaths: Scanpaths, data: GazeData) -> SearchTable:
    """Describe search for a present target, where the objects are known.

    Parameters
    ----------
    scanpaths : Scanpaths
        Of viewers or of a model.
    data : GazeData
        Objects of the stimuli.

    Returns
    -------
    DataFrame
        One row for each scanpath with a target; a target of several boxes is one target.
    """
    rows = []
    for scanpath in scanpaths:
        if scanpath.task != "search_present" or scanpath.stimulus not in data.objects:
            continue
        objects = data.objects[scanpath.stimulus]
        targets = objects.find(scanpath.target)
        sequence = fixated_objects(scanpath, objects)
        sequence = np.where(np.isin(sequence, targets), targets[0], sequence)
        # found means seen: the eye was on it, not only closest to it
        on = np.isin(objects.at(scanpath.x, scanpath.y), targets)
        first = float(on.argmax() + 1) if on.any() else np.nan
        values = fn.behaviour([sequence], [targets[0]])[0]
        rows.append((scanpath.stimulus, scanpath.viewer, *values, first))
    return pd.DataFrame(rows, columns=["stimulus", "viewer", *fn.BEHAVIOUR, "first"])


def found_curve(
    table: SearchTable, n_fixations: int, *, n_boot: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Share of trials in which the target was found by fixation 1, 2, ..., with intervals.

    Parameters
    ----------
    table : DataFrame
        Of `behaviour_table`.
    n_fixations : int
        Length of the curve.
    n_boot : int
        Resamples of stimuli.
    seed : int
        Of the resampling.

    Returns
    -------
    DataFrame
        ``fixation``, ``found``, ``ci_low``, ``ci_high``.
    """
    steps = np.arange(1, n_fixations + 1)
    found = table["first"].to_numpy()[:, None] <= steps
    by = pd.DataFrame(found.astype(float)).groupby(table["stimulus"].to_numpy())
    total, n = by.sum().to_numpy(), by.size().to_numpy()
    rng = np.random.default_rng(seed)
    picked = rng.integers(len(n), size=(n_boot, len(n)))
    curves = total[picked].sum(axis=1) / n[picked].sum(axis=1)[:, None]
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    curve = fn.found_by(table["first"].to_numpy(), n_fixations)
    return pd.DataFrame({"fixation": steps, "found": curve, "ci_low": low, "ci_high": high})
