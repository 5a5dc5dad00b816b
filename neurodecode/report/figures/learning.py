"""Learning curves: score over the number of training trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from neurodecode.report.svg import new_figure
from neurodecode.report.theme import ROLES, Colour

__all__ = ["learning_figure"]


def learning_figure(
    mean: pd.DataFrame,
    subjects: pd.DataFrame,
    order: Sequence[str],
    labels: Mapping[str, str],
    colours: Mapping[str, Colour],
    title: str,
    width: float = 620,
) -> Figure:
    """Draw a metric that is a share.

    Parameters
    ----------
    mean, subjects : DataFrame
        Records of means over subjects and of single ones: ``method``, ``subject``, ``n_trials``,
        ``value``, ``ci_low``, ``ci_high``, ``chance``.
    order : sequence of str
        Methods.
    labels : mapping of str to str
        What to call each of them.
    colours : mapping of str to Colour
        Colour of each of them.
    title : str
        What is drawn.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        A line a method with its interval, subjects as thin lines behind it.
    """
    figure = new_figure(width, 330)
    axes = figure.add_subplot()
    drawn: set[str] = set()
    for method in order:
        colour = colours[method].light
        # there are fewer colours than a page may have methods
        style = "--" if colour in drawn else "-"
        drawn.add(colour)
        for _, line in subjects[subjects["method"] == method].groupby("subject", sort=True):
            line = line.sort_values("n_trials")
            axes.plot(line["n_trials"], line["value"], color=colour, linewidth=0.8, alpha=0.4)
        line = mean[mean["method"] == method].sort_values("n_trials")
        axes.fill_between(
            line["n_trials"], line["ci_low"], line["ci_high"], color=colour, alpha=0.15, linewidth=0
        )
        axes.plot(line["n_trials"], line["value"], f"o{style}", color=colour, linewidth=2,
                  markersize=5, label=labels[method])  # fmt: skip
    _axes(axes, pd.concat([mean, subjects]), mean)
    axes.set_title(title)
    axes.legend(frameon=False, fontsize=9, labelcolor="linecolor", handlelength=2.2)
    return figure


def _axes(axes: Axes, rows: pd.DataFrame, mean: pd.DataFrame) -> None:
    shown = mean if len(mean) else rows
    axes.set_xscale("log")
    ticks = sorted(set(shown["n_trials"].astype(int)))
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("training trials of the new subject")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylim(bottom=0)
    for chance in sorted(set(rows["chance"].dropna().round(9))):
        axes.axhline(chance, color=ROLES["muted"].light, linewidth=1, linestyle=(0, (4, 3)))
    axes.grid(axis="y", color=ROLES["rule"].light, linewidth=0.7)
    axes.set_axisbelow(True)
