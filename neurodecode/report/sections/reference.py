"""The profile's scores beside those that plain or published methods reach on the same data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import control_methods, order_methods, split_mean
from neurodecode.report.glossary import format_interval, format_value, method_label, metric

__all__ = ["ReferenceRow", "reference_rows"]

_FILE = Path(__file__).parents[1] / "templates" / "reference_values.yaml"


@dataclass(frozen=True)
class ReferenceRow:
    """One score of ours beside one that is known, printed.

    Parameters
    ----------
    dataset, metric, method : str
        What was measured, by which method of ours.
    value, interval : str
        Our score, mean over subjects.
    reference, reference_method : str
        The known score, and how it was reached.
    source : str
        Who says so.
    """

    dataset: str
    metric: str
    method: str
    value: str
    interval: str
    reference: str
    reference_method: str
    source: str


def reference_rows(profile: Profile) -> list[ReferenceRow]:
    """Put our scores beside the known ones.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    list of ReferenceRow
        For every known score and every method of ours of the same kind (``compare``);
        empty for data sets on which nothing is known.
    """
    known = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    controls = control_methods(profile.records)
    found = []
    for entry in known:
        rows = profile.records[
            (profile.records["dataset"] == entry["dataset"])
            & (profile.records["metric"] == entry["metric"])
            & ~profile.records["method"].isin(controls)
        ]
        mean, _ = split_mean(rows)
        same = [name for name in mean["method"] if name.startswith(entry["compare"])]
        for method in order_methods(same, controls):
            found.append(_row(entry, mean[mean["method"] == method].iloc[0]))
    return found


def _row(entry: dict[str, str | float], row: pd.Series) -> ReferenceRow:
    shown = metric(str(entry["metric"]))
    return ReferenceRow(
        dataset=str(entry["dataset"]),
        metric=shown.label,
        method=method_label(row["method"]),
        value=format_value(row["value"], shown),
        interval=format_interval(row["ci_low"], row["ci_high"], shown),
        reference=format_value(float(entry["value"]), shown),
        reference_method=str(entry["method"]),
        source=str(entry["source"]),
    )
