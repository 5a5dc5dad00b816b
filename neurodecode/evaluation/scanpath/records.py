"""Records of scanpath scores: weighted means over stimuli, with intervals over stimuli."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neurodecode import __version__
from neurodecode.metrics.records import MetricRecord

__all__ = ["HUMAN", "About", "difference_table", "interval", "item_records"]

_CHANCE = {"auc_shuffled": 0.5, "auc_conditional": 0.5, "nss": 0.0}
_BOOT = 2000
#: All viewers of a data set together are its one subject.
VIEWERS = "viewers"
#: The method that stands for people.
HUMAN = "other_viewers"


@dataclass(frozen=True)
class About:
    """What all records of one evaluation share.

    Parameters
    ----------
    profile, dataset : str
        As of `MetricRecord`.
    made : mapping of str to mapping
        Method -> attributes of its predictions.
    extra : mapping
        Further keys, e.g. the bandwidth of clusters.
    """

    profile: str
    dataset: str
    made: Mapping[str, Mapping[str, Any]]
    extra: Mapping[str, Any]

    def record(
        self, method: str, metric: str, numbers: tuple, n: int, **extra: Any
    ) -> MetricRecord:
        """Make a record.

        Parameters
        ----------
        method, metric : str
            What was scored how.
        numbers : tuple of float or None
            Value and interval.
        n : int
            Stimuli.
        **extra
            Further keys.

        Returns
        -------
        MetricRecord
            Of task ``scanpath``.
        """
        made = self.made.get(method, {})
        keys = {name: made[name] for name in ("cell", "n_samples", "scheme") if name in made}
        value, low, high = numbers
        return MetricRecord(
            profile=self.profile,
            dataset=self.dataset,
            subject=VIEWERS,
            task="scanpath",
            method=method,
            metric=metric,
            value=value,
            ci_low=low,
            ci_high=high,
            chance=_CHANCE.get(metric, 0.0 if extra.get("reference") else None),
            n=n,
            n_candidates=None,
            n_averaged=None,
            selection_split=str(made.get("selection_split", "none")),
            transductive=False,
            seed=made.get("seed"),
            version=__version__,
            extra={**self.extra, **keys, **{k: v for k, v in extra.items() if v != ""}},
        )


def interval(
    statistic: Callable[[np.ndarray], np.ndarray], n: int, seed: int = 0
) -> tuple[float | None, float | None]:
    """Percentile interval of a statistic over stimuli.

    Parameters
    ----------
    statistic : callable
        Of indices of resampled stimuli, (n_boot, n).
    n : int
        Stimuli.
    seed : int
        Of the resampling.

    Returns
    -------
    tuple of float or None
        Low and high; None for a single stimulus.
    """
    if n < 2:
        return None, None
    picked = np.random.default_rng(seed).integers(n, size=(_BOOT, n))
    low, high = np.quantile(statistic(picked), [0.025, 0.975])
    return float(low), float(high)


def _weighted(values: np.ndarray, weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    product = values * weights
    return lambda rows: product[rows].sum(axis=-1) / weights[rows].sum(axis=-1)


def item_records(items: pd.DataFrame, about: About) -> list[MetricRecord]:
    """Summarise scores of stimuli.

    Parameters
    ----------
    items : DataFrame
        Of `density_items` and `pair_items`.
    about : About
        What the records share.

    Returns
    -------
    list of MetricRecord
        One for each method, task of the viewers, metric and reference.
    """
    records = []
    keys = ["method", "task", "metric", "reference"]
    for (method, task, metric, reference), own in items.groupby(keys, sort=True):
        mean = _weighted(own["value"].to_numpy(), own["weight"].to_numpy(float))
        numbers = float(mean(np.arange(len(own)))), *interval(mean, len(own))
        records.append(
            about.record(method, metric, numbers, len(own), viewing=task, reference=reference)
        )
    return records


def difference_table(items: pd.DataFrame, dataset: str, baselines: tuple[str, ...]) -> pd.DataFrame:
    """Compare methods with some of them, stimulus by stimulus.

    Parameters
    ----------
    items : DataFrame
        As of `item_records`.
    dataset : str
        Its name.
    baselines : tuple of str
        Methods that the others are compared with.

    Returns
    -------
    DataFrame
        dataset, viewing, metric, reference, method, baseline, difference (method minus baseline),
        ci_low, ci_high, n.
    """
    rows = []
    for (viewing, metric, reference), own in items.groupby(["task", "metric", "reference"]):
        tables = {name: part.set_index("stimulus") for name, part in own.groupby("method")}
        for baseline in baselines:
            for method in tables:
                if baseline not in tables or method == baseline:
                    continue
                both = tables[method].join(tables[baseline].add_suffix("_b"), how="inner")
                first = _weighted(both["value"].to_numpy(), both["weight"].to_numpy(float))
                second = _weighted(both["value_b"].to_numpy(), both["weight_b"].to_numpy(float))

                def contrast(picked: np.ndarray, first=first, second=second) -> np.ndarray:
                    """Difference of the two means over the same stimuli."""
                    return first(picked) - second(picked)

                value = float(contrast(np.arange(len(both))))
                rows.append(
                    (dataset, viewing, metric, reference, method, baseline, value,
                     *interval(contrast, len(both)), len(both))
                )  # fmt: skip
    columns = ["dataset", "viewing", "metric", "reference", "method", "baseline", "difference",
               "ci_low", "ci_high", "n"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
