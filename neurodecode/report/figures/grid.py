"""Pictures in a grid, for the README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from neurodecode.report.pictures import to_pixels
from neurodecode.report.svg import bare_axes, new_figure

__all__ = ["picture_grid"]


def picture_grid(
    rows: Mapping[str, Sequence[np.ndarray]], below: Sequence[str], cell: float = 96
) -> Figure:
    """Put rows of pictures below each other.

    Parameters
    ----------
    rows : mapping of str to sequence of array of shape (height, width, 3)
        Name of each row -> its pictures, equally many in all rows.
    below : sequence of str
        A word under each column.
    cell : float
        Side of a picture in CSS pixels.

    Returns
    -------
    Figure
        The grid.
    """
    n_columns = len(below)
    figure = new_figure(cell * n_columns + 110, cell * len(rows) + 26)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    grid = figure.subplots(len(rows), n_columns, squeeze=False)
    for row, (name, pictures) in zip(grid, rows.items(), strict=True):
        for axes, picture in zip(row, pictures, strict=True):
            axes.imshow(to_pixels(picture), interpolation="lanczos", interpolation_stage="rgba")
            bare_axes(axes)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8, fontsize=10.5)
    for axes, text in zip(grid[-1], below, strict=True):
        axes.set_xlabel(text, fontsize=9)
    return figure
