"""Attention: accuracy against window length, decisions over time, response functions."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from neurodecode.report.glossary import method_label
from neurodecode.report.svg import new_figure
from neurodecode.report.theme import ROLES, SERIES

__all__ = ["accuracy_figure", "pattern_figure", "posterior_figure"]


def accuracy_figure(table: pd.DataFrame, title: str, width: float = 620) -> Figure:
    """Draw accuracy against the length of the window, one line a method.

    Parameters
    ----------
    table : DataFrame
        Records: ``method``, ``window_s``, ``value``, ``ci_low``, ``ci_high``, ``chance``,
        ``chance_limit``.
    title : str
        What is drawn.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        Lines with intervals; below the grey step guesses stay in 95 of 100 experiments.
    """
    figure = new_figure(width, 330)
    axes = figure.add_subplot()
    if "chance_limit" in table:
        limit = table.groupby("window_s")["chance_limit"].max()
        axes.fill_between(limit.index, table["chance"].min(), limit, color=ROLES["muted"].light,
                          alpha=0.15, linewidth=0)  # fmt: skip
    for number, (method, line) in enumerate(table.groupby("method", sort=True)):
        colour = SERIES[number % len(SERIES)].light
        line = line.sort_values("window_s")
        axes.plot(line["window_s"], line["value"], color=colour, linewidth=2, marker="o",
                  markersize=4, label=method_label(str(method)))  # fmt: skip
        known = line.dropna(subset=["ci_low"])
        axes.fill_between(known["window_s"], known["ci_low"], known["ci_high"], color=colour,
                          alpha=0.12, linewidth=0)  # fmt: skip
    axes.axhline(table["chance"].min(), color=ROLES["muted"].light, linewidth=1,
                 linestyle=(0, (4, 3)))  # fmt: skip
    axes.set_xscale("log")
    ticks = sorted(set(table["window_s"]))
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("window (s)")
    axes.set_title(title)
    axes.legend(frameon=False, fontsize=8.5)
    return figure


def posterior_figure(table: pd.DataFrame, title: str, width: float = 620) -> Figure:
    """Draw the posterior of one talker over a trial, against who was attended.

    Parameters
    ----------
    table : DataFrame
        One trial: ``second``, ``attended``, ``filtered``, ``smoothed`` (probability of what is
        attended).
    title : str
        What is drawn.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        Probability of the second candidate.
    """
    figure = new_figure(width, 220)
    axes = figure.add_subplot()
    second = table["attended"] == 1
    axes.fill_between(table["second"], 0, second, step="pre", color=ROLES["muted"].light,
                      alpha=0.2, linewidth=0, label="attended")  # fmt: skip
    for number, name in enumerate(("filtered", "smoothed")):
        value = table[name].where(second, 1 - table[name])
        axes.plot(table["second"], value, color=SERIES[number].light, linewidth=2, label=name)
    axes.set(xlabel="s", ylim=(-0.03, 1.03), title=title)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(frameon=False, fontsize=8.5, ncols=3)
    return figure


def pattern_figure(table: pd.DataFrame, title: str, width: float = 620) -> Figure:
    """Draw how the rebuilt sound shows in each channel after some lag.

    Parameters
    ----------
    table : DataFrame
        ``channel``, ``lag_s``, ``value``.
    title : str
        What is drawn.
    width : float
        Width in CSS pixels.

    Returns
    -------
    Figure
        One thin line a channel, the strongest one thick.
    """
    figure = new_figure(width, 260)
    axes = figure.add_subplot()
    matrix = table.pivot_table(index="lag_s", columns="channel", values="value").sort_index()
    axes.plot(1000 * matrix.index, matrix, color=SERIES[0].light, linewidth=0.6, alpha=0.4)
    best = matrix.abs().max().idxmax()
    axes.plot(1000 * matrix.index, matrix[best], color=SERIES[1].light, linewidth=2, label=best)
    axes.axhline(0, color=ROLES["muted"].light, linewidth=1)
    axes.set(xlabel="lag of the brain behind the sound (ms)", title=title)
    axes.set_yticks([])
    axes.legend(frameon=False, fontsize=8.5)
    return figure
