"""The few figures at the top of the page."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import control_methods, is_mean, order_methods, split_mean
from neurodecode.report.glossary import format_interval, format_value, method_label, metric

__all__ = ["Headline", "headlines"]

#: At most one figure for each, in this order.
_METRICS = (
    ("identification", "retrieval_top1"),
    ("identification", "two_way"),
    ("reconstruction", "two_way_clip"),
    ("classification", "accuracy"),
)


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
    """

    dataset: str
    label: str
    definition: str
    method: str
    value: str
    interval: str
    chance: str
    scope: str


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
        For each data set and metric the first method in the order of the story, whichever
        method scored best.
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
    controls = control_methods(rows)
    method = order_methods(list(rows["method"]), controls)[0]
    rows = rows[rows["method"] == method]
    mean, _ = split_mean(rows)
    # without a mean over subjects, the first subject stands alone and says so
    row = (mean if len(mean) else rows).iloc[0]
    shown = metric(row["metric"])
    return Headline(
        dataset=row["dataset"],
        label=shown.label,
        definition=shown.definition,
        method=method_label(method),
        value=format_value(row["value"], shown),
        interval=format_interval(row["ci_low"], row["ci_high"], shown),
        chance=format_value(row["chance"], shown),
        scope=_scope(row, rows),
    )


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
