"""Where the numbers came from: data sets, subjects, files, splits."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from neurodecode.analysis.ceilings import ceiling_table
from neurodecode.analysis.profile import Profile
from neurodecode.analysis.stores import StoreFolder

__all__ = ["DataCard", "SubjectData", "data_cards"]

_MODALITIES = {"fmri": "fMRI", "meg": "MEG", "eeg": "EEG", "ieeg": "intracranial EEG"}


@dataclass(frozen=True)
class SubjectData:
    """Recording of one subject, printed.

    Parameters
    ----------
    subject : str
        Whose.
    n_trials, n_features, n_sessions, n_stimuli : str
        Sizes.
    test : str
        Test stimuli and the repeats behind them.
    ceiling : str
        Median noise ceiling of the averages that were tested; empty where unknown.
    """

    subject: str
    n_trials: str
    n_features: str
    n_sessions: str
    n_stimuli: str
    test: str
    ceiling: str


@dataclass(frozen=True)
class DataCard:
    """One data set.

    Parameters
    ----------
    dataset : str
        Registry name.
    summary, licence : str
        From the reader; empty for a data set without one.
    modality, units : str
        What was recorded.
    has_pictures : bool
        Whether the stimuli are there as pictures.
    subjects : list of SubjectData
        One each.
    split : str
        How it was divided, in a sentence.
    sources : list of tuple of str
        Files with their SHA-256.
    """

    dataset: str
    summary: str
    licence: str
    modality: str
    units: str
    has_pictures: bool
    subjects: list[SubjectData]
    split: str
    sources: list[tuple[str, str]]


def data_cards(profile: Profile, datasets: list[str]) -> list[DataCard]:
    """Describe every data set whose stores are there.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of DataCard
        One for each that has stores.
    """
    return [_card(name, profile.stores[name]) for name in datasets if name in profile.stores]


def _card(name: str, folder: StoreFolder) -> DataCard:
    summary, licence = _about(name)
    table = folder.summary()
    return DataCard(
        dataset=name,
        # "fMRI, ..." keeps its small letter at the beginning of a sentence
        summary=summary[:1].upper() + summary[1:] if summary[1:2].islower() else summary,
        licence=licence,
        modality=", ".join(sorted({_MODALITIES.get(name, name) for name in table["modality"]})),
        units=", ".join(sorted(set(table["units"]))),
        has_pictures=folder.stimuli is not None,
        subjects=_subjects(folder, table),
        split=_split(folder),
        sources=_sources(folder),
    )


def _about(name: str) -> tuple[str, str]:
    from neurodecode.datasets import DATASETS

    reader = dict(DATASETS).get(name)
    return (reader.summary, reader.licence) if reader else ("", "")


def _subjects(folder: StoreFolder, table: pd.DataFrame) -> list[SubjectData]:
    ceilings = ceiling_table(folder).set_index("subject")
    sizes = folder.split_sizes()
    found = []
    for row in table.itertuples():
        own = sizes[(sizes["subject"] == row.subject) & (sizes["side"] == "test")]
        trials, stimuli = int(own["n_trials"].sum()), int(own["n_stimuli"].sum())
        ceiling = ""
        if row.subject in ceilings.index:
            ceiling = f"{100 * ceilings.loc[row.subject, 'median']:.1f}\N{NARROW NO-BREAK SPACE}%"
        found.append(
            SubjectData(
                subject=row.subject,
                n_trials=str(row.n_trials),
                n_features=str(row.n_features),
                n_sessions=str(row.n_sessions),
                n_stimuli=str(row.n_stimuli),
                test=f"{stimuli} × {trials / max(stimuli, 1):.3g}",
                ceiling=ceiling,
            )
        )
    return found


def _split(folder: StoreFolder) -> str:
    split, unit = folder.split, {"stimulus": "stimuli"}.get(folder.split.unit, "runs")
    sizes = pd.DataFrame(
        [{side: len(keys) for side, keys in fold.sides().items()} for fold in split.folds]
    )
    parts = []
    for side in sizes:
        low, high = sizes[side].min(), sizes[side].max()
        parts.append(f"{low if low == high else f'{low} to {high}'} {side}")
    folds = "1 fold" if len(split.folds) == 1 else f"{len(split.folds)} folds"
    alike = f"; {len(split.duplicates)} groups of look-alikes kept together" * bool(
        split.duplicates
    )
    return f"Scheme {split.scheme}, {folds}, {unit} a fold: {', '.join(parts)}{alike}."


def _sources(folder: StoreFolder) -> list[tuple[str, str]]:
    found = {
        (source["file"], source["sha256"])
        for store in folder.responses.values()
        for source in store.sources
    }
    return sorted(found)
