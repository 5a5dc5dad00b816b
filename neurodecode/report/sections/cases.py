"""Reconstructions beside what was seen: best, median and worst of each subject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurodecode.analysis.cases import best_median_worst, evenly_spaced, rank_items
from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import is_control, order_methods
from neurodecode.analysis.sources import PredictionSource
from neurodecode.report.glossary import Metric, format_value, method_label, metric
from neurodecode.report.pictures import Picture, picture_uri

__all__ = [
    "Case",
    "CaseGroup",
    "SubjectCases",
    "ordered_reconstructions",
    "shelve",
    "subject_cases",
]

#: Pictures by subject and stimulus.
_Shelf = dict[tuple[str, str], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One test picture with what was made of it.

    Parameters
    ----------
    score : str
        Value by which it was ranked, printed.
    pictures : list of Picture
        In the order of the rows of its subject; without a source where there is none.
    """

    score: str
    pictures: list[Picture]


@dataclass(frozen=True)
class CaseGroup:
    """Best, median or worst cases.

    Parameters
    ----------
    name : str
        Which.
    cases : list of Case
        Best first.
    """

    name: str
    cases: list[Case]


@dataclass(frozen=True)
class SubjectCases:
    """Cases of one subject.

    Parameters
    ----------
    dataset, subject : str
        Whose.
    criterion : str
        How the pictures were ranked, in a sentence.
    rows : list of str
        Names of the rows: seen, low level, reconstructions.
    groups : list of CaseGroup
        Best, median, worst.
    """

    dataset: str
    subject: str
    criterion: str
    rows: list[str]
    groups: list[CaseGroup]


def ordered_reconstructions(profile: Profile, dataset: str) -> list[PredictionSource]:
    """List the files with pictures of a data set, controls last.

    Parameters
    ----------
    profile : Profile
        The results.
    dataset : str
        Registry name of the data set.

    Returns
    -------
    list of PredictionSource
        In the order of the story; the first is the one that ranks the cases.
    """
    sources = [s for s in profile.reconstructions if profile.dataset_of(s) == dataset]
    controls = [source.method for source in sources if is_control(source.method, source.attrs)]
    order = order_methods([source.method for source in sources], controls)
    return sorted(sources, key=lambda source: (order.index(source.method), str(source.path)))


def _row_name(number: int, source: PredictionSource) -> str:
    """Name a row of pictures: the first file holds the reconstructions the page is about."""
    return "Reconstruction" if number == 0 else method_label(source.method)


def shelve(sources: list[PredictionSource]) -> dict[str, _Shelf]:
    """Sort all pictures of some files into rows.

    Parameters
    ----------
    sources : list of PredictionSource
        Files with ``images``; the first, whose ``low_level`` pictures are taken too, holds the
        reconstructions that the page is about.

    Returns
    -------
    dict of str to dict
        Name of the row -> (subject, stimulus) -> picture.
    """
    rows: dict[str, _Shelf] = {}
    for number, source in enumerate(sources):
        wanted = {"images": _row_name(number, source)}
        if number == 0:
            wanted = {"low_level": "Low level", **wanted}
        for array, row in wanted.items():
            if array not in source.array_names:
                continue
            shelf = rows.setdefault(row, {})
            for prediction in source.read([array]):
                for stimulus, picture in zip(
                    prediction.stimulus_id, prediction.arrays[array], strict=True
                ):
                    shelf[prediction.subject, str(stimulus)] = picture
    return rows


def _groups(
    items: pd.DataFrame, stimuli: list[str], n: int
) -> tuple[str, Metric | None, dict[str, pd.DataFrame]]:
    ranked = rank_items(items[items["stimulus_id"].isin(stimuli)])
    if len(ranked):
        shown = metric(ranked["metric"].iloc[0])
        text = f"Ranked by {shown.label} of each picture: {shown.definition}"
        if ranked["tie_breaker"].iloc[0]:
            text += f"; between equals, by {metric(ranked['tie_breaker'].iloc[0]).label}"
        text += "."
        return text, shown, best_median_worst(ranked, n)
    text = "No score for single pictures: taken at equal distances in the order of their ids."
    chosen = evenly_spaced(pd.DataFrame({"stimulus_id": sorted(stimuli)}), 3 * n)
    return text, None, {"chosen by id": chosen.assign(value=float("nan"))}


def subject_cases(profile: Profile, dataset: str, n: int = 4) -> list[SubjectCases]:
    """Gather the cases of every subject of a data set.

    Parameters
    ----------
    profile : Profile
        The results.
    dataset : str
        Registry name of the data set.
    n : int
        Cases of each group.

    Returns
    -------
    list of SubjectCases
        Empty for a data set without reconstructions.
    """
    sources = ordered_reconstructions(profile, dataset)
    if not sources:
        return []
    rows = shelve(sources)
    items = profile.items[
        (profile.items["dataset"] == dataset)
        & (profile.items["task"] == "reconstruction")
        & (profile.items["method"] == sources[0].method)
    ]
    main = rows[_row_name(0, sources[0])]
    found = []
    for subject in sorted({subject for subject, _ in main}):
        stimuli = [stimulus for name, stimulus in main if name == subject]
        own = items[items["subject"] == subject]
        criterion, shown, groups = _groups(own, stimuli, n)
        found.append(
            SubjectCases(
                dataset=dataset,
                subject=subject,
                criterion=criterion,
                rows=["Seen", *rows],
                groups=[
                    CaseGroup(name, _cases(profile, dataset, subject, table, rows, shown))
                    for name, table in groups.items()
                ],
            )
        )
    return found


def _cases(
    profile: Profile,
    dataset: str,
    subject: str,
    table: pd.DataFrame,
    rows: dict[str, _Shelf],
    shown: Metric | None,
) -> list[Case]:
    folder = profile.stores[dataset]
    seen = folder.images(list(table["stimulus_id"]))
    cases = []
    for row, picture in zip(table.itertuples(), seen, strict=True):
        about = folder.describe(row.stimulus_id)
        pictures = [{"src": picture_uri(picture), "alt": f"Seen: {about}"}]
        for name, shelf in rows.items():
            made = shelf.get((subject, row.stimulus_id))
            src = "" if made is None else picture_uri(made)
            pictures.append({"src": src, "alt": f"{name} of: {about}"})
        score = "" if shown is None else format_value(row.value, shown)
        cases.append(Case(score=score, pictures=pictures))
    return cases
