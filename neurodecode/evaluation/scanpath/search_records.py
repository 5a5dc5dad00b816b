"""Records of search behaviour: models against people, and people against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from neurodecode.evaluation.scanpath.records import HUMAN, About, interval
from neurodecode.evaluation.scanpath.search import SearchTable
from neurodecode.metrics.functional import scanpath as fn
from neurodecode.metrics.records import MetricRecord

__all__ = ["search_records"]


def search_records(
    human: SearchTable, models: Mapping[str, SearchTable], about: About, n_fixations: int
) -> list[MetricRecord]:
    """How far models are from people's behaviour in search.

    Parameters
    ----------
    human : DataFrame
        Of `behaviour_table`, with a column ``viewer``.
    models : mapping of str to DataFrame
        Method -> its table.
    about : About
        What the records share.
    n_fixations : int
        Length of the curves of what was found.

    Returns
    -------
    list of MetricRecord
        ``behaviour_difference`` and ``found_mismatch`` of each model, and of the viewers: one
        against the others, averaged.
    """
    records = []
    for method, model in models.items():
        for metric, score in (("behaviour_difference", _delta), ("found_mismatch", _mismatch)):
            numbers = _against(human, model, score, n_fixations)
            n = len(set(model["stimulus"]))
            records.append(about.record(method, metric, numbers, n, viewing="search_present"))
    for metric, score in (("behaviour_difference", _delta), ("found_mismatch", _mismatch)):
        each = []
        for viewer in sorted(set(human["viewer"])):
            rest = _sums(human[human["viewer"] != viewer], n_fixations)
            own = _sums(human[human["viewer"] == viewer], n_fixations)
            each.append(float(score(_mean(rest[1]), _mean(own[1]))))
        value = float(np.mean(each))
        if np.isfinite(value):
            n = len(set(human["stimulus"]))
            records.append(
                about.record(HUMAN, metric, (value, None, None), n, viewing="search_present")
            )
    return records


def _sums(table: SearchTable, n_fixations: int) -> tuple[list[str], np.ndarray]:
    """Sums over the scanpaths of each stimulus: behaviour, found by 1, 2, ..., number."""
    steps = np.arange(1, n_fixations + 1)
    found = (table["first"].to_numpy()[:, None] <= steps).astype(float)
    columns = np.column_stack([table[list(fn.BEHAVIOUR)].to_numpy(), found, np.ones(len(table))])
    by = pd.DataFrame(columns).groupby(table["stimulus"].to_numpy(), sort=True).sum()
    return by.index.tolist(), by.to_numpy()


def _mean(sums: np.ndarray, picked: np.ndarray | None = None) -> np.ndarray:
    total = sums.sum(axis=0) if picked is None else sums[picked].sum(axis=1)
    return total[..., :-1] / total[..., -1:]


def _delta(human: np.ndarray, model: np.ndarray) -> np.ndarray:
    h, m = (each[..., : len(fn.BEHAVIOUR)] for each in (human, model))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((h == 0).any(-1), np.nan, (np.abs(h - m) / h).mean(-1))


def _mismatch(human: np.ndarray, model: np.ndarray) -> np.ndarray:
    return np.abs(human[..., len(fn.BEHAVIOUR) :] - model[..., len(fn.BEHAVIOUR) :]).sum(-1)


def _against(
    human: SearchTable, model: SearchTable, score: Callable, n_fixations: int
) -> tuple[float | None, float | None, float | None]:
    both = sorted(set(human["stimulus"]) & set(model["stimulus"]))
    h = _sums(human[human["stimulus"].isin(both)], n_fixations)[1]
    m = _sums(model[model["stimulus"].isin(both)], n_fixations)[1]
    value = float(score(_mean(h), _mean(m)))
    if not np.isfinite(value):
        return None, None, None
    low, high = interval(
        lambda picked: np.nan_to_num(score(_mean(h, picked), _mean(m, picked))), len(both)
    )
    return value, low, high
