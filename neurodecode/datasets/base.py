"""The one contract of every data-set reader, and the registry they are filed in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from neurodecode.errors import ConfigError, DataError
from neurodecode.recording import Recording, StimulusSet
from neurodecode.registry import Registry

if TYPE_CHECKING:
    from neurodecode.preprocess.recipe import Recipe

__all__ = ["DATASETS", "DatasetReader", "load"]


class DatasetReader(ABC):
    """Reads one published layout as it is.

    A reader is made with the folder of the data set and reads as little as it can until it is
    asked. Stimuli are named by content: the same picture under two names, or shown to two
    subjects, has one id.

    Parameters
    ----------
    root : path-like
        Folder of the data set, as its publisher lays it out.

    Raises
    ------
    DataError
        If the folder is not there or is not laid out as published; the text says how to get it.
    """

    name: ClassVar[str]
    """Name in the registry."""
    summary: ClassVar[str]
    """One line: who saw what, recorded how."""
    licence: ClassVar[str]
    """Under which terms the data may be used, in a few words."""
    how_to_get: ClassVar[str]
    """Where the data set is, what must be accepted, and where its files belong."""
    split_scheme: ClassVar[str]
    """How the field splits it: a name in `neurodecode.splits.SCHEMES`."""
    quiet: bool = True
    """Whether to show no progress while reading; a caller may set it."""
    more_pictures: ClassVar[bool] = False
    """Whether the data set has pictures that nobody was shown; then `stimuli` knows `n_unshown`."""
    recipe: Recipe | None = None
    """How a recording becomes epochs, for MEG and EEG; `prepare` does what it fits."""
    layouts: ClassVar[tuple[tuple[str, ...], ...]]
    """Glob patterns; a folder in which each pattern of one layout matches holds the data set."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if not self._is_in(self.root):
            raise DataError(
                f"not the layout of {self.name}, there is no {self.looked_for()}",
                file=self.root,
                fix=self.how_to_get,
            )

    @property
    @abstractmethod
    def subjects(self) -> Sequence[str]:
        """Names of the subjects whose files are there, sorted."""

    @abstractmethod
    def recording(self, subject: str) -> Recording:
        """Open the recording of one subject.

        Parameters
        ----------
        subject : str
            One of `subjects`.

        Returns
        -------
        Recording
            Responses that are read in slices, with what is known about trials and features.

        Raises
        ------
        DataError
            If the subject is unknown, or a file is missing, broken or does not fit the others.
        """

    @abstractmethod
    def stimuli(self, subjects: Iterable[str] | None = None) -> StimulusSet | None:
        """Open the stimuli, each content once.

        Parameters
        ----------
        subjects : iterable of str, optional
            Only what these subjects were shown; everybody by default.

        Returns
        -------
        StimulusSet or None
            The stimuli; None for a data set that is published without pictures.
        """

    def test_stimuli(self) -> Collection[str] | None:
        """Content ids that the publisher sets aside for testing.

        Returns
        -------
        collection of str or None
            None where the publisher does not say.
        """
        return None

    def check_subject(self, subject: str) -> None:
        """Refuse a subject that is not there.

        Parameters
        ----------
        subject : str
            Name of a subject.

        Raises
        ------
        DataError
            If it is unknown; the known ones are listed.
        """
        if subject not in self.subjects:
            raise DataError(
                f"unknown subject; known: {', '.join(self.subjects) or 'none'}",
                file=self.root,
                subject=subject,
            )

    @classmethod
    def find(cls, folder: str | Path) -> Path | None:
        """Look for this data set in a folder and in the folders directly below it.

        Parameters
        ----------
        folder : path-like
            Where to look.

        Returns
        -------
        Path or None
            The data set's root folder, or None if it is not there.
        """
        folder = Path(folder)
        below = sorted(path for path in folder.glob("*") if path.is_dir())
        for candidate in (folder, *below):
            if cls._is_in(candidate):
                return candidate
        return None

    @classmethod
    def looked_for(cls) -> str:
        """Say which files tell that the data set is there.

        Returns
        -------
        str
            Glob patterns, in words.
        """
        return ", or no ".join(" and ".join(layout) for layout in cls.layouts)

    @classmethod
    def _is_in(cls, folder: Path) -> bool:
        return any(all(any(folder.glob(p)) for p in layout) for layout in cls.layouts)


DATASETS: Registry[type[DatasetReader]] = Registry("data set")
"""Name -> reader class."""


def load(name: str, root: str | Path, **options: Any) -> DatasetReader:
    """Open a data set.

    Parameters
    ----------
    name : str
        A name in `DATASETS`.
    root : path-like
        Folder of the data set.
    **options
        What this reader accepts beside `root`, e.g. ``betas=`` for NSD.

    Returns
    -------
    DatasetReader
        The reader.

    Raises
    ------
    ConfigError
        If there is no such data set, or it has no such option.
    DataError
        If the folder does not hold the data set.
    """
    reader = DATASETS[name]
    try:
        return reader(root, **options)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise ConfigError(f"data set {name}: {error}") from error
