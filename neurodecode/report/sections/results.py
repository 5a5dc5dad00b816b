"""Tables of all scores, with interval and chance, per subject."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from neurodecode.analysis.ceilings import ceiling_table
from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import control_methods, is_mean, order_methods
from neurodecode.report.glossary import (
    Metric,
    format_interval,
    format_value,
    method_label,
    metric,
    task_label,
)

__all__ = ["Block", "Cell", "ResultTable", "Row", "result_tables"]


@dataclass(frozen=True)
class Cell:
    """One score, printed.

    Parameters
    ----------
    value, interval : str
        The score and its 95 % interval; empty where there is none.
    """

    value: str = ""
    interval: str = ""


@dataclass(frozen=True)
class Row:
    """Scores of one method, one cell a column.

    Parameters
    ----------
    label, method : str
        What the page and the files call the method.
    cells : list of Cell
        One a column of the table.
    marks : list of str
        ``control``, ``transductive``.
    """

    label: str
    method: str
    cells: list[Cell]
    marks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """Rows of one metric.

    Parameters
    ----------
    metric : Metric
        Which.
    chance : str
        Printed; the range where it differs.
    rows : list of Row
        One a method.
    """

    metric: Metric
    chance: str
    rows: list[Row]


@dataclass(frozen=True)
class ResultTable:
    """All scores of one task on one data set.

    Parameters
    ----------
    dataset, task : str
        Which.
    columns : list of str
        Mean over subjects, if there is one, then subjects.
    blocks : list of Block
        One a metric.
    notes : list of str
        What holds for all numbers of the table.
    """

    dataset: str
    task: str
    columns: list[str]
    blocks: list[Block]
    notes: list[str]


def result_tables(profile: Profile, datasets: list[str]) -> list[ResultTable]:
    """Arrange all records.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of ResultTable
        By data set and task.
    """
    records = profile.records
    controls = control_methods(records)
    tables = []
    for dataset in datasets:
        folder = profile.stores.get(dataset)
        ceilings = {} if folder is None else ceiling_table(folder).set_index("subject")["median"]
        for task, rows in records[records["dataset"] == dataset].groupby("task", sort=True):
            table = _table(dataset, str(task), rows, controls, dict(ceilings))
            table.notes.extend(_unmeasured(profile.unmeasured, dataset, str(task)))
            tables.append(table)
    return tables


def _unmeasured(records: pd.DataFrame, dataset: str, task: str) -> list[str]:
    """Say what was left out for the want of weights or data."""
    own = records[(records["dataset"] == dataset) & (records["task"] == task)]
    names = [metric(str(name)).label for name in sorted(set(own["metric"]))]
    if not names:
        return []
    return [f"not measured, because weights or data are not here: {', '.join(names)}"]


def _table(
    dataset: str,
    task: str,
    rows: pd.DataFrame,
    controls: list[str],
    ceilings: dict[str, float],
) -> ResultTable:
    subjects = sorted(set(rows["subject"]), key=lambda name: (not is_mean(name), name))
    blocks = []
    for name, own in sorted(rows.groupby("metric"), key=lambda pair: _place(pair[0])):
        shown = metric(str(name))
        blocks.append(
            Block(
                metric=shown,
                chance=_span(own["chance"], shown),
                rows=[
                    _row(own[own["method"] == method], method, subjects, shown, controls)
                    for method in order_methods(list(own["method"]), controls)
                ],
            )
        )
    if ceilings:
        blocks.append(_ceiling_block(subjects, ceilings))
    columns = ["Mean" if is_mean(name) else f"Subject {name}" for name in subjects]
    return ResultTable(dataset, task_label(task), columns, blocks, _notes(rows))


def _ceiling_block(subjects: list[str], ceilings: dict[str, float]) -> Block:
    """How much there was to be explained, below the scores it limits."""
    shown = metric("noise_ceiling")
    mean = float(np.mean(list(ceilings.values())))
    values = [mean if is_mean(name) else ceilings.get(name, np.nan) for name in subjects]
    cells = [Cell(format_value(value, shown)) for value in values]
    return Block(shown, "", [Row("Tested responses, median over voxels", "", cells)])


def _place(name: str) -> tuple[int, str]:
    order = ("retrieval_top1", "retrieval_top5", "two_way", "median_rank", "mean_rank")
    return (order.index(name) if name in order else len(order), name)


def _row(
    rows: pd.DataFrame, method: str, subjects: list[str], shown: Metric, controls: list[str]
) -> Row:
    by_subject = {row.subject: row for row in rows.itertuples()}
    cells = []
    for subject in subjects:
        row = by_subject.get(subject)
        if row is None:
            cells.append(Cell())
        else:
            interval = format_interval(row.ci_low, row.ci_high, shown)
            cells.append(Cell(format_value(row.value, shown), interval))
    marks = ["control"] if method in controls else []
    if rows["transductive"].astype(bool).any():
        marks.append("transductive")
    return Row(method_label(method), method, cells, marks)


def _span(values: pd.Series, shown: Metric) -> str:
    known = values.dropna()
    if not len(known):
        return ""
    low, high = (format_value(value, shown) for value in (known.min(), known.max()))
    return low if low == high else f"{low} – {high}"


def _range(values: pd.Series, digits: int = 0) -> str:
    low, high = (f"{round(value, digits):g}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _notes(rows: pd.DataFrame) -> list[str]:
    single = rows[~rows["subject"].map(is_mean)]
    single = single if len(single) else rows
    notes = [f"{_range(single['n'])} test items a subject"]
    among = set(single["task"]) <= {"identification", "classification"}
    if among and single["n_candidates"].notna().any():
        notes.append(f"{_range(single['n_candidates'].dropna())} candidates")
    if single["n_averaged"].notna().any():
        repeats = _range(single["n_averaged"].dropna(), digits=1)
        notes.append(f"responses averaged over {repeats} repeats")
    chosen = ", ".join(sorted(set(rows["selection_split"])))
    notes.append(f"models and settings chosen on: {chosen}")
    return notes
