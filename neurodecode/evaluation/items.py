"""One score for one test item; records are summaries of these."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.files import atomic_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from neurodecode.metrics.bootstrap import PerItem

__all__ = [
    "PAIRING",
    "Scores",
    "extra_keys",
    "items_frame",
    "per_item",
    "subject_tables",
    "write_table",
]

#: What tells the items of a subject, method and metric apart, and orders them.
PAIRING = ["fold", "stimulus_id"]


@dataclass(frozen=True)
class Scores:
    """Scores of all test items of one subject and fold under one metric.

    Parameters
    ----------
    subject, task, method, metric : str
        What was scored.
    fold : int
        Which fold of the split.
    stimulus_id : sequence of str of length n
        The items.
    values : array of float of shape (n,)
        Score of each item; the metric is their mean.
    chance : float or None
        Expected score without any information.
    n_candidates : int or None
        Candidates among which each item was found.
    n_averaged : float
        How many repeats the responses were averaged over.
    extra : mapping of str to scalar
        Further keys of the records; numbers are averaged over folds and subjects.
    trials : str
        For task ``adaptation`` how many training trials the method was given: a number, or
        ``all``, which may be another number for every subject.
    n_trials : int or None
        How many that were.
    """

    subject: str
    task: str
    method: str
    metric: str
    fold: int
    stimulus_id: Sequence[str]
    values: np.ndarray
    chance: float | None
    n_candidates: int | None
    n_averaged: float
    extra: Mapping[str, Any] = field(default_factory=dict)
    trials: str = ""
    n_trials: int | None = None


def items_frame(scores: Sequence[Scores], dataset: str) -> pd.DataFrame:
    """All items as one tidy table.

    Parameters
    ----------
    scores : sequence of Scores
        Scores of any tasks, methods and metrics.
    dataset : str
        Registry name of the data set.

    Returns
    -------
    pandas.DataFrame
        One row an item: dataset, subject, task, method, metric, fold, stimulus_id, value,
        chance, n_candidates, n_averaged, trials, n_trials.
    """
    import pandas as pd

    frames = []
    for score in scores:
        columns = asdict(score)
        columns.pop("extra")
        columns["value"] = np.asarray(columns.pop("values"), dtype=float)
        columns["stimulus_id"] = list(score.stimulus_id)
        frames.append(pd.DataFrame(columns))
    # of time-resolved decoding alone there are no items
    names = [each.name for each in fields(Scores) if each.name not in ("extra", "values")]
    nothing = pd.DataFrame(columns=[*names, "value"])
    table = pd.concat(frames, ignore_index=True) if frames else nothing
    table.insert(0, "dataset", dataset)
    return table


def extra_keys(scores: Sequence[Scores]) -> dict[tuple[str, str, str, str], dict[str, Any]]:
    """Gather the further keys of records.

    Parameters
    ----------
    scores : sequence of Scores
        Of one data set.

    Returns
    -------
    dict of (str, str, str, str) to dict
        By task, method, metric and subject, and for the subject ``mean``. Numbers are averaged
        over folds, then over subjects; text has to be the same in all.
    """
    found: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = {}
    for score in scores:
        key = (score.task, score.method, score.metric, score.subject)
        if score.extra:
            found.setdefault(key, []).append(score.extra)
    merged = {key: _merge(parts) for key, parts in found.items()}
    means: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = {}
    for (*kind, _), extra in merged.items():
        means.setdefault((*kind, "mean"), []).append(extra)
    return merged | {key: _merge(parts) for key, parts in means.items()}


def _merge(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = parts[0]
    numbers = [
        key
        for key, value in first.items()
        if not isinstance(value, str | bool) and any(part[key] != value for part in parts)
    ]
    return dict(first) | {key: float(np.mean([part[key] for part in parts])) for key in numbers}


def subject_tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Items of one data set, task, method and metric by subject.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `items_frame`.

    Returns
    -------
    dict of str to DataFrame
        Subjects in alphabetical order, items in the order of `PAIRING`; several responses to one
        stimulus keep their order.
    """
    return {
        str(subject): rows.sort_values(PAIRING, kind="stable")
        for subject, rows in table.groupby("subject", sort=True)
    }


def per_item(tables: Mapping[str, pd.DataFrame]) -> PerItem:
    """Lay the scores of subjects out for the bootstrap.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Items of each subject, from `subject_tables`.

    Returns
    -------
    array of shape (n_subjects, n_items), or dict of str to array of shape (n_items,)
        An array for subjects who saw the same stimuli: they share the luck of the draw, and are
        resampled together.
    """
    values = {name: rows["value"].to_numpy() for name, rows in tables.items()}
    shared = len({tuple(rows["stimulus_id"]) for rows in tables.values()}) == 1
    return np.stack(list(values.values())) if shared else values


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, complete or not at all.

    Parameters
    ----------
    path : path-like
        Target file.
    table : pandas.DataFrame
        What to write; floats keep 8 significant digits.
    """
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.8g")
