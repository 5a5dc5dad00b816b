"""Scores of a test set as a whole, which are no mean over its items: BLEU, effective rank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from neurodecode import __version__
from neurodecode.metrics.records import MetricRecord

__all__ = ["WholeScore", "absent_record", "summarise_wholes"]


@dataclass(frozen=True)
class WholeScore:
    """Score of all test items of one subject and fold together.

    Parameters
    ----------
    subject, task, method, metric : str
        What was scored.
    fold : int
        Which fold of the split.
    value : float
        The score.
    n : int
        Items behind it.
    n_averaged : float
        How many repeats the responses were averaged over.
    chance : float or None
        Expected score without any information.
    resampled : array of float of shape (n_boot,), optional
        The score of resampled items, the same resamples for every subject of a fold. None for a
        score that resampling would bias, which then has no interval.
    part : str
        Region whose units were scored; "" for all of them. The record's extra key ``region``.
    extra : mapping of str to scalar
        Further keys of the record; numbers are averaged like the value.
    """

    subject: str
    task: str
    method: str
    metric: str
    fold: int
    value: float
    n: int
    n_averaged: float
    chance: float | None = None
    resampled: np.ndarray | None = None
    part: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


def summarise_wholes(
    scores: Iterable[WholeScore],
    about: Mapping[str, Any],
    made: Mapping[tuple[str, str, str], Mapping[str, Any]],
) -> list[MetricRecord]:
    """Average over the folds of a subject, then over subjects as subject ``mean``.

    Parameters
    ----------
    scores : iterable of WholeScore
        Of one data set.
    about : mapping
        ``profile`` and ``dataset`` of the records.
    made : mapping of (str, str, str) to mapping
        As for `neurodecode.evaluation.summary.summarise_items`.

    Returns
    -------
    list of MetricRecord
        One for each task, method, metric, part and subject, and for the mean over the subjects
        who have the part.
    """
    records = []
    for (task, method, metric, _), group in groupby(sorted(scores, key=_kind), key=_kind):
        common = dict(about) | {"task": task, "method": method, "metric": metric}
        common |= _origin(made[task, method, ""])
        subjects = {
            name: list(folds)
            for name, folds in groupby(
                sorted(group, key=lambda score: score.subject), key=lambda score: score.subject
            )
        }
        records += [_record(common, name, [folds]) for name, folds in subjects.items()]
        if len(subjects) > 1:
            records.append(_record(common, "mean", list(subjects.values())))
    return records


def absent_record(
    about: Mapping[str, Any], task: str, method: str, metric: str, extra: Mapping[str, Any]
) -> MetricRecord:
    """Say in a record that a metric was not measured, and why.

    Parameters
    ----------
    about : mapping
        ``profile`` and ``dataset``.
    task, method, metric : str
        What was not scored.
    extra : mapping of str to scalar
        The reason.

    Returns
    -------
    MetricRecord
        Without a value, of no items, as subject ``mean``.
    """
    return MetricRecord(
        **about, subject="mean", task=task, method=method, metric=metric, value=None, ci_low=None,
        ci_high=None, chance=None, n=0, n_candidates=None, n_averaged=None,
        selection_split="none", transductive=False, seed=None, version=__version__, extra=extra,
    )  # fmt: skip


def _kind(score: WholeScore) -> tuple[str, str, str, str]:
    return (score.task, score.method, score.metric, score.part)


def _origin(made: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "selection_split": made.get("selection_split", "none"),
        "transductive": bool(made.get("transductive", False)),
        "seed": int(made.get("seed", 0)),
        "version": __version__,
    }


def _record(
    common: Mapping[str, Any], subject: str, parts: Sequence[Sequence[WholeScore]]
) -> MetricRecord:
    everything = [score for folds in parts for score in folds]
    low = high = None
    if all(score.resampled is not None for score in everything):
        replicates = np.mean(
            [np.mean([score.resampled for score in folds], axis=0) for folds in parts], axis=0
        )
        low, high = (float(end) for end in np.quantile(replicates, [0.025, 0.975]))
    chances = [score.chance for score in everything if score.chance is not None]
    return MetricRecord(
        **common,
        subject=subject,
        value=_mean([[score.value for score in folds] for folds in parts]),
        ci_low=low,
        ci_high=high,
        chance=float(np.mean(chances)) if chances else None,
        n=sum(score.n for score in everything),
        n_candidates=None,
        n_averaged=float(np.mean([score.n_averaged for score in everything])),
        extra=_extra(parts),
    )


def _mean(parts: Sequence[Sequence[float]]) -> float | None:
    mean = float(np.mean([np.mean(folds) for folds in parts]))
    return None if np.isnan(mean) else mean


def _extra(parts: Sequence[Sequence[WholeScore]]) -> dict[str, Any]:
    first = parts[0][0]
    region = {"region": first.part} if first.part else {}
    return region | {
        key: value if isinstance(value, str | bool)
        else _mean([[score.extra[key] for score in folds] for folds in parts])
        for key, value in first.extra.items()
    }  # fmt: skip
