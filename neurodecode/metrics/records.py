"""Every number that leaves the program, with how it was obtained."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.errors import DataError
from neurodecode.files import read_json, write_json
from neurodecode.metrics.bootstrap import PerItem, Statistic, bootstrap_ci
from neurodecode.metrics.catalogue import METRIC_NAMES, SELECTION_SPLITS, TASKS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MetricRecord", "read_records", "records_frame", "summarise", "write_records"]

Scalar = str | int | float | bool | None

_NUMBERS = ("value", "ci_low", "ci_high", "chance", "n_averaged")
_COUNTS = ("n", "n_candidates", "seed")
_TEXTS = ("profile", "dataset", "subject", "method", "version")


@dataclass(frozen=True, kw_only=True)
class MetricRecord:
    """One score.

    Parameters
    ----------
    profile : str
        Which set of runs it belongs to (``mini``, ``real``).
    dataset, subject : str
        Where the responses come from; a mean over subjects names them, e.g. ``01+02+05``.
    task : str
        A key of `TASKS`.
    method : str
        What was scored.
    metric : str
        A key of `METRIC_NAMES`.
    value : float or None
        The score; None where it is undefined.
    ci_low, ci_high : float or None
        95 % bootstrap interval over stimuli.
    chance : float or None
        Expected score without any information.
    n : int
        Items scored.
    n_candidates : int or None
        Candidates among which each was found.
    n_averaged : float or None
        Repeats averaged into each response; the mean where it varies.
    selection_split : str
        Which data chose the model; a key of `SELECTION_SPLITS`.
    transductive : bool
        Whether the method saw the test items jointly.
    seed : int or None
        Seed of the run.
    version : str
        Version of the code.
    extra : mapping of str to scalar
        Anything else, e.g. ``{"weights": "untrained"}``. Flattened in the file, so a key may
        not be that of a field.

    Raises
    ------
    DataError
        If a name is unknown, a number is not finite, or a field has the wrong type.
    """

    profile: str
    dataset: str
    subject: str
    task: str
    method: str
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    chance: float | None
    n: int
    n_candidates: int | None
    n_averaged: float | None
    selection_split: str
    transductive: bool
    seed: int | None
    version: str
    extra: Mapping[str, Scalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _TEXTS:
            if not isinstance(getattr(self, name), str):
                raise self._error(name, f"{getattr(self, name)!r} is not text")
        for name, known in (
            ("task", TASKS), ("metric", METRIC_NAMES), ("selection_split", SELECTION_SPLITS)
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise self._error(name, f"unknown name {getattr(self, name)!r}", _known(known))
        if not isinstance(self.transductive, bool | np.bool_):
            raise self._error("transductive", f"{self.transductive!r} is not true or false")
        plain: dict[str, Any] = {name: self._number(name) for name in _NUMBERS}
        plain |= {name: self._count(name) for name in _COUNTS}
        plain |= {"transductive": bool(self.transductive), "extra": self._extra()}
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        if self.n is None:
            raise self._error("n", "the number of items is missing")
        if (self.ci_low is None) != (self.ci_high is None) or (
            self.ci_low is not None and self.ci_low > self.ci_high
        ):
            raise self._error("ci_low", f"[{self.ci_low}, {self.ci_high}] is no interval")

    def _error(self, name: str, problem: str, fix: str | None = None) -> DataError:
        where = f"{name} of {self.metric}/{self.method}/{self.dataset}"
        return DataError(problem, subject=str(self.subject), field=where, fix=fix)

    def _number(self, name: str) -> float | None:
        value = getattr(self, name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise self._error(name, f"{value!r} is not a number")
        if not math.isfinite(value):
            raise self._error(name, f"{value} is not finite", "use None for an undefined score")
        return float(value)

    def _count(self, name: str) -> int | None:
        value = getattr(self, name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise self._error(name, f"{value!r} is not a count")
        return int(value)

    def _extra(self) -> dict[str, Scalar]:
        plain = {}
        for key, value in self.extra.items():
            if key in _FIELDS:
                raise self._error(f"extra[{key!r}]", "has the name of a field", "rename it")
            value = value.item() if isinstance(value, np.generic) else value
            if not (value is None or isinstance(value, str | int | float)) or (
                isinstance(value, float) and not math.isfinite(value)
            ):
                raise self._error(f"extra[{key!r}]", f"{value!r} is not a finite plain value")
            plain[str(key)] = value
        return plain

    def to_dict(self) -> dict[str, Scalar]:
        """Give the fields in order, then the extra keys in alphabetical order.

        Returns
        -------
        dict of str to scalar
            Plain JSON values; floats rounded to 10 significant digits.
        """
        plain = {name: getattr(self, name) for name in _FIELDS if name != "extra"}
        plain |= {key: self.extra[key] for key in sorted(self.extra)}
        return {
            key: float(f"{value:.10g}") if isinstance(value, float) else value
            for key, value in plain.items()
        }


_FIELDS = tuple(item.name for item in fields(MetricRecord))


def _known(names: Iterable[str]) -> str:
    return f"known: {', '.join(names)}"


def summarise(
    per_item: PerItem,
    *,
    statistic: Statistic = np.mean,
    n_boot: int = 2000,
    **about: Any,
) -> MetricRecord:
    """Make a record of the scores of single items: value, interval and count.

    Parameters
    ----------
    per_item : array of shape (n_items,) or (n_groups, n_items), or mapping of str to array
        As for `bootstrap_ci`.
    statistic : callable
        As for `bootstrap_ci`; `numpy.median` for ``median_rank``.
    n_boot : int
        Resamples.
    **about
        The other fields of `MetricRecord`. Their ``seed``, if any, also seeds the resampling.

    Returns
    -------
    MetricRecord
        With ``n`` the number of scores over all groups.

    Raises
    ------
    DataError
        If a score is undefined or a field is not valid.
    """
    interval = bootstrap_ci(per_item, statistic, n_boot=n_boot, seed=about.get("seed") or 0)
    groups = per_item.values() if isinstance(per_item, Mapping) else [per_item]
    return MetricRecord(
        value=interval.value,
        ci_low=interval.low,
        ci_high=interval.high,
        n=sum(np.asarray(group).size for group in groups),
        **about,
    )


def _order(record: Mapping[str, Scalar]) -> tuple[str, ...]:
    first = ("profile", "dataset", "task", "metric", "method", "subject")
    rest = json.dumps(record, sort_keys=True)
    return (*(str(record[name]) for name in first), rest)


def write_records(path: str | Path, records: Iterable[MetricRecord]) -> None:
    """Write records as a JSON list: same records, same bytes, in whatever order they come.

    Parameters
    ----------
    path : path-like
        Target file; complete or not at all.
    records : iterable of MetricRecord
        What to write; sorted here.

    Raises
    ------
    DataError
        If two records differ in nothing but their numbers, so that a reader could not tell
        which one holds.
    """
    rows = sorted((record.to_dict() for record in records), key=_order)
    numbers = {"value", "ci_low", "ci_high"}
    seen: set[str] = set()
    for row in rows:
        identity = json.dumps({key: row[key] for key in row if key not in numbers}, sort_keys=True)
        if identity in seen:
            raise DataError(
                f"{row['metric']} of {row['method']} on {row['dataset']} occurs twice",
                file=path,
                subject=str(row["subject"]),
                fix="tell the two apart by an extra key",
            )
        seen.add(identity)
    write_json(path, rows)


def read_records(path: str | Path) -> list[MetricRecord]:
    """Read records back, checking each.

    Parameters
    ----------
    path : path-like
        Written by `write_records`.

    Returns
    -------
    list of MetricRecord
        Unknown keys are in `extra`.

    Raises
    ------
    DataError
        If the file is missing, is no list of records, or a record is not valid.
    """
    rows = read_json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError("not a list of records", file=path, fix="run evaluate again")
    records = []
    for row in rows:
        missing = [name for name in _FIELDS if name != "extra" and name not in row]
        if missing:
            raise DataError(f"a record lacks {missing[0]}", file=path, fix="run evaluate again")
        known = {name: row[name] for name in _FIELDS if name in row}
        extra = {key: value for key, value in row.items() if key not in _FIELDS}
        try:
            records.append(MetricRecord(**known, extra=extra))
        except DataError as error:
            raise DataError(str(error), file=path, fix="run evaluate again") from error
    return records


def records_frame(records: Iterable[MetricRecord]) -> pd.DataFrame:
    """Lay records out as a tidy table.

    Parameters
    ----------
    records : iterable of MetricRecord
        Any number.

    Returns
    -------
    pandas.DataFrame
        One row a record, one column a field or extra key; absent numbers are missing values.
    """
    import pandas as pd

    rows = [record.to_dict() for record in records]
    if not rows:
        return pd.DataFrame(columns=[name for name in _FIELDS if name != "extra"])
    return pd.DataFrame(rows)
