"""A new subject: learning curves as figure and table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import is_mean, order_methods, split_mean
from neurodecode.report.figures.learning import learning_figure
from neurodecode.report.glossary import (
    Metric,
    format_interval,
    format_points,
    format_value,
    method_label,
    metric,
)
from neurodecode.report.pictures import Picture
from neurodecode.report.sections.results import Cell
from neurodecode.report.svg import drawing, svg_uri
from neurodecode.report.theme import method_colours

__all__ = ["Block", "CurveRow", "LearningCurve", "learning_curves"]

_METRIC = "retrieval_top1"


@dataclass(frozen=True)
class CurveRow:
    """Scores after some number of trials.

    Parameters
    ----------
    label : str
        The number, or ``all``.
    cells : list of Cell
        One a column of the table.
    """

    label: str
    cells: list[Cell]


@dataclass(frozen=True)
class Block:
    """Rows of one method, or of a difference of two.

    Parameters
    ----------
    label : str
        What the page calls it.
    rows : list of CurveRow
        From few trials to all.
    """

    label: str
    rows: list[CurveRow]


@dataclass(frozen=True)
class LearningCurve:
    """All about new subjects of one data set.

    Parameters
    ----------
    dataset, metric : str
        What was measured on what.
    figure : Picture
        The curves.
    columns : list of str
        Mean over subjects, if there is one, then subjects.
    blocks : list of Block
        Methods in the order of the story, then differences from the first.
    """

    dataset: str
    metric: str
    figure: Picture
    columns: list[str]
    blocks: list[Block]


def learning_curves(profile: Profile, datasets: list[str]) -> list[LearningCurve]:
    """Arrange the records of task ``adaptation``.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of LearningCurve
        By data set; empty where nothing was adapted.
    """
    records = profile.records
    wanted = records[(records["task"] == "adaptation") & (records["metric"] == _METRIC)]
    return [
        _curve(dataset, rows, profile)
        for dataset in datasets
        if len(rows := wanted[wanted["dataset"] == dataset])
    ]


def _curve(dataset: str, rows: pd.DataFrame, profile: Profile) -> LearningCurve:
    order = order_methods(list(rows["method"]), [])
    subjects = sorted(set(rows["subject"]), key=lambda name: (not is_mean(name), name))
    # a share is not as many trials for everybody: in the order of the mean
    counts = list(rows.groupby("trials")["n_trials"].mean().sort_values().index)
    shown = metric(_METRIC)
    blocks = [
        Block(method_label(method), _rows(rows[rows["method"] == method], counts, subjects, shown))
        for method in order
    ]
    blocks += _differences(dataset, profile.differences, order, counts, subjects)
    columns = ["Mean" if is_mean(name) else f"Subject {name}" for name in subjects]
    return LearningCurve(dataset, shown.label, _figure(rows, order, shown), columns, blocks)


def _rows(
    rows: pd.DataFrame, counts: list[str], subjects: list[str], shown: Metric
) -> list[CurveRow]:
    found = {(row.trials, row.subject): row for row in rows.itertuples()}

    def cell(trials: str, subject: str) -> Cell:
        """Print one score."""
        row = found.get((trials, subject))
        if row is None:
            return Cell()
        interval = format_interval(row.ci_low, row.ci_high, shown)
        return Cell(format_value(row.value, shown), interval)

    used = {trials for trials, _ in found}
    return [
        CurveRow(trials, [cell(trials, subject) for subject in subjects])
        for trials in counts
        if trials in used
    ]


def _differences(
    dataset: str, table: pd.DataFrame, order: list[str], counts: list[str], subjects: list[str]
) -> list[Block]:
    """The first method minus each other, after equally many trials."""
    wanted = (table["dataset"] == dataset) & (table["task"] == "adaptation")
    own = table[wanted & (table["metric"] == _METRIC)]
    found = {}
    for row in own.itertuples():
        numbers = (row.difference, row.ci_low, row.ci_high)
        found[row.method, row.baseline, row.trials, row.subject] = numbers
        turned = (-row.difference, -row.ci_high, -row.ci_low)
        found[row.baseline, row.method, row.trials, row.subject] = turned
    blocks = []
    for other in order[1:]:
        rows = [
            CurveRow(
                trials, [_cell(found.get((order[0], other, trials, name))) for name in subjects]
            )
            for trials in counts
            if any((order[0], other, trials, name) in found for name in subjects)
        ]
        if rows:
            label = f"{method_label(order[0])} minus {method_label(other)}, in points"
            blocks.append(Block(label, rows))
    return blocks


def _cell(numbers: tuple[float, float, float] | None) -> Cell:
    if numbers is None:
        return Cell()
    value, low, high = numbers
    return Cell(format_points(value), format_points(low, high))


def _figure(rows: pd.DataFrame, order: list[str], shown: Metric) -> Picture:
    parts = [split_mean(part) for _, part in rows.groupby("trials")]
    mean, subjects = (pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True))
    labels = {name: method_label(name) for name in order}
    with drawing():
        figure = learning_figure(mean, subjects, order, labels, method_colours(order), shown.label)
        source = svg_uri(figure)
    lines = []
    for method in order:
        line = mean[mean["method"] == method].sort_values("n_trials")
        points = [
            f"{format_value(row.value, shown)} after {row.n_trials:.0f}"
            for row in line.itertuples()
        ]
        lines.append(f"{labels[method]}: {', '.join(points)}")
    return {"src": source, "alt": f"{shown.label} over training trials. {'; '.join(lines)}."}
