"""What every reader of a listening experiment gives, and the registry they are filed in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.errors import DataError, about
from neurodecode.preprocess.audio.features import SoundRecipe, sound_features
from neurodecode.preprocess.audio.wave import read_wave
from neurodecode.registry import Registry

__all__ = ["AUDITORY", "BIOSEMI64", "AuditoryReader"]

AUDITORY: Registry[type[AuditoryReader]] = Registry("listening data set")

#: Channels A1 to A32 and B1 to B32 of a 64-channel BioSemi cap, in this order.
_CAP = """
    Fp1 AF7 AF3 F1 F3 F5 F7 FT7 FC5 FC3 FC1 C1 C3 C5 T7 TP7 CP5 CP3 CP1 P1 P3 P5 P7 P9 PO7 PO3 O1 Iz
    Oz POz Pz CPz Fpz Fp2 AF8 AF4 AFz Fz F2 F4 F6 F8 FT8 FC6 FC4 FC2 FCz Cz C2 C4 C6 T8 TP8 CP6 CP4
    CP2 P2 P4 P6 P8 P10 PO8 PO4 O2
"""
BIOSEMI64 = tuple(_CAP.split())


class AuditoryReader(ABC):
    """Reads one published layout, trial by trial.

    Parameters
    ----------
    root : path-like
        Folder of the data set, as its publisher lays it out.

    Raises
    ------
    DataError
        If no subject is found there; the text says how to get the data.
    """

    name: ClassVar[str]
    """Name in the registry."""
    summary: ClassVar[str]
    """One line: who heard what, recorded how."""
    licence: ClassVar[str]
    """Under which terms."""
    how_to_get: ClassVar[str]
    """Where the data set is and where its files belong."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if not self.root.is_dir() or not self.subjects:
            raise DataError(
                f"not the layout of {self.name}: no subject found",
                file=self.root,
                fix=self.how_to_get,
            )
        # a story is heard in many trials: its features are computed once
        self._features = lru_cache(maxsize=256)(self._compute)

    @property
    @abstractmethod
    def subjects(self) -> Sequence[str]:
        """Names of the subjects whose files are there, in natural order."""

    @abstractmethod
    def _trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        """Read the trials of one subject."""

    def trials(self, subject: str, recipe: SoundRecipe) -> Iterator[AuditoryTrial]:
        """Read the trials of one subject, sound and brain aligned at one rate.

        Parameters
        ----------
        subject : str
            One of `subjects`.
        recipe : SoundRecipe
            Features, rate, band.

        Yields
        ------
        AuditoryTrial
            In the order of the recording.

        Raises
        ------
        DataError
            If the subject is unknown, or a file is missing, broken or does not fit the others.
        """
        if subject not in self.subjects:
            raise DataError(
                f"unknown subject; known: {', '.join(self.subjects)}",
                file=self.root,
                subject=subject,
            )
        with about(subject=subject):
            yield from self._trials(subject, recipe)

    def _compute(self, path: Path, recipe: SoundRecipe) -> np.ndarray:
        samples, rate = read_wave(path)
        with about(file=path):
            return sound_features(samples, rate, recipe)
