"""Differences between methods on the same test items."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from joblib import Parallel, delayed

from neurodecode.evaluation.items import PAIRING, per_item, subject_tables
from neurodecode.metrics.bootstrap import bootstrap_difference

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPARED", "paired_differences"]

#: Metrics whose differences are reported: means over items.
COMPARED = (
    "retrieval_top1",
    "two_way",
    "accuracy",
    "two_way_clip",
    "category_accuracy",
    "pixcorr",
    "brain_correlation",
    "brain_correlation_others",
)
_KEYS = ["dataset", "task", "metric", "trials"]


def paired_differences(items: pd.DataFrame, leave_out: Collection[str] = ()) -> pd.DataFrame:
    """Compare every two methods on the items that both were scored on.

    Parameters
    ----------
    items : pandas.DataFrame
        From `neurodecode.evaluation.items.items_frame`.
    leave_out : collection of str
        Methods that are not to be compared (transductive ones, ceilings).

    Returns
    -------
    pandas.DataFrame
        dataset, task, method, baseline, metric, subject, difference (method minus baseline),
        ci_low, ci_high, n (items), trials (of the subject that both were given, where these are
        counted). Of two methods the one that comes first in `items` is the
        baseline, whichever scored better. Subjects with other items under the two methods are
        left out; subject ``mean`` is the mean over the others, if there are several. Intervals
        are bootstraps over stimuli, the same for both methods, jointly over subjects who saw
        the same stimuli.
    """
    import pandas as pd

    jobs, abouts = [], []
    wanted = items["metric"].isin(COMPARED) & ~items["method"].isin(list(leave_out))
    for keys, table in items[wanted].groupby(_KEYS, sort=True):
        about = dict(zip(_KEYS, keys, strict=True))
        methods = {
            str(name): subject_tables(own) for name, own in table.groupby("method", sort=False)
        }
        for baseline, method in combinations(methods, 2):
            abouts.append({**about, "method": method, "baseline": baseline})
            jobs.append(delayed(_differences)(methods[method], methods[baseline]))
    # one after the other, unless joblib is told otherwise (docs/scale.md)
    pairs = zip(abouts, Parallel()(jobs), strict=True)
    rows = [{**about, **found} for about, differences in pairs for found in differences]
    columns = [
        "dataset", "task", "method", "baseline", "metric", "subject", "difference", "ci_low",
        "ci_high", "n", "trials",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _differences(
    first: Mapping[str, pd.DataFrame], second: Mapping[str, pd.DataFrame]
) -> list[dict[str, str | float | int | None]]:
    """Differences of each subject and of their mean."""
    found = []
    paired = [name for name in first if name in second and _same(first[name], second[name])]
    groups = {name: [name] for name in paired}
    if len(paired) > 1:
        groups["mean"] = paired
    for subject, members in groups.items():
        interval = bootstrap_difference(
            per_item({name: first[name] for name in members}),
            per_item({name: second[name] for name in members}),
        )
        row = {
            "subject": subject,
            "difference": interval.value,
            "ci_low": interval.low,
            "ci_high": interval.high,
            "n": sum(len(first[name]) for name in members),
        }
        found.append(row)
    return found


def _same(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    return first[PAIRING].to_numpy().tolist() == second[PAIRING].to_numpy().tolist()
