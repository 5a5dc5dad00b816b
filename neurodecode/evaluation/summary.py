"""From scores of items to records: value, interval, chance, per subject and over subjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from neurodecode import __version__
from neurodecode.evaluation.items import per_item, subject_tables
from neurodecode.metrics.records import MetricRecord, summarise

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["summarise_items"]

#: Metrics that read features of the embedder.
_ON_FEATURES = ("category_accuracy",)
#: Metrics for which an encoder predicts responses to pictures.
_BY_ENCODER = ("brain_correlation", "brain_correlation_others")
#: What a file of predictions says that every record of it repeats.
_TOLD = ("subject_in_training",)
_KEYS = ["dataset", "task", "method", "metric", "trials"]


def summarise_items(
    items: pd.DataFrame,
    profile: str,
    made: Mapping[tuple[str, str, str], Mapping[str, Any]],
    extras: Mapping[tuple[str, str, str, str], Mapping[str, Any]] | None = None,
) -> list[MetricRecord]:
    """Summarise items per subject, and over subjects as subject ``mean``.

    Parameters
    ----------
    items : pandas.DataFrame
        From `neurodecode.evaluation.items.items_frame`.
    profile : str
        Profile of the run (``mini``, ``real``).
    made : mapping of (str, str, str) to mapping
        For each task, method and number of trials (``Scores.trials``) how the predictions were
        made: ``selection_split``, ``transductive``, ``seed``; ``features`` if features of a
        network were compared, ``encoder`` the features of an encoder that judged, ``settings``
        for further keys of the records.
    extras : mapping of (str, str, str, str) to mapping, optional
        Further keys by task, method, metric and subject, from
        `neurodecode.evaluation.items.extra_keys`.

    Returns
    -------
    list of MetricRecord
        One for each data set, task, method, metric, number of trials and subject, and for the
        mean. Where trials are counted, ``n_trials`` says how many they were (of the mean: on
        average) and ``trials`` how many were asked for.
    """
    jobs = []
    for (dataset, task, method, metric, trials), table in items.groupby(_KEYS, sort=True):
        about = made[task, method, trials]
        common = {
            "profile": profile,
            "dataset": dataset,
            "task": task,
            "method": method,
            "metric": metric,
            "selection_split": about.get("selection_split", "none"),
            "transductive": bool(about.get("transductive", False)),
            "seed": int(about.get("seed", 0)),
            "version": __version__,
            "extra": {
                **about.get("settings", {}),
                **{key: about[key] for key in _TOLD if key in about},
                **({"trials": trials} if trials else {}),
                **({"features": about["features"]} if metric in _ON_FEATURES else {}),
                **({"encoder": about["encoder"]} if metric in _BY_ENCODER else {}),
            },
        }
        per_subject = subject_tables(table)
        groups = {subject: {subject: rows} for subject, rows in per_subject.items()}
        if len(per_subject) > 1:
            groups["mean"] = per_subject
        for subject, tables in groups.items():
            own = (extras or {}).get((task, method, metric, subject), {})
            fields = common | {"extra": {**common["extra"], **own}}
            jobs.append(delayed(_record)(fields, subject, tables))
    # one after the other, unless joblib is told otherwise (docs/scale.md)
    return list(Parallel()(jobs))


def _record(
    common: Mapping[str, Any], subject: str, tables: Mapping[str, pd.DataFrame]
) -> MetricRecord:
    chance = _mean_or_none(tables, "chance")
    n_candidates = _mean_or_none(tables, "n_candidates")
    extra = dict(common["extra"])
    if (n_trials := _mean_or_none(tables, "n_trials")) is not None:
        extra["n_trials"] = round(n_trials)
    return summarise(
        per_item(tables),
        statistic=np.median if common["metric"] == "median_rank" else np.mean,
        **{**common, "extra": extra},
        subject=subject,
        chance=chance,
        n_candidates=None if n_candidates is None else round(n_candidates),
        n_averaged=_mean_or_none(tables, "n_averaged"),
    )


def _mean_or_none(tables: Mapping[str, pd.DataFrame], column: str) -> float | None:
    mean = float(np.mean([rows[column].astype(float).mean() for rows in tables.values()]))
    return None if np.isnan(mean) else mean
