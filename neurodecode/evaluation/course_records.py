"""Records of time-resolved decoding: curves with significance, and when they rise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from neurodecode import __version__
from neurodecode.evaluation.timecourse import SCORED, TimeCourse
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
            p_values = _p_values(course, subject, metric, values - chance)
            common = _common(course, about, subject, n_averaged)
            replicates = _resampled(values)
            if metric == _LATENCY_OF and (p_values <= _LEVEL).any():
                latency = half_peak_latency(values.mean(axis=0), course.times, chance)
                spread = half_peak_latency(replicates, course.times, chance)
                n = len(values)
                records.append(_in_seconds(common, "half_peak_latency", latency, spread, n))
            low, high = np.quantile(replicates, [0.025, 0.975], axis=0)
            for number, (start, stop) in enumerate(course.windows):
                extra = common["extra"] | {
                    "t_start_s": start, "t_stop_s": stop, "p_cluster": float(p_values[number]),
                    "test_over": "stimuli",
                }  # fmt: skip
                records.append(
                    MetricRecord(
                        **common | {"extra": extra}, metric=metric,
                        value=float(values[:, number].mean()), ci_low=float(low[number]),
                        ci_high=float(high[number]), chance=chance, n=len(values),
                        n_candidates=n_candidates,
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
        if _kind(first) != _kind(second) or first.target == second.target:
            continue
        ours, theirs = dict(_groups(first)), dict(_groups(second))
        for subject in [name for name in ours if name in theirs]:
            sides = [(first, *ours[subject][_LATENCY_OF]), (second, *theirs[subject][_LATENCY_OF])]
            n = len(sides[0][1])
            known = all(
                (_p_values(course, subject, _LATENCY_OF, values - chance) <= _LEVEL).any()
                for course, values, chance, *_ in sides
            )
            if not known or len(sides[1][1]) != n:
                continue
            values = [half_peak_latency(v.mean(axis=0), first.times, c) for _, v, c, *_ in sides]
            spread = [half_peak_latency(_resampled(v), first.times, c) for _, v, c, *_ in sides]
            common = _common(second, about, subject, sides[0][3])
            common["extra"] |= {"baseline": first.target}
            difference = (values[1] - values[0], spread[1] - spread[0])
            records.append(_in_seconds(common, "latency_difference", *difference, n))
    return records


def _kind(course: TimeCourse) -> tuple[Any, ...]:
    return (course.method, course.kind, course.windows)


def _p_values(course: TimeCourse, subject: str, metric: str, differences: np.ndarray) -> np.ndarray:
    """Test a curve, once."""
    if (subject, metric) not in course.tested:
        course.tested[subject, metric] = cluster_p_values(differences)
    return course.tested[subject, metric]


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


def _resampled(values: np.ndarray) -> np.ndarray:
    """Curves of resampled stimuli, the same ones for every curve of as many stimuli."""
    rng, n = np.random.default_rng(0), len(values)
    return rng.multinomial(n, np.full(n, 1 / n), size=_N_BOOT) @ values / n


def _in_seconds(
    common: Mapping[str, Any], metric: str, value: float, replicates: np.ndarray, n: int
) -> MetricRecord:
    low, high = np.nanquantile(replicates, [0.025, 0.975])
    return MetricRecord(
        **common, metric=metric, value=float(value), ci_low=float(low), ci_high=float(high),
        chance=None, n=n, n_candidates=None,
    )  # fmt: skip
