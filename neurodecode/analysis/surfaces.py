"""Scores of vertices, put back on the surface they lie on."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["HEMISPHERES", "score_surface"]

HEMISPHERES = ("left", "right")
#: Vertices of fsaverage5, a hemisphere.
N_VERTICES = 10_242


def score_surface(
    units: pd.DataFrame, vertex: np.ndarray, hemisphere: np.ndarray
) -> dict[str, np.ndarray]:
    """Put the correlation of each vertex of fsaverage on fsaverage5.

    The spheres of FreeSurfer are icosahedra that were divided again and again, each level
    keeping the vertices of the one before as its first ones: the first 10,242 vertices of
    fsaverage (and of fsaverage6) *are* fsaverage5, so nothing is interpolated.

    Parameters
    ----------
    units : pandas.DataFrame
        Rows of ``units.csv`` of one subject and method, with ``unit`` and ``pearson_r``; folds
        are averaged.
    vertex : array of int of shape (n_units,)
        Vertex of each unit in its hemisphere of fsaverage.
    hemisphere : array of str of shape (n_units,)
        ``left`` or ``right``.

    Returns
    -------
    dict of str to array of float of shape (10242,)
        Of both hemispheres; NaN where there is no unit, or no score.

    References
    ----------
    Fischl et al. 1999, "High-resolution intersubject averaging and a coordinate system for the
    cortical surface".
    """
    scores = units.groupby("unit")["pearson_r"].mean()
    own = scores.index.to_numpy()
    places, sides = np.asarray(vertex)[own], np.asarray(hemisphere).astype(str)[own]
    found = {}
    for side in HEMISPHERES:
        kept = (sides == side) & (places < N_VERTICES)
        found[side] = np.full(N_VERTICES, np.nan)
        found[side][places[kept]] = scores.to_numpy()[kept]
    return found
