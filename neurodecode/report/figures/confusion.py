"""Confusion matrices."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from neurodecode.report.svg import bare_axes, new_figure
from neurodecode.report.theme import ROLES, SERIES

__all__ = ["confusion_figure", "confusion_matrix"]


def confusion_matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Bring a table of counts into matrix form.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``confusion.csv`` of one data set and method; subjects are added up.

    Returns
    -------
    DataFrame
        True classes in the rows, predicted ones in the columns, both in the same order.
    """
    names = sorted(set(rows["true"]) | set(rows["predicted"]))
    table = rows.pivot_table(
        index="true", columns="predicted", values="count", aggfunc="sum", fill_value=0
    )
    return table.reindex(index=names, columns=names, fill_value=0).astype(int)


def confusion_figure(matrix: pd.DataFrame, title: str) -> Figure:
    """Draw a confusion matrix.

    Parameters
    ----------
    matrix : DataFrame
        From `confusion_matrix`.
    title : str
        What is drawn.

    Returns
    -------
    Figure
        Counts as numbers; the area of a square is the share of its row.
    """
    n = len(matrix)
    figure = new_figure(max(300, 150 + 38 * n), max(260, 120 + 36 * n))
    axes = figure.add_subplot()
    counts = matrix.to_numpy(dtype=float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row, column in np.argwhere(counts > 0):
        side = float(np.sqrt(share[row, column])) * 0.94
        right = row == column
        axes.add_patch(_square(column, row, side, SERIES[2].light if right else SERIES[1].light))
        axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", fontsize=9.5)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_aspect("equal")
    bare_axes(axes)
    axes.set_xticks(range(n), matrix.columns, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(n), matrix.index)
    axes.tick_params(length=0, labelcolor=ROLES["ink"].light)
    axes.set_xticks(np.arange(0.5, n - 1), minor=True)
    axes.set_yticks(np.arange(0.5, n - 1), minor=True)
    axes.tick_params(which="minor", length=0)
    axes.grid(which="minor", color=ROLES["rule"].light, linewidth=0.7)
    # over the whole figure: the labels on the left leave the axes little room
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    return figure


def _square(x: float, y: float, side: float, colour: str) -> Rectangle:
    corner = (x - side / 2, y - side / 2)
    return Rectangle(corner, side, side, facecolor=colour, alpha=0.45, linewidth=0)
