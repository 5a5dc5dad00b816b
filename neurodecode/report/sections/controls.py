"""Controls: what must be at chance, beside what it controls."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import CONTROL_WORDS, control_methods, order_methods, split_mean
from neurodecode.report.glossary import Metric, format_interval, format_value, method_label, metric

__all__ = ["ControlRow", "control_rows", "parent_method"]

#: Says how many dimensions pictures have, and nothing of whether they are right.
_NO_SCORE = frozenset({"effective_rank"})


@dataclass(frozen=True)
class ControlRow:
    """One control under one metric, printed.

    Parameters
    ----------
    dataset, metric, control, parent : str
        What was measured, the control, and the method it controls (empty if there is none).
    value, interval : str
        The control's score.
    parent_value, parent_interval : str
        The method's score.
    chance : str
        Value without any information.
    alarm : bool
        Whether the control is above the chance it must stay at: its whole interval lies above.
        Below chance is no alarm: a picture that is never given to its own stimulus loses to
        the stimulus it belongs to.
    """

    dataset: str
    metric: str
    control: str
    parent: str
    value: str
    interval: str
    parent_value: str
    parent_interval: str
    chance: str
    alarm: bool = False


def parent_method(control: str, methods: set[str], controls: list[str]) -> str:
    """Find what a control controls.

    Parameters
    ----------
    control : str
        Name such as ``decoder_shuffled``, or just ``shuffled``.
    methods : set of str
        Names of all methods under the same metric.
    controls : list of str
        Those among them that are controls.

    Returns
    -------
    str
        What is left of the name without the control's word; where nothing is left, the first
        method in the order of the story. Empty if there is no such method.
    """
    rest = control
    for word in CONTROL_WORDS:
        rest = rest.replace(word, "")
    rest = rest.strip("_-/ ")
    if rest:
        return rest if rest in methods else ""
    others = [name for name in order_methods(list(methods), controls) if name not in controls]
    return others[0] if others else ""


def control_rows(profile: Profile) -> list[ControlRow]:
    """Arrange the controls.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    list of ControlRow
        By data set, control and metric; means over subjects. Empty where no control was run.
    """
    found = []
    keys = ["dataset", "task", "metric"]
    for (dataset, _, name), rows in profile.records.groupby(keys, sort=True):
        if name in _NO_SCORE:
            continue
        shown = metric(str(name))
        controls = control_methods(profile.records)
        methods = set(rows["method"])
        for control in sorted(methods & set(controls)):
            parent = parent_method(control, methods, controls)
            value, interval, chance = _printed(rows, control, shown)
            parent_value, parent_interval, _ = _printed(rows, parent, shown)
            found.append(
                ControlRow(
                    dataset=str(dataset),
                    metric=shown.label,
                    control=method_label(control),
                    parent=method_label(parent) if parent else "",
                    value=value,
                    interval=interval,
                    parent_value=parent_value,
                    parent_interval=parent_interval,
                    chance=chance,
                    alarm=_above_chance(rows, control, shown),
                )
            )
    return found


def _above_chance(rows: pd.DataFrame, control: str, shown: Metric) -> bool:
    # of pixels, structure and voxels unrelated pictures share a part: only shares of right
    # answers have a chance that a control must stay at
    row = _overall(rows, control)
    return shown.kind == "rate" and row is not None and bool(row["ci_low"] > row["chance"])


def _overall(rows: pd.DataFrame, method: str) -> pd.Series | None:
    own = rows[rows["method"] == method]
    mean, subjects = split_mean(own)
    table = mean if len(mean) else subjects
    return table.iloc[0] if len(table) else None


def _printed(rows: pd.DataFrame, method: str, shown: Metric) -> tuple[str, str, str]:
    row = _overall(rows, method)
    if row is None:
        return "", "", ""
    return (
        format_value(row["value"], shown),
        format_interval(row["ci_low"], row["ci_high"], shown),
        format_value(row["chance"], shown),
    )
