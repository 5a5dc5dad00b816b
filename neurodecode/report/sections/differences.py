"""Tables of paired differences between methods."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import control_methods, is_mean, order_methods
from neurodecode.report.glossary import Metric, format_difference, method_label, metric, task_label
from neurodecode.report.sections.results import Cell

__all__ = ["DifferenceRow", "DifferenceTable", "difference_tables"]


@dataclass(frozen=True)
class DifferenceRow:
    """Two methods, printed.

    Parameters
    ----------
    first, second : str
        What the page calls them; differences are first minus second.
    cells : list of Cell
        One a metric; empty where the two have no item in common.
    """

    first: str
    second: str
    cells: list[Cell]


@dataclass(frozen=True)
class DifferenceTable:
    """All differences of one task on one data set.

    Parameters
    ----------
    dataset, task : str
        Which.
    columns : list of str
        Metrics.
    rows : list of DifferenceRow
        One a pair of methods.
    """

    dataset: str
    task: str
    columns: list[str]
    rows: list[DifferenceRow]


def difference_tables(profile: Profile, datasets: list[str]) -> list[DifferenceTable]:
    """Arrange the differences: means over subjects, or the only subject.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of DifferenceTable
        By data set and task; empty where no two methods share items. The first method of a row
        is the one that the story tells first, whichever scored better.
    """
    shown = _summaries(profile.differences)
    controls = control_methods(profile.records)
    return [
        _table(dataset, str(task), rows, controls)
        for dataset in datasets
        for task, rows in shown[shown["dataset"] == dataset].groupby("task", sort=True)
    ]


def _summaries(differences: pd.DataFrame) -> pd.DataFrame:
    """Keep the mean over subjects, and a subject that has no other beside it."""
    keys = ["dataset", "task", "method", "baseline", "metric"]
    lonely = differences.groupby(keys)["subject"].transform("size") == 1
    return differences[differences["subject"].map(is_mean).astype(bool) | lonely]


def _table(dataset: str, task: str, rows: pd.DataFrame, controls: list[str]) -> DifferenceTable:
    metrics = list(dict.fromkeys(rows["metric"]))
    order = order_methods([*rows["method"], *rows["baseline"]], controls)
    cells = {
        (row.method, row.baseline, row.metric): (row.difference, row.ci_low, row.ci_high)
        for row in rows.itertuples()
    }
    # the story's first method comes first, and what was measured the other way round is turned
    cells |= {
        (second, first, name): (-value, -high, -low)
        for (first, second, name), (value, low, high) in cells.items()
    }
    pairs = [(first, second) for i, first in enumerate(order) for second in order[i + 1 :]]
    found = [
        DifferenceRow(
            method_label(first),
            method_label(second),
            [_cell(cells.get((first, second, name)), metric(name)) for name in metrics],
        )
        for first, second in pairs
        if any((first, second, name) in cells for name in metrics)
    ]
    return DifferenceTable(
        dataset, task_label(task), [metric(name).label for name in metrics], found
    )


def _cell(numbers: tuple[float, float, float] | None, shown: Metric) -> Cell:
    if numbers is None:
        return Cell()
    value, low, high = numbers
    return Cell(format_difference(shown, value), format_difference(shown, low, high))
