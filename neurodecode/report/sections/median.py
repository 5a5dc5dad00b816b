"""Middling reconstructions for the README: neither the best nor the worst."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurodecode.analysis.cases import best_median_worst, evenly_spaced, rank_items
from neurodecode.analysis.profile import Profile
from neurodecode.report.sections.cases import ordered_reconstructions, shelve

__all__ = ["median_grid"]


def median_grid(
    profile: Profile, n: int = 8
) -> tuple[dict[str, list[np.ndarray]], list[str]] | None:
    """Choose about `n` median cases, equally many of each subject.

    Parameters
    ----------
    profile : Profile
        The results.
    n : int
        Columns.

    Returns
    -------
    tuple or None
        Rows of pictures (seen, low level, reconstruction; no controls) and the subject of each
        column; None if nothing was reconstructed. The first data set with reconstructions is
        taken.
    """
    for dataset, folder in sorted(profile.stores.items()):
        sources = ordered_reconstructions(profile, dataset)[:1]
        if not sources:
            continue
        rows = shelve(sources)
        main = rows["Reconstruction"]
        subjects = sorted({subject for subject, _ in main})
        chosen: list[tuple[str, str]] = []
        for number, subject in enumerate(subjects):
            # the first subjects take one more where the columns do not divide evenly
            share = n // len(subjects) + (number < n % len(subjects))
            chosen += _middle(profile, dataset, sources[0].method, subject, main, share)
        grid = {"seen": list(folder.images([stimulus for _, stimulus in chosen]))}
        grid |= {name.lower(): [shelf[key] for key in chosen] for name, shelf in rows.items()}
        return grid, [f"subject {subject}" for subject, _ in chosen]
    return None


def _middle(
    profile: Profile,
    dataset: str,
    method: str,
    subject: str,
    main: dict[tuple[str, str], np.ndarray],
    n: int,
) -> list[tuple[str, str]]:
    stimuli = pd.DataFrame({"stimulus_id": [name for owner, name in main if owner == subject]})
    items = profile.items
    own = items[
        (items["dataset"] == dataset)
        & (items["task"] == "reconstruction")
        & (items["method"] == method)
        & (items["subject"] == subject)
        & items["stimulus_id"].isin(stimuli["stimulus_id"])
    ]
    ranked = rank_items(own)
    table = best_median_worst(ranked, n)["median"] if len(ranked) else evenly_spaced(stimuli, n)
    return [(subject, stimulus) for stimulus in table["stimulus_id"]]
