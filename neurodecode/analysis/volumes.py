"""Scores of voxels, put back where the voxels are."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["score_volume"]


def score_volume(units: pd.DataFrame, xyz: np.ndarray) -> np.ndarray:
    """Put the correlation of each voxel into a volume.

    Parameters
    ----------
    units : pandas.DataFrame
        Rows of ``units.csv`` of one subject and method, with ``unit`` and ``pearson_r``; folds
        are averaged.
    xyz : array of int of shape (n_units, 3)
        Voxel indices, as the store lists them.

    Returns
    -------
    array of float of shape (n_x, n_y, n_z)
        The box around the voxels; NaN where there is none, or no score.
    """
    scores = units.groupby("unit")["pearson_r"].mean()
    places = np.asarray(xyz)[scores.index.to_numpy()].astype(int)
    low = np.asarray(xyz).min(axis=0).astype(int)
    shape = np.asarray(xyz).max(axis=0).astype(int) - low + 1
    volume = np.full(shape, np.nan)
    volume[tuple((places - low).T)] = scores.to_numpy()
    return volume
