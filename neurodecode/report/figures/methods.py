"""Methods side by side: a dot with its interval for each, subjects behind it, chance as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from neurodecode.analysis.records import split_mean
from neurodecode.report.glossary import Metric
from neurodecode.report.svg import new_figure
from neurodecode.report.theme import ROLES, Colour

__all__ = ["draw_methods", "method_figure"]


def draw_methods(
    axes: Axes,
    rows: pd.DataFrame,
    metric: Metric,
    order: Sequence[str],
    colours: Mapping[str, Colour],
) -> None:
    """Draw one metric of several methods.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    rows : DataFrame
        Records of one data set, task and metric.
    metric : Metric
        What is shown: label and scale.
    order : sequence of str
        Methods from top to bottom.
    colours : mapping of str to Colour
        Colour of each method.
    """
    mean, subjects = split_mean(rows)
    for place, method in enumerate(order):
        colour = colours[method].light
        single = subjects.loc[subjects["method"] == method, "value"].to_numpy()
        # subjects are spread a little, in their own order, so that equal ones can be told apart
        spread = np.linspace(-0.16, 0.16, len(single)) if len(single) > 1 else np.zeros(1)
        axes.scatter(
            single, place + spread[: len(single)], s=20, color=colour, alpha=0.45, linewidths=0
        )
        for row in mean[mean["method"] == method].itertuples():
            axes.plot([row.ci_low, row.ci_high], [place, place], color=colour, linewidth=2.2)
            axes.plot(row.value, place, "o", color=colour, markersize=7)
    _mark_chance(axes, rows)
    axes.set_ylim(len(order) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=ROLES["rule"].light, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(metric.label)
    if metric.kind == "rate":
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        low, high = axes.get_xlim()
        axes.set_xlim(max(low, -0.03), min(high, 1.03))


def _mark_chance(axes: Axes, rows: pd.DataFrame) -> None:
    for chance in sorted(set(rows["chance"].dropna().round(9))):
        axes.axvline(chance, color=ROLES["muted"].light, linewidth=1, linestyle=(0, (4, 3)))


def method_figure(
    rows: pd.DataFrame,
    metric: Metric,
    order: Sequence[str],
    labels: Mapping[str, str],
    colours: Mapping[str, Colour],
    width: float = 340,
) -> Figure:
    """Make the figure of one metric.

    Parameters
    ----------
    rows : DataFrame
        Records of one data set, task and metric.
    metric : Metric
        What is shown.
    order : sequence of str
        Methods from top to bottom; those without a record are left out.
    labels : mapping of str to str
        What to call each method.
    colours : mapping of str to Colour
        Colour of each method.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        The drawing.
    """
    order = [method for method in order if method in set(rows["method"])]
    names = [fill(labels[method], 22) for method in order]
    lines = max(name.count("\n") + 1 for name in names)
    figure = new_figure(width, 62 + (21 + 8 * lines) * len(order))
    axes = figure.add_subplot()
    draw_methods(axes, rows, metric, order, colours)
    axes.set_yticks(range(len(order)), names)
    axes.tick_params(axis="y", labelcolor=ROLES["ink"].light)
    return figure
