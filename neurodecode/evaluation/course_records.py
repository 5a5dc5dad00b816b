"""Records of time-resolved decoding: curves with significance, and when they rise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from neurodecode import __version__
from neurodecode.evaluation.timecourse import SCORED, TimeCourse
from neurodecode.metrics.bootstrap import bootstrap_ci
from neurodecode.metrics.functional.clusters import cluster_p_values
from neurodecode.metrics.functional.latency import half_peak_latency
from neurodecode.metrics.records import MetricRecord

__all__ = ["course_records", "latency_differences"]

_N_BOOT = 2000
_LEVEL = 0.05
#: Whose curve says when something is known: it has the least noise of the metrics.
_LATENCY_OF = "two_way"


def course_records(course: TimeCourse, about: Mapping[str, Any]) -> list[MetricRecord]:
    """Make the records of one method on one target.

    Parameters
    ----------
    course : TimeCourse
        Its scores.
    about : mapping
        ``profile`` and ``dataset``.

    Returns
    -------
    list of MetricRecord
        For each metric, window and subject, and for the mean over subjects: value, interval over
        stimuli, and as extra keys ``t_start_s``, ``t_stop_s``, ``target``, ``windows``,
        ``p_cluster`` (cluster permutation against chance over stimuli) and ``test_over``; and
        ``half_peak_latency`` of the curves that are significant anywhere.
    """
    records = []
    for subject, parts in _groups(course):
        for metric in SCORED:
            values, chance, n_averaged, n_candidates = parts[metric]
            p_values = cluster_p_values(values - chance)
            common = _common(course, about, subject, n_averaged)
            if metric == _LATENCY_OF and (p_values <= _LEVEL).any():
                records.append(_latency(common, course, values, chance))
            for number, window in enumerate(course.windows):
                interval = bootstrap_ci(values[:, number], n_boot=_N_BOOT)
                extra = common["extra"] | {
                    "t_start_s": window[0], "t_stop_s": window[1],
                    "p_cluster": float(p_values[number]), "test_over": "stimuli",
                }  # fmt: skip
                records.append(
                    MetricRecord(
                        **common | {"extra": extra}, metric=metric, value=interval.value,
                        ci_low=interval.low, ci_high=interval.high, chance=chance,
                        n=len(values), n_candidates=n_candidates,
                    )
                )  # fmt: skip
    return records


def latency_differences(
    courses: Sequence[TimeCourse], about: Mapping[str, Any]
) -> list[MetricRecord]:
    """Compare when two targets are decodable, on the same stimuli.

    Parameters
    ----------
    courses : sequence of TimeCourse
        Of one data set.
    about : mapping
        ``profile`` and ``dataset``.

    Returns
    -------
    list of MetricRecord
        ``latency_difference`` of each two targets of one method and kind of windows, significant
        both: that of ``target`` minus that of ``baseline``, in seconds; positive if ``target`` is
        decodable later.
    """
    records = []
    for first, second in combinations(courses, 2):
        same = (first.method, first.kind, first.windows) == (
            second.method, second.kind, second.windows
        )  # fmt: skip
        if not same or first.target == second.target:
            continue
        ours, theirs = dict(_groups(first)), dict(_groups(second))
        for subject in [name for name in ours if name in theirs]:
            (a, low, n_averaged, _), (b, high, _, _) = (
                parts[_LATENCY_OF] for parts in (ours[subject], theirs[subject])
            )
            if len(a) != len(b) or any(
                (cluster_p_values(v - c) > _LEVEL).all() for v, c in ((a, low), (b, high))
            ):
                continue
            replicates = _replicates(b, high, first.times) - _replicates(a, low, first.times)
            value = _latency_of(b, high, first.times) - _latency_of(a, low, first.times)
            common = _common(second, about, subject, n_averaged)
            extra = common["extra"] | {"baseline": first.target}
            records.append(
                _in_seconds(common | {"extra": extra}, "latency_difference", value, replicates,
                            len(a))
            )  # fmt: skip
    return records


def _groups(
    course: TimeCourse,
) -> Iterator[tuple[str, dict[str, tuple[np.ndarray, float, float, int]]]]:
    """Scores, chance, repeats and candidates by metric, of each subject and of their mean."""
    everybody = list(course.subjects.values())
    for name, each in course.subjects.items():
        yield (
            name,
            {
                m: (each.values[m], each.chance[m], each.n_averaged, each.n_candidates)
                for m in SCORED
            },
        )
    if len(everybody) > 1:
        averaged = float(np.mean([each.n_averaged for each in everybody]))
        n_candidates = round(float(np.mean([each.n_candidates for each in everybody])))
        yield (
            "mean",
            {
                m: (
                    course.pooled(m),
                    float(np.mean([each.chance[m] for each in everybody])),
                    averaged,
                    n_candidates,
                )
                for m in SCORED
            },
        )


def _common(
    course: TimeCourse, about: Mapping[str, Any], subject: str, n_averaged: float
) -> dict[str, Any]:
    return {
        **about,
        "subject": subject,
        "task": "identification",
        "method": course.method,
        "n_averaged": n_averaged,
        "selection_split": course.attrs.get("selection_split", "none"),
        "transductive": bool(course.attrs.get("transductive", False)),
        "seed": int(course.attrs.get("seed", 0)),
        "version": __version__,
        "extra": {"target": course.target, "windows": course.kind},
    }


def _latency(
    common: Mapping[str, Any], course: TimeCourse, values: np.ndarray, chance: float
) -> MetricRecord:
    value = _latency_of(values, chance, course.times)
    replicates = _replicates(values, chance, course.times)
    return _in_seconds(common, "half_peak_latency", value, replicates, len(values))


def _latency_of(values: np.ndarray, chance: float, times: np.ndarray) -> float:
    return float(half_peak_latency(values.mean(axis=0), times, chance))


def _replicates(values: np.ndarray, chance: float, times: np.ndarray) -> np.ndarray:
    """Latency of resampled stimuli, the same ones for every curve of as many stimuli."""
    rng = np.random.default_rng(0)
    index = rng.integers(len(values), size=(_N_BOOT, len(values)))
    counts = np.zeros((_N_BOOT, len(values)))
    np.add.at(counts, (np.arange(_N_BOOT)[:, None], index), 1)
    return half_peak_latency(counts @ values / len(values), times, chance)


def _in_seconds(
    common: Mapping[str, Any], metric: str, value: float, replicates: np.ndarray, n: int
) -> MetricRecord:
    low, high = np.nanquantile(replicates, [0.025, 0.975])
    return MetricRecord(
        **common, metric=metric, value=value, ci_low=float(low), ci_high=float(high), chance=None,
        n=n, n_candidates=None,
    )  # fmt: skip
