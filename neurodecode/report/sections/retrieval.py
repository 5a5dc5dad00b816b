"""What was retrieved: the picture seen, and the five candidates that came first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurodecode.analysis.cases import evenly_spaced
from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import control_methods, order_methods
from neurodecode.analysis.retrieval import retrieval_lists
from neurodecode.analysis.stores import StoreFolder
from neurodecode.report.glossary import method_label
from neurodecode.report.pictures import Picture, picture_uri

__all__ = ["MethodRetrieval", "RetrievalRow", "SubjectRetrieval", "method_retrieval"]


@dataclass(frozen=True)
class RetrievalRow:
    """One test stimulus.

    Parameters
    ----------
    seen : Picture
        What was seen.
    found : list of Picture
        The best candidates, best first.
    place : int
        Which of them is the right one, counted from 0; -1 if none is.
    rank : str
        Rank of the right one among all candidates.
    caption : str
        What is in the picture, where somebody said so.
    """

    seen: Picture
    found: list[Picture]
    place: int
    rank: str
    caption: str


@dataclass(frozen=True)
class SubjectRetrieval:
    """Rows of one subject.

    Parameters
    ----------
    subject : str
        Whose.
    rows : list of RetrievalRow
        Chosen without looking at the result.
    """

    subject: str
    rows: list[RetrievalRow]


@dataclass(frozen=True)
class MethodRetrieval:
    """Rows of one method on one data set.

    Parameters
    ----------
    dataset, method, label : str
        Which.
    n_candidates : int
        Among how many candidates each picture was sought.
    subjects : list of SubjectRetrieval
        In the order of their names.
    """

    dataset: str
    method: str
    label: str
    n_candidates: int
    subjects: list[SubjectRetrieval]


def method_retrieval(profile: Profile, dataset: str, n: int = 4) -> list[MethodRetrieval]:
    """Gather the retrieval rows of every method on a data set.

    Parameters
    ----------
    profile : Profile
        The results.
    dataset : str
        Registry name of the data set.
    n : int
        Rows of each subject, the same stimuli for all methods.

    Returns
    -------
    list of MethodRetrieval
        Controls left out. Empty for a data set without pictures or without retrieval.
    """
    folder = profile.stores.get(dataset)
    table = profile.candidates[profile.candidates["dataset"] == dataset]
    if folder is None or folder.stimuli is None or not len(table):
        return []
    controls = control_methods(profile.records)
    table = table[~table["method"].isin(controls)]
    found = []
    for method in order_methods(list(table["method"]), controls):
        own = table[table["method"] == method]
        found.append(
            MethodRetrieval(
                dataset=dataset,
                method=method,
                label=method_label(method),
                n_candidates=int(own["n_candidates"].max()),
                subjects=[
                    SubjectRetrieval(str(subject), _rows(folder, evenly_spaced(rows, n)))
                    for subject, rows in own.groupby("subject", sort=True)
                ],
            )
        )
    return found


def _picture(folder: StoreFolder, stimulus: str, pixels: np.ndarray, role: str) -> Picture:
    return {"src": picture_uri(pixels), "alt": f"{role}: {folder.describe(stimulus)}"}


def _rows(folder: StoreFolder, table: pd.DataFrame) -> list[RetrievalRow]:
    rows = []
    for row in retrieval_lists(table).itertuples():
        names = [row.stimulus_id, *row.top5]
        seen, *candidates = folder.images(names)
        found = [
            _picture(folder, stimulus, pixels, f"Candidate {number}")
            for number, (stimulus, pixels) in enumerate(zip(row.top5, candidates, strict=True), 1)
        ]
        rows.append(
            RetrievalRow(
                seen=_picture(folder, row.stimulus_id, seen, "Seen"),
                found=found,
                place=row.place,
                rank=f"{row.rank:g}",
                caption=folder.caption(row.stimulus_id),
            )
        )
    return rows
