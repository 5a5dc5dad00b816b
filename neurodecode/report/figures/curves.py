"""Training curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodecode.report.svg import new_figure
from neurodecode.report.theme import ROLES, SERIES

__all__ = ["curve_figure", "smooth"]

_STAGE_COLOURS = {"train": SERIES[-1].light, "val": SERIES[0].light, "": SERIES[0].light}
_STAGE_NAMES = {"train": "training", "val": "validation", "": ""}


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Average over a centred window that shrinks at both ends.

    Parameters
    ----------
    values : array of shape (n,)
        A curve.
    width : int
        Window in samples; 1 leaves the curve as it is.

    Returns
    -------
    array of shape (n,)
        The average.
    """
    half = max(width, 1) // 2
    total = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype=np.float64))])
    index = np.arange(len(values))
    reach = np.minimum(half, np.minimum(index, len(values) - 1 - index))
    return (total[index + reach + 1] - total[index - reach]) / (2 * reach + 1)


def curve_figure(curves: pd.DataFrame, title: str, width: float = 330) -> Figure:
    """Draw one quantity of one training, or of the same training on several folds.

    Parameters
    ----------
    curves : DataFrame
        Rows of `neurodecode.analysis.curves.read_curves`: one quantity, any number of runs.
    title : str
        What is drawn.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        Training in grey (averaged over 2 % of the steps), validation in blue, a line a run.
    """
    figure = new_figure(width, 190)
    axes = figure.add_subplot()
    for stage in ("train", "", "val"):
        rows = curves[curves["stage"] == stage]
        for number, (_, line) in enumerate(rows.groupby(["run", "column"], sort=True)):
            line = line.sort_values("step", kind="stable")
            values = line["value"].to_numpy()
            if stage == "train":
                values = smooth(values, len(values) // 50)
            axes.plot(
                line["step"],
                values,
                color=_STAGE_COLOURS[stage],
                linewidth=1.6,
                label=_STAGE_NAMES[stage] if number == 0 else "_",
                marker="o" if len(line) < 3 else None,
                markersize=4,
            )
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", color=ROLES["rule"].light, linewidth=0.7)
    axes.set_axisbelow(True)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize=9, labelcolor="linecolor", handlelength=1.2)
    return figure
