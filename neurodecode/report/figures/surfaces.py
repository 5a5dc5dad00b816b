"""Scores on the inflated cortex."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from neurodecode.report.svg import new_figure

__all__ = ["surface_figure"]

#: Hemisphere and side from which it is seen, from left to right.
_VIEWS = (("left", "lateral"), ("left", "ventral"), ("right", "ventral"), ("right", "lateral"))


def surface_figure(
    scores: Mapping[str, Mapping[str, np.ndarray]], title: str, cell: float = 170
) -> Figure:
    """Draw both hemispheres of fsaverage5 from the side and from below, one row a method.

    Parameters
    ----------
    scores : mapping of str to mapping of str to array of shape (10242,)
        Of each method those of the ``left`` and ``right`` hemisphere; NaN shows the bare cortex.
    title : str
        What the colour means.
    cell : float
        Width of a view in pixels.

    Returns
    -------
    Figure
        One colour scale for all, from zero.
    """
    from nilearn.datasets import load_fsaverage, load_fsaverage_data
    from nilearn.plotting import plot_surf

    mesh, folds = load_fsaverage("fsaverage5"), load_fsaverage_data("fsaverage5")
    values = [np.nanmax(each) for both in scores.values() for each in both.values() if _any(each)]
    top = max([float(value) for value in values if value > 0], default=1.0)
    figure = new_figure(cell * len(_VIEWS) + 190, 0.8 * cell * len(scores) + 20)
    grid = figure.subplots(len(scores), len(_VIEWS), squeeze=False, subplot_kw={"projection": "3d"})
    for row, (name, both) in zip(grid, scores.items(), strict=True):
        for axes, (side, view) in zip(row, _VIEWS, strict=True):
            with warnings.catch_warnings():
                # matplotlib cannot lay out the margins that nilearn sets
                warnings.simplefilter("ignore", UserWarning)
                plot_surf(
                    mesh["inflated"], both[side].astype(np.float32), folds, hemi=side, view=view,
                    cmap="magma", vmin=0, vmax=top, colorbar=False, axes=axes, figure=figure,
                    bg_on_data=False,
                )  # fmt: skip
            axes.set_box_aspect(None, zoom=1.4)
        row[0].text2D(-0.05, 0.5, name, transform=row[0].transAxes, ha="right", fontsize=10)
    for axes, (side, view) in zip(grid[0], _VIEWS, strict=True):
        axes.set_title(f"{side}, {view}", fontsize=9, loc="center", fontweight="normal", pad=0)
    figure.colorbar(
        ScalarMappable(Normalize(0, top), "magma"), ax=grid.ravel().tolist(), shrink=0.7,
        label=title,
    )  # fmt: skip
    return figure


def _any(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).any())
