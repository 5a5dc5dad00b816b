"""Output collapse: how many dimensions the predictions of a method use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodecode import __version__
from neurodecode.metrics.functional import effective_rank
from neurodecode.metrics.records import MetricRecord
from neurodecode.store import Prediction

__all__ = ["Rank", "collapse_records", "rank_of"]


@dataclass(frozen=True)
class Rank:
    """Effective rank of the predictions of one subject and fold.

    Parameters
    ----------
    subject, task, method : str
        Whose.
    fold : int
        Which fold.
    value : float
        See `neurodecode.metrics.functional.effective_rank`.
    n : int
        Predictions.
    n_averaged : float
        Repeats averaged into each response.
    """

    subject: str
    task: str
    method: str
    fold: int
    value: float
    n: int
    n_averaged: float


def rank_of(prediction: Prediction, values: np.ndarray, task: str, method: str) -> Rank:
    """Measure the predictions of one subject and fold.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    values : array of shape (n, ...)
        Decoded embeddings, or embeddings of reconstructions.
    task, method : str
        Whose.

    Returns
    -------
    Rank
        At most n - 1.
    """
    return Rank(
        subject=prediction.subject,
        task=task,
        method=method,
        fold=prediction.fold,
        value=effective_rank(values),
        n=len(values),
        n_averaged=prediction.n_averaged,
    )


def collapse_records(
    ranks: Sequence[Rank],
    dataset: str,
    profile: str,
    made: Mapping[tuple[str, str], Mapping[str, Any]],
) -> list[MetricRecord]:
    """Summarise ranks: the mean over folds of each subject, and over subjects as ``mean``.

    Parameters
    ----------
    ranks : sequence of Rank
        Of any tasks and methods, each subject and fold once.
    dataset, profile : str
        For the records.
    made : mapping of (str, str) to mapping
        As for `neurodecode.evaluation.summary.summarise_items`.

    Returns
    -------
    list of MetricRecord
        Without intervals: a resampled item occurs twice and adds no dimension, so that a
        bootstrap over items is biased downwards.
    """
    groups: dict[tuple[str, str], dict[str, list[Rank]]] = {}
    for rank in ranks:
        subjects = groups.setdefault((rank.task, rank.method), {})
        subjects.setdefault(rank.subject, []).append(rank)
    records = []
    for (task, method), subjects in groups.items():
        members = dict(subjects)
        if len(subjects) > 1:
            members["mean"] = [rank for own in subjects.values() for rank in own]
        about = made[task, method]
        for subject, own in members.items():
            averaged = float(np.mean([rank.n_averaged for rank in own]))
            records.append(
                MetricRecord(
                    profile=profile,
                    dataset=dataset,
                    subject=subject,
                    task=task,
                    method=method,
                    metric="effective_rank",
                    value=float(np.mean([rank.value for rank in own])),
                    ci_low=None,
                    ci_high=None,
                    chance=None,
                    n=sum(rank.n for rank in own),
                    n_candidates=None,
                    n_averaged=None if np.isnan(averaged) else averaged,
                    selection_split=about.get("selection_split", "none"),
                    transductive=bool(about.get("transductive", False)),
                    seed=int(about.get("seed", 0)),
                    version=__version__,
                    extra={"features": about["features"]} if task == "reconstruction" else {},
                )
            )
    return records
