"""Scores of units of one subject a data set, for pictures that would be too many otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.store import ResponseStore

__all__ = ["first_subjects"]


def first_subjects(
    profile: Profile, datasets: Sequence[str], needed: set[str]
) -> Iterator[tuple[str, pd.DataFrame, ResponseStore]]:
    """Find the first subject with scores of units, where the store knows what is needed of them.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : sequence of str
        Data sets in the order of the page.
    needed : set of str
        Features the store must have.

    Yields
    ------
    str, DataFrame, ResponseStore
        Subject, its rows of ``profile.units``, and its store.
    """
    units = profile.units
    for dataset in datasets:
        own = units[units["dataset"] == dataset]
        if dataset not in profile.stores or not len(own):
            continue
        subject = sorted(set(own["subject"]))[0]
        store = profile.stores[dataset].responses.get(subject)
        if store is not None and needed <= set(store.feature_names()):
            yield subject, own[own["subject"] == subject], store
