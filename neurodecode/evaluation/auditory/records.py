"""MetricRecords of attention decoders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from neurodecode.evaluation.auditory.outcomes import Outcomes
from neurodecode.metrics.functional.attention import (
    binomial_limit,
    d_prime,
    information_transfer_rate,
)
from neurodecode.metrics.functional.switch_duration import mesd
from neurodecode.metrics.records import MetricRecord, summarise

__all__ = ["attention_records"]

_PERMUTATIONS = 2000


def attention_records(outcomes: Outcomes, profile: str, version: str) -> list[MetricRecord]:
    """Summarise a method.

    Parameters
    ----------
    outcomes : Outcomes
        Of one file of scores.
    profile : str
        Of the records.
    version : str
        Of the code.

    Returns
    -------
    list of MetricRecord
        Intervals are bootstraps over trials, within subjects: windows of one trial depend on
        each other.
    """
    attrs = outcomes.attrs
    about = {
        "profile": profile,
        "dataset": attrs["dataset"],
        "task": "auditory_attention",
        "method": attrs["method"],
        "n_averaged": None,
        "selection_split": attrs["selection_split"],
        "transductive": False,
        "seed": attrs["seed"],
        "version": version,
    }
    extra = {name: attrs[name] for name in ("training", "scheme", "channels") if attrs.get(name)}
    if attrs.get("conditions"):
        extra["trials_of"] = "+".join(attrs["conditions"])
    if attrs.get("leak"):
        extra["leak"] = attrs["leak"]
    records = [*_tracking(outcomes, about, extra), *_matching(outcomes, about, extra)]
    windows = outcomes.windows()
    records += _accuracies(windows, about, extra)
    records += _durations(windows, about, extra)
    return records + list(_over_time(outcomes, about, extra))


def _by_subject(table: pd.DataFrame, column: str) -> dict[str, np.ndarray]:
    """Mean of each trial: subject -> (n_trials,)."""
    mean = table.groupby(["subject", "trial"], sort=True)[column].mean()
    return {
        str(subject): values.to_numpy() for subject, values in mean.groupby("subject", sort=True)
    }


def _summaries(
    items: Mapping[str, np.ndarray], extra: Mapping[str, Any], **about: Any
) -> Iterator[MetricRecord]:
    """One record for each subject, and one for all."""
    for subject, values in items.items():
        yield summarise(values, subject=subject, extra=extra, **about)
    if len(items) > 1:
        yield summarise(items, subject="+".join(items), extra=extra, **about)


def _tracking(
    outcomes: Outcomes, about: Mapping[str, Any], extra: Mapping[str, Any]
) -> Iterator[MetricRecord]:
    table = outcomes.tracking()
    if table.empty or outcomes.attrs["scale"] != "pearson_r":
        return
    plain = {"metric": "pearson_r", "chance": 0.0, "n_candidates": None, **about}
    shifted = [name for name in table if name.startswith("null_")]
    p = {}
    if shifted:
        null = table[shifted].mean().to_numpy()
        p = {"p_shifted": float((1 + (null >= table["r"].mean()).sum()) / (1 + len(null)))}
        yield from _summaries(
            _by_subject(table, "null"), {**extra, "null": "shifted_envelope"}, **plain
        )
    yield from _summaries(_by_subject(table, "r"), {**extra, **p}, **plain)


def _matching(
    outcomes: Outcomes, about: Mapping[str, Any], extra: Mapping[str, Any]
) -> Iterator[MetricRecord]:
    plain = {"metric": "match_mismatch_accuracy", "chance": 0.5, "n_candidates": 2, **about}
    for seconds, table in outcomes.matches().groupby("window_s"):
        keys = {**extra, "window_s": float(seconds), "n_windows": len(table)}
        yield from _summaries(_by_subject(table, "credit"), keys, **plain)


def _accuracies(
    windows: pd.DataFrame, about: Mapping[str, Any], extra: Mapping[str, Any]
) -> list[MetricRecord]:
    records: list[MetricRecord] = []
    conditions = ["", *sorted({name for name in windows["condition"] if name})]
    for condition in conditions if len(conditions) > 2 else [""]:
        some = windows[windows["condition"] == condition] if condition else windows
        more = {**extra, "condition": condition} if condition else extra
        for seconds, table in some.groupby("window_s"):
            records += _one_length(table, float(seconds), about, more)
    return records


def _one_length(
    table: pd.DataFrame, seconds: float, about: Mapping[str, Any], extra: Mapping[str, Any]
) -> Iterator[MetricRecord]:
    n = len(table)
    plain = {"n_candidates": 2, **about}
    keys = {**extra, "window_s": seconds}
    items = _by_subject(table, "credit")
    yield from _summaries(
        items,
        {**keys, "n_windows": n, "chance_limit": binomial_limit(n), "p_permuted": _permuted(items)},
        metric="attention_accuracy",
        chance=0.5,
        **plain,
    )
    accuracy = float(table["credit"].mean())
    each = "+".join(items)
    single = {"subject": each, "n": n, "ci_low": None, "ci_high": None, "extra": keys, **plain}
    rate = information_transfer_rate(accuracy, seconds)[1]
    yield MetricRecord(metric="itr_bits_per_min", value=rate, chance=0.0, **single)
    distance = d_prime(table["attended"].to_numpy(), table["ignored"].to_numpy())
    if np.isfinite(distance):
        yield MetricRecord(metric="d_prime", value=distance, chance=0.0, **single)


def _permuted(items: Mapping[str, np.ndarray]) -> float:
    """How often labels that are swapped trial by trial do as well: one-sided p."""
    values = np.concatenate(list(items.values())) - 0.5
    signs = np.random.default_rng(0).choice([-1, 1], (_PERMUTATIONS, len(values)))
    return float((1 + (signs @ values >= values.sum() - 1e-12).sum()) / (1 + _PERMUTATIONS))


def _durations(
    windows: pd.DataFrame, about: Mapping[str, Any], extra: Mapping[str, Any]
) -> list[MetricRecord]:
    """MESD of each subject, and the mean of those that have one."""
    plain = {"metric": "mesd_s", "chance": None, "n_candidates": 2, **about}
    found, records = {}, []
    for subject, table in windows.groupby("subject"):
        curve = table.groupby("window_s")["credit"].mean()
        best = mesd(curve.index.to_numpy(), curve.to_numpy())
        keys = dict(extra)
        if best is not None:
            found[str(subject)] = best.seconds
            keys |= {"best_window_s": best.window_s, "best_accuracy": best.accuracy}
        records.append(
            MetricRecord(
                subject=str(subject),
                value=None if best is None or not np.isfinite(best.seconds) else best.seconds,
                ci_low=None,
                ci_high=None,
                n=len(table),
                extra=keys if best is not None else {**keys, "reason": "never above chance"},
                **plain,
            )
        )
    finite = np.array([value for value in found.values() if np.isfinite(value)])
    n_subjects = windows["subject"].nunique()
    if len(finite) > 1:
        keys = {**extra, "n_without": n_subjects - len(finite)}
        names = "+".join(name for name, value in found.items() if np.isfinite(value))
        records.append(summarise(finite, subject=names, extra=keys, **plain))
    return records


def _over_time(
    outcomes: Outcomes, about: Mapping[str, Any], extra: Mapping[str, Any]
) -> Iterator[MetricRecord]:
    table = outcomes.posteriors()
    if table.empty:
        return
    seconds = float(outcomes.attrs["decision_s"])
    plain = {"metric": "attention_accuracy", "chance": 0.5, "n_candidates": 2, **about}
    for name in ("filtered", "smoothed"):
        right = table.assign(credit=(table[name] > 0.5) + 0.5 * (table[name] == 0.5))
        keys = {**extra, "window_s": seconds, "decision": f"markov-{name}"}
        yield from _summaries(_by_subject(right, "credit"), keys, **plain)
