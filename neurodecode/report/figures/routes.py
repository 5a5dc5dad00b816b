"""Attention maps of regions over pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from neurodecode.report.pictures import to_pixels
from neurodecode.report.svg import bare_axes, new_figure

__all__ = ["routes_figure"]


def routes_figure(
    pictures: Sequence[np.ndarray], maps: Mapping[str, np.ndarray], cell: float = 92
) -> Figure:
    """Lay maps over the pictures they belong to; their mean and saliency stand beside.

    Parameters
    ----------
    pictures : sequence of array of shape (height, width, 3)
        As they were seen.
    maps : mapping of str to array of shape (n_pictures + 2, grid_height, grid_width)
        Region -> attention on each picture, mean attention, and saliency under occlusion.

    Returns
    -------
    Figure
        One row a region, brightness scaled row by row and kind by kind.
    """
    columns = len(pictures) + 2
    figure = new_figure(cell * columns + 120, cell * len(maps) + 30)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    grid = figure.subplots(len(maps), columns, squeeze=False)
    for row, (name, own) in zip(grid, maps.items(), strict=True):
        extent = (0, pictures[0].shape[1], pictures[0].shape[0], 0)
        for number, axes in enumerate(row):
            if number < len(pictures):
                axes.imshow(to_pixels(pictures[number]), extent=extent)
            seen = number < len(pictures)
            axes.imshow(
                own[number], extent=extent, cmap="magma", alpha=0.6 if seen else 1.0,
                interpolation="bicubic" if seen else "nearest", vmin=0,
                vmax=own[: len(pictures)].max() if seen else own[number].max(),
            )  # fmt: skip
            bare_axes(axes)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8, fontsize=10)
    titles = [*[""] * len(pictures), "mean", "occlusion"]
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=9, fontweight="normal", loc="center")
    return figure
