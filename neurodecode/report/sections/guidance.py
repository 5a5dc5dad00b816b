"""Guided against unguided reconstructions, metric by metric."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import split_mean
from neurodecode.report.glossary import (
    Metric,
    format_difference,
    format_interval,
    format_value,
    metric,
)

__all__ = ["GuidanceRow", "guidance_rows"]

_GUIDED, _UNGUIDED = "guided", "unguided"


@dataclass(frozen=True)
class GuidanceRow:
    """One metric of the two methods, printed.

    Parameters
    ----------
    dataset, metric, definition : str
        What was measured.
    guided, unguided : tuple of (str, str)
        Value and interval.
    difference : tuple of (str, str)
        Guided minus unguided on the same items, and its interval.
    ceiling : str
        What the true pictures score; empty where they were not scored.
    """

    dataset: str
    metric: str
    definition: str
    guided: tuple[str, str]
    unguided: tuple[str, str]
    difference: tuple[str, str]
    ceiling: str


def guidance_rows(profile: Profile) -> list[GuidanceRow]:
    """Compare what was drawn with and without a guide.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    list of GuidanceRow
        By data set and metric, means over subjects; empty unless both were evaluated.
    """
    records = profile.records[profile.records["task"] == "reconstruction"]
    found = []
    for (dataset, name), rows in records.groupby(["dataset", "metric"], sort=True):
        shown = metric(str(name))
        values = {method: _summary(rows, method) for method in (_GUIDED, _UNGUIDED)}
        if any(row is None for row in values.values()):
            continue
        ceiling = _summary(rows, "true_pictures")
        found.append(
            GuidanceRow(
                dataset=str(dataset),
                metric=shown.label,
                definition=shown.definition,
                guided=_printed(values[_GUIDED], shown),
                unguided=_printed(values[_UNGUIDED], shown),
                difference=_difference(profile, str(dataset), str(name), shown),
                ceiling="" if ceiling is None else format_value(ceiling["value"], shown),
            )
        )
    return found


def _summary(rows: pd.DataFrame, method: str) -> pd.Series | None:
    mean, subjects = split_mean(rows[rows["method"] == method])
    table = mean if len(mean) else subjects
    return table.iloc[0] if len(table) else None


def _printed(row: pd.Series, shown: Metric) -> tuple[str, str]:
    interval = format_interval(row["ci_low"], row["ci_high"], shown)
    return format_value(row["value"], shown), interval


def _difference(profile: Profile, dataset: str, name: str, shown: Metric) -> tuple[str, str]:
    table = profile.differences
    table = table[
        (table["dataset"] == dataset)
        & (table["task"] == "reconstruction")
        & (table["metric"] == name)
        & (table["method"].isin([_GUIDED, _UNGUIDED]))
        & (table["baseline"].isin([_GUIDED, _UNGUIDED]))
    ]
    mean, subjects = split_mean(table)
    table = mean if len(mean) else subjects
    if not len(table):
        return "", ""
    row = table.iloc[0]
    low, high = row["ci_low"], row["ci_high"]
    # whichever was given first is the baseline
    if row["method"] == _GUIDED:
        numbers = (row["difference"], low, high)
    else:
        numbers = (-row["difference"], -high, -low)
    return format_difference(shown, numbers[0]), format_difference(shown, *numbers[1:])
