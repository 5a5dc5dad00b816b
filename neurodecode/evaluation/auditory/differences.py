"""Differences between attention decoders on the same trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from neurodecode.evaluation.auditory.outcomes import Outcomes
from neurodecode.metrics.bootstrap import bootstrap_difference

__all__ = ["attention_differences", "credits_of"]

_KEYS = ("dataset", "training", "metric", "window_s")


def credits_of(outcomes: Outcomes) -> pd.DataFrame:
    """Credit of every trial under one honest method.

    Parameters
    ----------
    outcomes : Outcomes
        Of one file of scores.

    Returns
    -------
    pandas.DataFrame
        ``dataset``, ``training``, ``method``, ``metric``, ``window_s``, ``subject``, ``trial``,
        ``credit`` (mean over the windows of the trial). Empty for leaking divisions, probes by
        other channels and single conditions: nothing is to be compared with them.
    """
    attrs = outcomes.attrs
    if attrs.get("leak") or attrs.get("channels") or attrs.get("conditions"):
        return pd.DataFrame()
    parts = []
    tables = {
        "match_mismatch_accuracy": outcomes.matches(),
        "attention_accuracy": outcomes.windows(),
    }
    for metric, table in tables.items():
        if len(table):
            mean = table.groupby(["subject", "trial", "window_s"])["credit"].mean().reset_index()
            parts.append(mean.assign(metric=metric))
    if not parts:
        return pd.DataFrame()
    about = {name: attrs[name] for name in ("dataset", "training", "method")}
    return pd.concat(parts, ignore_index=True).assign(**about)


def attention_differences(credit: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Compare every two methods that were trained on the same kind of subjects.

    Parameters
    ----------
    credit : iterable of pandas.DataFrame
        From `credits_of`, one for each method.

    Returns
    -------
    pandas.DataFrame
        ``dataset``, ``training``, ``metric``, ``window_s``, ``method``, ``baseline``,
        ``difference`` (method less baseline, mean over subjects), ``ci_low``, ``ci_high``, ``n``
        (trials). Intervals are bootstraps over trials within subjects, the same for both.
    """
    parts = [part for part in credit if len(part)]
    rows: list[dict[str, Any]] = []
    if not parts:
        return pd.DataFrame()
    for keys, table in pd.concat(parts, ignore_index=True).groupby(list(_KEYS), sort=True):
        methods = {str(name): _items(own) for name, own in table.groupby("method", sort=False)}
        for baseline, method in combinations(methods, 2):
            one, other = methods[method], methods[baseline]
            if {k: v.index.tolist() for k, v in one.items()} != {
                k: v.index.tolist() for k, v in other.items()
            }:
                continue
            found = bootstrap_difference(_values(one), _values(other))
            rows.append(
                {
                    **dict(zip(_KEYS, keys, strict=True)),
                    "method": method,
                    "baseline": baseline,
                    "difference": found.value,
                    "ci_low": found.low,
                    "ci_high": found.high,
                    "n": sum(map(len, one.values())),
                }
            )
    return pd.DataFrame(rows)


def _items(table: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        str(subject): own.set_index("trial")["credit"].sort_index()
        for subject, own in table.groupby("subject")
    }


def _values(items: Mapping[str, pd.Series]) -> dict[str, np.ndarray]:
    return {name: each.to_numpy() for name, each in items.items()}
