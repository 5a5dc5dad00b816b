"""Curves of time-resolved decoding, and how models of one time decode another."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from neurodecode.report.svg import new_figure
from neurodecode.report.theme import ROLES, SERIES

__all__ = ["course_figure", "generalisation_figure"]


def course_figure(
    mean: pd.DataFrame, subjects: pd.DataFrame, targets: list[str], title: str, width: float = 620
) -> Figure:
    """Draw the score of every window, all targets on one axis.

    Parameters
    ----------
    mean, subjects : DataFrame
        Records of one metric: ``target``, ``subject``, ``time``, ``value``, ``ci_low``,
        ``ci_high``, ``chance``, ``p_cluster``.
    targets : list of str
        In the order of their colours.
    title : str
        What is drawn.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        A line a target with its interval, subjects as thin lines behind it; bars below mark
        windows in a significant cluster (p <= .05).
    """
    figure = new_figure(width, 330)
    axes = figure.add_subplot()
    lowest = float(pd.concat([mean["ci_low"], subjects["value"], mean["chance"]]).min())
    drop = 0.03 * (float(mean["ci_high"].max()) - lowest + 1e-9)
    for number, target in enumerate(targets):
        colour = SERIES[number % (len(SERIES) - 1)].light
        for _, line in subjects[subjects["target"] == target].groupby("subject", sort=True):
            line = line.sort_values("time")
            axes.plot(line["time"], line["value"], color=colour, linewidth=0.8, alpha=0.4)
        line = mean[mean["target"] == target].sort_values("time")
        axes.fill_between(line["time"], line["ci_low"], line["ci_high"], color=colour, alpha=0.15,
                          linewidth=0)  # fmt: skip
        axes.plot(line["time"], line["value"], color=colour, linewidth=2, label=target)
        there = np.where(line["p_cluster"] <= 0.05, lowest - drop * (number + 1), np.nan)
        axes.plot(line["time"], there, color=colour, linewidth=4, solid_capstyle="butt")
    for chance in sorted(set(mean["chance"].dropna().round(9))):
        axes.axhline(chance, color=ROLES["muted"].light, linewidth=1, linestyle=(0, (4, 3)))
    axes.axvline(0, color=ROLES["muted"].light, linewidth=1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("time after stimulus onset (s)")
    axes.set_title(title)
    axes.grid(axis="y", color=ROLES["rule"].light, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=9, labelcolor="linecolor", handlelength=1.2)
    return figure


def generalisation_figure(matrix: pd.DataFrame, title: str, width: float = 330) -> Figure:
    """Draw the score of every time by the model of every time.

    Parameters
    ----------
    matrix : DataFrame
        Rows: time of training, columns: time of testing, in s; two-way scores.
    title : str
        What is drawn.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        A map whose colours are symmetric about chance.
    """
    figure = new_figure(width, 290)
    axes = figure.add_subplot()
    values = matrix.to_numpy(dtype=float)
    reach = max(float(np.abs(values - 0.5).max()), 0.05)
    times = [*matrix.index, *matrix.columns]
    half = float(np.diff(matrix.index).mean()) / 2 if len(matrix) > 1 else 0.01
    extent = (min(times) - half, max(times) + half) * 2
    shown = axes.imshow(
        values, origin="lower", extent=extent, cmap="RdBu_r", vmin=0.5 - reach, vmax=0.5 + reach,
        interpolation="nearest",
    )  # fmt: skip
    for draw in (axes.axhline, axes.axvline):
        draw(0, color=ROLES["muted"].light, linewidth=0.8)
    axes.set_xlabel("tested at (s)")
    axes.set_ylabel("trained at (s)")
    axes.set_title(title)
    figure.colorbar(shown, ax=axes, format=PercentFormatter(1.0, decimals=0), shrink=0.85)
    return figure
