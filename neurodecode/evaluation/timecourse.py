"""Time-resolved decoding: scores of every window, and when they are above chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.errors import DataError
from neurodecode.evaluation.identification import identification_scores
from neurodecode.metrics.functional.two_way import two_way_from_scores
from neurodecode.store import Prediction

if TYPE_CHECKING:
    import pandas as pd

    from neurodecode.store.predictions import PredictionFile

__all__ = ["SCORED", "SubjectCourse", "TimeCourse", "time_course"]

#: Metrics of identification that are followed over time.
SCORED = ("two_way", "retrieval_top1", "retrieval_top5")
#: First and last time of each.
Windows = tuple[tuple[float, float], ...]


@dataclass
class SubjectCourse:
    """Scores of one subject.

    Parameters
    ----------
    stimuli : list of (int, str)
        Fold and stimulus of each row.
    values : dict of str to array of shape (n_stimuli, n_windows)
        By metric.
    chance : dict of str to float
        By metric.
    n_candidates : int
        Candidates of the first fold.
    n_averaged : float
        Repeats averaged into a response.
    across : array of shape (n_windows, n_windows) or None
        Two-way score of each window (columns) by the model of each window (rows).
    """

    stimuli: list[tuple[int, str]]
    values: dict[str, np.ndarray]
    chance: dict[str, float]
    n_candidates: int
    n_averaged: float
    across: np.ndarray | None = None


@dataclass
class TimeCourse:
    """Scores of one method on one target.

    Parameters
    ----------
    method, target, kind : str
        What was scored; ``sliding`` or ``growing`` windows.
    windows : tuple of (float, float)
        First and last time of each window in seconds after stimulus onset.
    subjects : dict of str to SubjectCourse
        By subject.
    attrs : mapping
        How the predictions were made.
    tested : dict of (str, str) to array of shape (n_windows,)
        P values by subject and metric, of the curves that were tested so far.
    """

    method: str
    target: str
    kind: str
    windows: Windows
    subjects: dict[str, SubjectCourse] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)
    tested: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    @property
    def times(self) -> np.ndarray:
        """Where a window stands on the axis of time: its centre, or the end of a growing one."""
        bounds = np.array(self.windows)
        return bounds[:, 1] if self.kind == "growing" else bounds.mean(axis=1)

    def pooled(self, metric: str) -> np.ndarray:
        """Scores that the mean over subjects is tested and resampled by.

        Parameters
        ----------
        metric : str
            One of `SCORED`.

        Returns
        -------
        array of shape (n_items, n_windows)
            For each stimulus the mean over subjects if all were tested with the same; otherwise
            the rows of all subjects.
        """
        parts = list(self.subjects.values())
        if len({tuple(each.stimuli) for each in parts}) == 1:
            return np.mean([each.values[metric] for each in parts], axis=0)
        return np.concatenate([each.values[metric] for each in parts])

    def generalisation(self, dataset: str) -> list[pd.DataFrame]:
        """Tables of how models of one time decode other times.

        Parameters
        ----------
        dataset : str
            Registry name.

        Returns
        -------
        list of DataFrame
            One a subject: dataset, method, target, subject, trained_s, tested_s, two_way.
        """
        import pandas as pd

        train, test = (each.ravel() for each in np.meshgrid(self.times, self.times, indexing="ij"))
        about = {"dataset": dataset, "method": self.method, "target": self.target}
        return [
            pd.DataFrame(
                {**about, "subject": name, "trained_s": train, "tested_s": test,
                 "two_way": each.across.ravel()}
            )
            for name, each in self.subjects.items()
            if each.across is not None
        ]  # fmt: skip


def time_course(content: PredictionFile) -> TimeCourse:
    """Score every window of a file of predictions.

    Parameters
    ----------
    content : PredictionFile
        Of `neurodecode timecourse`.

    Returns
    -------
    TimeCourse
        Scores of each stimulus in each window.

    Raises
    ------
    DataError
        If a prediction has no window, or subjects or folds have different ones.
    """
    parts: dict[str, dict[int, list[Prediction]]] = {}
    for each in content.predictions:
        if each.window is None:
            raise DataError(
                "a prediction without a window of time", subject=each.subject, field="t_start_s",
                fix="run `neurodecode timecourse` again",
            )  # fmt: skip
        parts.setdefault(each.subject, {}).setdefault(each.fold, []).append(each)
    windows = {tuple(p.window for p in own) for folds in parts.values() for own in folds.values()}
    if len(windows) != 1:
        raise DataError(
            "subjects or folds have different windows", field="t_start_s",
            fix="decode subjects with other sampling rates or trials one by one (--subjects)",
        )  # fmt: skip
    attrs = content.attrs
    course = TimeCourse(
        content.method, str(attrs.get("target")), str(attrs["windows"]), windows.pop(), attrs=attrs
    )
    for subject, folds in parts.items():
        course.subjects[subject] = _join([_fold(own, content.method) for own in folds.values()])
    return course


def _fold(own: Sequence[Prediction], method: str) -> SubjectCourse:
    """Scores of one fold, window after window."""
    columns: dict[str, list[np.ndarray]] = {metric: [] for metric in SCORED}
    chance: dict[str, float] = {}
    for each in own:
        found = identification_scores(
            each, method, each.array("scores"), each.candidate_id, both_ways=False
        )
        for score in found:
            if score.metric in SCORED:
                columns[score.metric].append(score.values)
                chance[score.metric] = score.chance
                stimuli = [(each.fold, name) for name in score.stimulus_id]
    values = {metric: np.stack(parts, axis=1) for metric, parts in columns.items()}
    first = own[0]
    across = np.stack([_across(each) for each in own]) if "across" in first.arrays else None
    return SubjectCourse(stimuli, values, chance, len(first.candidate_id), first.n_averaged, across)


def _across(each: Prediction) -> np.ndarray:
    """Mean two-way score in every window by one model."""
    column = {name: number for number, name in enumerate(each.candidate_id)}
    truth = np.array([column[name] for name in each.stimulus_id])
    scores = each.arrays["across"].astype(np.float32)
    # half precision on disk: what differs by less is level
    return np.array([
        float(two_way_from_scores(scores[:, k], truth, tolerance=1e-4).mean())
        for k in range(scores.shape[1])
    ])  # fmt: skip


def _join(folds: Sequence[SubjectCourse]) -> SubjectCourse:
    first, n = folds[0], len(folds)
    across = None if first.across is None else sum(each.across for each in folds) / n
    return SubjectCourse(
        [name for each in folds for name in each.stimuli],
        {m: np.concatenate([each.values[m] for each in folds]) for m in first.values},
        {m: sum(each.chance[m] for each in folds) / n for m in first.chance},
        first.n_candidates,
        sum(each.n_averaged for each in folds) / n,
        across,
    )
