"""The few figures at the top of the page."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import control_methods, is_mean, order_methods, split_mean
from neurodecode.report.glossary import Metric, format_interval, format_value, method_label, metric

__all__ = ["Headline", "headlines"]

#: At most one figure for each, in this order.
_METRICS = (
    ("identification", "retrieval_top1"),
    ("identification", "two_way"),
    ("reconstruction", "two_way_clip"),
    ("classification", "accuracy"),
)
#: Who speaks for identification, by the beginning of the name: what was made to rank best goes
#: before what it was made of. A choice by score would be a choice by the test set.
_BEST = ("posterior", "stacked")
#: With whom it is compared right there, if they were scored.
_BESIDE = ("decoder", "ridge")


@dataclass(frozen=True)
class Headline:
    """One figure, printed.

    Parameters
    ----------
    dataset, label, definition, method : str
        What was measured on what, what that means, and how it was done.
    value, interval, chance : str
        The figure, its 95 % interval and the value without any information.
    scope : str
        Over how many subjects and stimuli, among how many candidates.
    beside : tuple of (str, str, str)
        Method, figure and interval of those to compare it with: identification only.
    """

    dataset: str
    label: str
    definition: str
    method: str
    value: str
    interval: str
    chance: str
    scope: str
    beside: tuple[tuple[str, str, str], ...] = ()


def headlines(profile: Profile, datasets: list[str]) -> list[Headline]:
    """Choose and print the figures.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of Headline
        For each data set and metric the first method in the order of the story, for
        identification one that joins several if there is one, with the decoder and the ridge
        decoder beside it; whichever method scored best.
    """
    found = []
    for dataset in datasets:
        for task, name in _METRICS:
            records = profile.records
            rows = records[
                (records["dataset"] == dataset)
                & (records["task"] == task)
                & (records["metric"] == name)
                & ~records["transductive"].astype(bool)
            ]
            if len(rows):
                found.append(_headline(rows))
    return found


def _headline(rows: pd.DataFrame) -> Headline:
    method, others = _cast(rows)
    row = _overall(rows, method)
    shown = metric(row["metric"])
    return Headline(
        dataset=row["dataset"],
        label=shown.label,
        definition=shown.definition,
        method=method_label(method),
        value=format_value(row["value"], shown),
        interval=format_interval(row["ci_low"], row["ci_high"], shown),
        chance=format_value(row["chance"], shown),
        scope=_scope(row, rows[rows["method"] == method]),
        beside=tuple(_printed(_overall(rows, name), shown) for name in others),
    )


def _cast(rows: pd.DataFrame) -> tuple[str, list[str]]:
    """Who speaks, and who is compared with it; never by the scores."""
    controls = control_methods(rows)
    order = order_methods(list(rows["method"]), controls)
    if (rows["task"] != "identification").any():
        return order[0], []
    able = [name for name in order if name not in controls]
    best = [name for start in _BEST for name in able if name.startswith(start)]
    method = (best or order)[0]
    return method, [name for name in _BESIDE if name in able and name != method]


def _overall(rows: pd.DataFrame, method: str) -> pd.Series:
    rows = rows[rows["method"] == method]
    mean, _ = split_mean(rows)
    # without a mean over subjects, the first subject stands alone and says so
    return (mean if len(mean) else rows).iloc[0]


def _printed(row: pd.Series, shown: Metric) -> tuple[str, str, str]:
    value = format_value(row["value"], shown)
    interval = format_interval(row["ci_low"], row["ci_high"], shown)
    return method_label(row["method"]), value, interval


def _scope(row: pd.Series, rows: pd.DataFrame) -> str:
    subjects = [name for name in set(rows["subject"]) if not is_mean(name)]
    if is_mean(row["subject"]):
        who = f"mean of {len(subjects)} subjects" if subjects else f"mean of {row['subject']}"
    else:
        who = f"subject {row['subject']}"
    among = row["n_candidates"]
    if row["task"] == "identification" and among == among:
        return f"{who}, 1 of {among:.0f} candidates"
    if row["task"] == "classification" and among == among:
        return f"{who}, {among:.0f} categories"
    return who
