"""Encoding region by region: which encoder predicts which part of the brain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import is_mean, order_methods
from neurodecode.report.glossary import (
    Metric,
    format_difference,
    format_interval,
    format_value,
    method_label,
    metric,
)
from neurodecode.report.sections.results import Cell

__all__ = ["RegionTable", "region_tables"]

_METRIC = "pearson_r"
#: Groups of regions come before the regions themselves.
_GROUPS = ("early visual", "category-selective")


@dataclass(frozen=True)
class RegionTable:
    """Encoders by regions of one data set.

    Parameters
    ----------
    dataset : str
        Which.
    regions : list of str
        Columns.
    rows : list of (str, list of Cell)
        Encoder, and its median correlation in each region, mean over subjects.
    differences : list of (str, str, list of Cell)
        Two encoders and first minus second, for the groups of regions (`groups`).
    groups : list of str
        Columns of the differences.
    """

    dataset: str
    regions: list[str]
    rows: list[tuple[str, list[Cell]]]
    differences: list[tuple[str, str, list[Cell]]]
    groups: list[str]


def region_tables(profile: Profile, datasets: list[str]) -> list[RegionTable]:
    """Arrange the records of regions.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of RegionTable
        One for each data set whose stores name regions.
    """
    found = []
    for dataset in datasets:
        records = _summaries(profile.regions, dataset, ["method", "region"])
        if len(records):
            differences = _summaries(
                profile.region_differences, dataset, ["method", "baseline", "region"]
            )
            found.append(_table(dataset, records, differences))
    return found


def _summaries(table: pd.DataFrame, dataset: str, keys: list[str]) -> pd.DataFrame:
    """Keep the mean over subjects, and a subject who is the only one with a region."""
    own = table[(table["dataset"] == dataset) & (table["metric"] == _METRIC)]
    if not len(own):
        return own
    lonely = own.groupby(keys)["subject"].transform("size") == 1
    return own[own["subject"].map(is_mean).astype(bool) | lonely]


def _table(dataset: str, records: pd.DataFrame, differences: pd.DataFrame) -> RegionTable:
    names = set(records["region"])
    groups = [name for name in _GROUPS if name in names]
    regions = groups + sorted(names - set(groups))
    methods = order_methods(list(records["method"]), [])
    shown = metric(_METRIC)
    scores = {(row.method, row.region): row for row in records.itertuples()}
    pairs = [(a, b) for i, a in enumerate(methods) for b in methods[i + 1 :]]
    found = {
        (row.method, row.baseline, row.region): (row.difference, row.ci_low, row.ci_high)
        for row in differences.itertuples()
    }
    # turned, so that the story's first method comes first
    found |= {(b, a, part): (-v, -high, -low) for (a, b, part), (v, low, high) in found.items()}
    return RegionTable(
        dataset=dataset,
        regions=regions,
        rows=[
            (method_label(name), [_score(scores.get((name, part)), shown) for part in regions])
            for name in methods
        ],
        differences=[
            (method_label(a), method_label(b),
             [_difference(found.get((a, b, part)), shown) for part in groups])
            for a, b in pairs
            if any((a, b, part) in found for part in groups)
        ],
        groups=groups,
    )  # fmt: skip


def _score(row: Any, shown: Metric) -> Cell:
    if row is None:
        return Cell()
    return Cell(format_value(row.value, shown), format_interval(row.ci_low, row.ci_high, shown))


def _difference(numbers: tuple[float, float, float] | None, shown: Metric) -> Cell:
    if numbers is None:
        return Cell()
    value, low, high = numbers
    return Cell(format_difference(shown, value), format_difference(shown, low, high))
