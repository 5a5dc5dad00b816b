"""Retrieval, looked at stimulus by stimulus."""

from __future__ import annotations

import pandas as pd

__all__ = ["by_category", "confusions", "failures", "hit_rates", "retrieval_lists"]


def retrieval_lists(candidates: pd.DataFrame) -> pd.DataFrame:
    """Split the five best candidates of each test stimulus into a list, and mark the hit.

    Parameters
    ----------
    candidates : DataFrame
        Rows of ``candidates.csv``.

    Returns
    -------
    DataFrame
        The same rows, ``top5`` as a list of stimulus ids, best first, and ``place``: where in
        that list the true stimulus is, counted from 0, or -1.
    """
    lists = candidates["top5"].str.split()
    places = [
        found.index(true) if true in found else -1
        for found, true in zip(lists, candidates["stimulus_id"], strict=True)
    ]
    return candidates.assign(top5=lists, place=pd.Series(places, candidates.index, dtype="int64"))


def hit_rates(candidates: pd.DataFrame) -> pd.DataFrame:
    """Top-1 and top-5 rates of each subject and method.

    Parameters
    ----------
    candidates : DataFrame
        Rows of ``candidates.csv``.

    Returns
    -------
    DataFrame
        Columns dataset, subject, method, top1, top5, median_rank, n, n_candidates.
    """
    lists = retrieval_lists(candidates)
    lists = lists.assign(top1=lists["place"] == 0, hit5=lists["place"] >= 0)
    return lists.groupby(["dataset", "subject", "method"], as_index=False).agg(
        top1=("top1", "mean"),
        top5=("hit5", "mean"),
        median_rank=("rank", "median"),
        n=("stimulus_id", "size"),
        n_candidates=("n_candidates", "max"),
    )


def by_category(candidates: pd.DataFrame, category: pd.Series) -> pd.DataFrame:
    """Score the retrieval of each category.

    Parameters
    ----------
    candidates : DataFrame
        Rows of ``candidates.csv`` of one data set.
    category : Series of str, indexed by stimulus id
        Category of each stimulus.

    Returns
    -------
    DataFrame
        Columns method, category, top1 (share found at the first place), category1 (share whose
        first candidate is at least of the right category), n; sorted by method and top1, worst
        first. A stimulus without category is left out.
    """
    lists = retrieval_lists(candidates)
    first = lists["top5"].str[0].map(category)
    rows = lists.assign(
        category=lists["stimulus_id"].map(category),
        top1=lists["place"] == 0,
        category1=first == lists["stimulus_id"].map(category),
    ).dropna(subset="category")
    table = rows.groupby(["method", "category"], as_index=False).agg(
        top1=("top1", "mean"), category1=("category1", "mean"), n=("stimulus_id", "size")
    )
    return table.sort_values(["method", "top1", "category"], ignore_index=True)


def confusions(candidates: pd.DataFrame, category: pd.Series) -> pd.DataFrame:
    """Count which category the first candidate had, for each true category.

    Parameters
    ----------
    candidates : DataFrame
        Rows of ``candidates.csv`` of one data set and one method.
    category : Series of str, indexed by stimulus id
        Category of each stimulus.

    Returns
    -------
    DataFrame
        True categories in the rows, those of the first candidate in the columns, both in the
        same alphabetical order; counts.
    """
    true = candidates["stimulus_id"].map(category)
    first = candidates["top5"].str.split().str[0].map(category)
    names = sorted(set(true.dropna()) | set(first.dropna()))
    table = pd.crosstab(true, first).reindex(index=names, columns=names, fill_value=0)
    return table.rename_axis(index="true", columns="first candidate")


def failures(candidates: pd.DataFrame, n: int) -> pd.DataFrame:
    """List the stimuli that were ranked furthest from the first place.

    Parameters
    ----------
    candidates : DataFrame
        Rows of ``candidates.csv``.
    n : int
        How many for each subject and method.

    Returns
    -------
    DataFrame
        Rows of `retrieval_lists`, worst first within subject and method.
    """
    lists = retrieval_lists(candidates)
    lists = lists.sort_values(
        ["dataset", "method", "subject", "rank", "stimulus_id"],
        ascending=[True, True, True, False, True],
        ignore_index=True,
    )
    return lists.groupby(["dataset", "method", "subject"]).head(n).reset_index(drop=True)
