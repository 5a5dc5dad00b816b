"""Differences between methods in scores of a test set as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.evaluation.whole import WholeScore

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPARED_WHOLES", "whole_differences"]

#: Metrics whose resamples are those of the same stimuli for every method.
COMPARED_WHOLES = ("pearson_r",)
_Key = tuple[str, int]


def whole_differences(scores: Iterable[WholeScore], dataset: str) -> pd.DataFrame:
    """Compare every two methods that scored the same subjects, folds and numbers of stimuli.

    Parameters
    ----------
    scores : iterable of WholeScore
        Of one data set, in the order of the files.
    dataset : str
        Its name.

    Returns
    -------
    pandas.DataFrame
        dataset, task, method, baseline, metric, region ("" for all units), subject, difference
        (method minus baseline), ci_low, ci_high, n. Of two methods the one that comes first is
        the baseline. Intervals are quantiles of differences on the same resampled stimuli;
        subject ``mean`` is the mean over subjects, if there are several.
    """
    import pandas as pd

    groups: dict[tuple[str, str, str], dict[str, dict[_Key, WholeScore]]] = {}
    for score in scores:
        if score.metric in COMPARED_WHOLES and score.resampled is not None:
            methods = groups.setdefault((score.task, score.metric, score.part), {})
            methods.setdefault(score.method, {})[score.subject, score.fold] = score
    rows = []
    for (task, metric, part), methods in groups.items():
        for baseline, method in combinations(methods, 2):
            about = {"dataset": dataset, "task": task, "method": method, "baseline": baseline,
                     "metric": metric, "region": part}  # fmt: skip
            rows += [about | row for row in _differences(methods[method], methods[baseline])]
    columns = [
        "dataset", "task", "method", "baseline", "metric", "region", "subject", "difference",
        "ci_low", "ci_high", "n",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _differences(
    first: dict[_Key, WholeScore], second: dict[_Key, WholeScore]
) -> list[dict[str, str | float | int]]:
    """Differences of each subject, mean over its folds, and of their mean."""
    subjects: dict[str, list[_Key]] = {}
    for key, score in first.items():
        if key in second and second[key].n == score.n:
            subjects.setdefault(key[0], []).append(key)
    found = []
    groups: dict[str, Sequence[str]] = {name: [name] for name in subjects}
    if len(subjects) > 1:
        groups["mean"] = list(subjects)
    for name, members in groups.items():
        values = [
            np.mean([first[key].value - second[key].value for key in subjects[each]])
            for each in members
        ]
        spread = [
            np.mean([first[key].resampled - second[key].resampled for key in subjects[each]], 0)
            for each in members
        ]
        low, high = np.quantile(np.mean(spread, axis=0), [0.025, 0.975])
        found.append({
            "subject": name, "difference": float(np.mean(values)), "ci_low": float(low),
            "ci_high": float(high), "n": sum(first[k].n for m in members for k in subjects[m]),
        })  # fmt: skip
    return found
