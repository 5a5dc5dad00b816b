"""Slices of a volume of scores."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from neurodecode.report.svg import bare_axes, new_figure

__all__ = ["slices_figure"]


def slices_figure(
    volumes: dict[str, np.ndarray], title: str, n_slices: int = 8, cell: float = 84
) -> Figure:
    """Lay slices from bottom to top side by side, one row a volume.

    Parameters
    ----------
    volumes : dict of str to array of shape (n_x, n_y, n_z)
        Scores; NaN where there is no voxel.
    title : str
        What the colour means.
    n_slices : int
        Slices at most, at equal distances.
    cell : float
        Width of a slice in pixels.

    Returns
    -------
    Figure
        One colour scale for all, from zero.
    """
    columns = min(n_slices, max(each.shape[2] for each in volumes.values()))
    figure = new_figure(cell * columns + 190, cell * len(volumes) + 34)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    grid = figure.subplots(len(volumes), columns, squeeze=False)
    top = max(float(np.nanmax(each)) for each in volumes.values())
    for row, (name, volume) in zip(grid, volumes.items(), strict=True):
        levels = np.linspace(0, volume.shape[2] - 1, columns).round().astype(int)
        for axes, level in zip(row, levels, strict=True):
            # left is left, front is up
            drawn = axes.imshow(volume[:, :, level].T, origin="lower", cmap="magma", vmin=0,
                                vmax=top, interpolation="nearest")  # fmt: skip
            bare_axes(axes)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8, fontsize=10)
    figure.colorbar(drawn, ax=grid.ravel().tolist(), shrink=0.8, label=title)
    return figure
