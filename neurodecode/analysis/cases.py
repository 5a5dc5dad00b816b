"""Choosing which test stimuli to look at, by rules that are stated and not by eye."""

from __future__ import annotations

import pandas as pd

__all__ = ["RANKINGS", "best_median_worst", "evenly_spaced", "rank_items"]

#: Metrics that may rank reconstructions, the first one present is taken. All of them compare
#: with the true image in a feature space; pixels come last because they reward grey.
RANKINGS = ("two_way_clip", "clip", "two_way_inception", "two_way_alexnet5", "ssim", "pixcorr")


def rank_items(items: pd.DataFrame, rankings: tuple[str, ...] = RANKINGS) -> pd.DataFrame:
    """Order test stimuli from best to worst.

    Parameters
    ----------
    items : DataFrame
        Rows of ``items.csv`` of one subject and one method.
    rankings : tuple of str
        Metrics in the order of preference; higher is better in all of them. The first one that
        is there ranks, the next one there decides between equals.

    Returns
    -------
    DataFrame
        Columns stimulus_id, value, metric and tie_breaker (empty if there is none), best first.
        What is still equal is ordered by stimulus id, so that the order of the file plays no
        part. A stimulus tested in several folds keeps its mean. Empty if no metric is there.
    """
    present = [name for name in rankings if (items["metric"] == name).any()][:2]
    if not present:
        return pd.DataFrame(columns=["stimulus_id", "value", "metric", "tie_breaker"])
    table = items[items["metric"].isin(present)].pivot_table(
        index="stimulus_id", columns="metric", values="value", aggfunc="mean"
    )
    # two sorts, the last one stable: by id where everything is equal
    ranked = table.dropna(subset=present[:1]).sort_index()
    ranked = ranked.sort_values(present, ascending=False, kind="stable").reset_index()
    return pd.DataFrame(
        {
            "stimulus_id": ranked["stimulus_id"].astype("str"),
            "value": ranked[present[0]],
            "metric": present[0],
            "tie_breaker": present[1] if len(present) > 1 else "",
        }
    )


def best_median_worst(ranked: pd.DataFrame, n: int) -> dict[str, pd.DataFrame]:
    """Take the best, the middle and the worst rows of a ranking, none twice.

    Parameters
    ----------
    ranked : DataFrame
        Best first.
    n : int
        Rows of each group; fewer where there are fewer than ``3 * n`` rows in all.

    Returns
    -------
    dict of str to DataFrame
        ``best``, ``median`` and ``worst``, each best first. The middle group is centred on the
        median.
    """
    n = min(n, len(ranked) // 3)
    start = (len(ranked) - n) // 2
    return {
        "best": ranked.iloc[:n],
        "median": ranked.iloc[start : start + n],
        "worst": ranked.iloc[len(ranked) - n :],
    }


def evenly_spaced(frame: pd.DataFrame, n: int, by: str = "stimulus_id") -> pd.DataFrame:
    """Take rows at equal distances in the order of a column that knows nothing of the result.

    Parameters
    ----------
    frame : DataFrame
        Any rows.
    n : int
        How many, at most.
    by : str
        Column to sort by; a content hash puts pictures in an order that means nothing.

    Returns
    -------
    DataFrame
        `n` rows, from the middles of `n` equal stretches.
    """
    ordered = frame.sort_values(by, ignore_index=True)
    n = min(n, len(ordered))
    return ordered.iloc[[(2 * i + 1) * len(ordered) // (2 * n) for i in range(n)]]
