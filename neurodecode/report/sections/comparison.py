"""Figures: methods side by side, and confusion matrices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import control_methods, order_methods, split_mean
from neurodecode.report.figures.confusion import confusion_figure, confusion_matrix
from neurodecode.report.figures.methods import draw_methods, method_figure
from neurodecode.report.glossary import (
    Metric,
    format_interval,
    format_value,
    method_label,
    metric,
    task_label,
)
from neurodecode.report.pictures import Picture
from neurodecode.report.svg import drawing, new_figure, save_png, svg_uri
from neurodecode.report.theme import ROLES, method_colours

__all__ = ["Comparison", "comparisons", "confusion_pictures", "save_methods"]

#: What is worth a figure, in this order; further metrics are in the tables.
_SHOWN = (
    "retrieval_top1", "two_way", "two_way_clip", "category_accuracy", "ssim", "pixcorr", "accuracy",
    "pearson_r", "cosine",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Figures of one task on one data set.

    Parameters
    ----------
    dataset, task : str
        Which.
    figures : list of Picture
        One a metric.
    """

    dataset: str
    task: str
    figures: list[Picture]


def _chosen(profile: Profile, datasets: list[str]) -> list[tuple[str, str, Metric, pd.DataFrame]]:
    """Give the records of each figure: data set, task, metric, rows."""
    found = []
    for dataset in datasets:
        own = profile.records[profile.records["dataset"] == dataset]
        for task, rows in own.groupby("task", sort=True):
            for name in _SHOWN:
                drawn = rows[(rows["metric"] == name) & rows["value"].notna()]
                if len(drawn):
                    found.append((dataset, str(task), metric(name), drawn))
    return found


def comparisons(profile: Profile, datasets: list[str]) -> list[Comparison]:
    """Draw the figures of all tasks.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of Comparison
        By data set and task.
    """
    controls = control_methods(profile.records)
    order = order_methods(list(profile.records["method"]), controls)
    colours = method_colours(order, controls)
    labels = {name: method_label(name) for name in order}
    found: dict[tuple[str, str], list[Picture]] = {}
    for dataset, task, shown, rows in _chosen(profile, datasets):
        with drawing():
            source = svg_uri(method_figure(rows, shown, order, labels, colours))
        picture = {"src": source, "alt": _in_words(rows, shown, order)}
        found.setdefault((dataset, task), []).append(picture)
    return [
        Comparison(dataset, task_label(task), figures) for (dataset, task), figures in found.items()
    ]


def _in_words(rows: pd.DataFrame, shown: Metric, order: list[str]) -> str:
    mean, subjects = split_mean(rows)
    parts = []
    for method in order:
        for row in mean[mean["method"] == method].itertuples():
            interval = format_interval(row.ci_low, row.ci_high, shown)
            inside = f" ({interval})" if interval else ""
            parts.append(f"{method_label(method)} {format_value(row.value, shown)}{inside}")
    if not parts:
        low, high = subjects["value"].min(), subjects["value"].max()
        parts.append(f"subjects {format_value(low, shown)} to {format_value(high, shown)}")
    chance = rows["chance"].dropna()
    tail = f"; chance {format_value(chance.mean(), shown)}" if len(chance) else ""
    return f"{shown.label} by method: {', '.join(parts)}{tail}."


def confusion_pictures(profile: Profile) -> list[Picture]:
    """Draw the confusion matrix of each data set and method.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    list of Picture
        Empty where nothing was classified.
    """
    found = []
    for (dataset, method), rows in profile.confusion.groupby(["dataset", "method"], sort=True):
        matrix = confusion_matrix(rows)
        right = matrix.to_numpy().trace()
        text = f"Confusion matrix of {method_label(method)} on {dataset}: {right} of "
        text += f"{matrix.to_numpy().sum()} right."
        with drawing():
            figure = confusion_figure(matrix, f"{dataset}: {method_label(method)}")
            found.append({"src": svg_uri(figure), "alt": text})
    return found


def save_methods(profile: Profile, datasets: list[str], path: Path) -> bool:
    """Save the first metric of each task as one picture, for the README.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.
    path : Path
        PNG file.

    Returns
    -------
    bool
        Whether there was anything to draw.
    """
    controls = control_methods(profile.records)
    order = order_methods(list(profile.records["method"]), controls)
    colours = method_colours(order, controls)
    first: dict[tuple[str, str], tuple[Metric, pd.DataFrame]] = {}
    for dataset, task, shown, rows in _chosen(profile, datasets):
        first.setdefault((dataset, task), (shown, rows))
    if not first:
        return False
    with drawing():
        figure = new_figure(400 * len(first), 70 + 26 * len(order))
        panels = figure.subplots(1, len(first), squeeze=False)[0]
        for axes, ((dataset, _), (shown, rows)) in zip(panels, first.items(), strict=True):
            here = [method for method in order if method in set(rows["method"])]
            draw_methods(axes, rows, shown, here, colours)
            axes.set_yticks(range(len(here)), [method_label(method) for method in here])
            axes.tick_params(axis="y", labelcolor=ROLES["ink"].light)
            axes.set_title(f"{dataset}: {shown.label}")
        save_png(figure, path)
    return True
