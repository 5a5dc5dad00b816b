"""Epochs that others have cut: MNE's FIF files with metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.datasets.base import DATASETS, DatasetReader
from neurodecode.datasets.images import image_side
from neurodecode.datasets.lazy_epochs import (
    EpochsPart,
    epochs_part,
    epochs_recording,
    metadata_column,
    open_epochs,
)
from neurodecode.datasets.names import entity, natural, natural_text, number_in
from neurodecode.datasets.pictures import PictureFolder
from neurodecode.errors import DataError
from neurodecode.recording import Recording, StimulusSet

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EpochsFif"]


@DATASETS.register("epochs")
class EpochsFif(DatasetReader):
    """Any epochs that MNE has saved, with metadata that says what was shown.

    Parameters
    ----------
    root : path-like
        Folder with ``*-epo.fif`` or ``*_epo.fif``; the subject is the entity ``sub-`` of the
        file name, or a column of the metadata.
    stimulus : str
        Column of the metadata with the picture of each epoch (a path inside `pictures`), or,
        if there are no pictures, its category.
    subject : str
        Column with the subject of each epoch, for files of several subjects.
    pictures : path-like, optional
        Folder of the pictures; ``stimuli`` inside the root by default.
    image_size : int, optional
        Crop and resize the pictures to this many pixels.
    """

    name = "epochs"
    summary = "any MEG or EEG study whose epochs were saved by MNE, with metadata"
    licence = "that of the study"
    how_to_get = (
        "save epochs with epochs.metadata (a column stim_file) as sub-<name>*-epo.fif, and place"
        " the pictures that it names in stimuli/"
    )
    split_scheme = "kfold"
    layouts = (("*-epo.fif",), ("*_epo.fif",), ("sub-*/**/*epo.fif",))

    def __init__(
        self,
        root: str | Path,
        stimulus: str = "stim_file",
        subject: str = "",
        pictures: str | Path | None = None,
        image_size: int | str | None = None,
    ) -> None:
        super().__init__(root)
        self._stimulus, self._subject_column = stimulus, subject
        folder = self.root / "stimuli" if pictures is None else Path(pictures)
        self._pictures = PictureFolder(folder, image_side(image_size)) if folder.is_dir() else None

    @cached_property
    def _files(self) -> list[Path]:
        found = {*self.root.glob("**/*-epo.fif"), *self.root.glob("**/*_epo.fif")}
        return sorted(found, key=natural)

    @cached_property
    def subjects(self) -> Sequence[str]:
        """Subjects in the names of files, or in the metadata, sorted."""
        if not self._subject_column:
            return sorted({_subject_of(file) for file in self._files})
        found: set[str] = set()
        for file in self._files:
            table = open_epochs(file).metadata
            found.update(metadata_column(table, self._subject_column, file, ""))
        return sorted(found)

    def _parts(self, subject: str) -> list[tuple[EpochsPart, pd.DataFrame]]:
        files = self._files
        if not self._subject_column:
            files = [file for file in files if _subject_of(file) == subject]
        parts = []
        for file in files:
            epochs = open_epochs(file, subject)
            table = epochs.metadata
            rows = np.arange(len(epochs))
            if self._subject_column:
                names = metadata_column(table, self._subject_column, file, subject)
                rows = np.flatnonzero(np.array(names) == subject)
            if len(rows):
                parts.append((epochs_part(file, epochs, rows), table.iloc[rows]))
        return parts

    def check_subject(self, subject: str) -> None:
        """Refuse a subject that no file and no metadata knows; see `DatasetReader`."""
        if self._subject_column and subject not in self.subjects:
            raise DataError(
                f"subject is missing from the metadata; there are: {', '.join(self.subjects)}",
                file=self.root,
                subject=subject,
                field=self._subject_column,
            )
        super().check_subject(subject)

    def recording(self, subject: str) -> Recording:
        """Open one subject; see `DatasetReader.recording`."""
        self.check_subject(subject)
        parts = self._parts(subject)
        names = [
            name
            for part, table in parts
            for name in metadata_column(table, self._stimulus, part.file, subject)
        ]
        stimulus = np.array(names) if self._pictures is None else self._pictures.of(names)
        sessions = _places(parts, "session", "ses")
        return epochs_recording(
            subject,
            [part for part, _ in parts],
            stimulus,
            session=_numbered(sessions),
            run=_numbered(_places(parts, "run", "run")),
        )

    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet | None:
        """Open the pictures; see `DatasetReader.stimuli`."""
        names: set[str] = set()
        for subject in self.subjects if subjects is None else subjects:
            self.check_subject(subject)
            for part, table in self._parts(subject):
                names.update(metadata_column(table, self._stimulus, part.file, subject))
        return None if self._pictures is None else self._pictures.stimuli(names)


def _subject_of(file: Path) -> str:
    stem = file.name.removesuffix("epo.fif").rstrip("-_")
    return entity(file.name, "sub", stem or file.parent.name)


def _places(parts: Sequence[tuple[EpochsPart, pd.DataFrame]], column: str, key: str) -> list[str]:
    """Session or run of each trial, from the metadata or else from the name of the file."""
    found: list[str] = []
    for part, table in parts:
        if column in table:
            found += [str(value) for value in table[column]]
        else:
            found += [entity(part.file.name, key, "1")] * len(table)
    return found


def _numbered(labels: Sequence[str]) -> np.ndarray:
    """Number labels by their digits where all have some, else in natural order, from 1."""
    numbers = {label: number_in(label) for label in labels}
    order: Callable[[str], Any] = natural_text
    if 0 in numbers.values() or len(set(numbers.values())) < len(numbers):
        numbers = {label: n for n, label in enumerate(sorted(numbers, key=order), start=1)}
    return np.array([numbers[label] for label in labels], dtype=np.int32)
