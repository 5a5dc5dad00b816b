"""The stores of one data set, as one object: who, which stimuli, which split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from neurodecode.errors import DataError
from neurodecode.recording import StimulusSet
from neurodecode.splits.files import read_split
from neurodecode.splits.types import SIDES, Split
from neurodecode.store import ResponseStore, read_stimuli

__all__ = ["StoreFolder"]


@dataclass(frozen=True)
class StoreFolder:
    """What `neurodecode prepare` wrote for one data set.

    Parameters
    ----------
    path : Path
        Folder with ``sub-<subject>.h5``, ``stimuli.h5`` and ``splits.json``.
    """

    path: Path

    @cached_property
    def responses(self) -> dict[str, ResponseStore]:
        """Store of each subject, sorted by subject; no response is read yet."""
        files = sorted(Path(self.path).glob("sub-*.h5"))
        if not files:
            raise DataError(
                "no sub-*.h5 in this folder", file=self.path, fix="run `neurodecode prepare`"
            )
        stores = [ResponseStore(file) for file in files]
        return {store.subject: store for store in stores}

    @property
    def dataset(self) -> str:
        """Registry name of the data set."""
        return next(iter(self.responses.values())).dataset

    @property
    def subjects(self) -> list[str]:
        """Subjects, sorted."""
        return list(self.responses)

    @cached_property
    def stimuli(self) -> StimulusSet | None:
        """The stimuli, or None for a data set without pictures; pixels stay on disk."""
        file = Path(self.path) / "stimuli.h5"
        return read_stimuli(file) if file.is_file() else None

    @cached_property
    def split(self) -> Split:
        """The division into training, validation and test."""
        return read_split(Path(self.path) / "splits.json")

    def images(self, ids: list[str]) -> np.ndarray:
        """Pictures of some stimuli.

        Parameters
        ----------
        ids : list of str of length n
            Stimulus ids, in any order, repeats allowed.

        Returns
        -------
        array of uint8 of shape (n, height, width, 3)
            RGB pixels.

        Raises
        ------
        DataError
            If the data set has no pictures, or none of that id.
        """
        if self.stimuli is None:
            raise DataError("this data set has no pictures", file=self.path, field="stimuli.h5")
        return np.asarray(self.stimuli.images[self.stimuli.rows(ids)])

    def caption(self, stimulus: str) -> str:
        """First caption of a stimulus.

        Parameters
        ----------
        stimulus : str
            Stimulus id.

        Returns
        -------
        str
            Empty where there is none.
        """
        if self.stimuli is None or self.stimuli.captions is None:
            return ""
        captions = self.stimuli.captions[int(self.stimuli.rows([stimulus])[0])]
        return captions[0] if captions else ""

    def describe(self, stimulus: str) -> str:
        """Say in words what a stimulus is, for those who cannot see it.

        Parameters
        ----------
        stimulus : str
            Stimulus id.

        Returns
        -------
        str
            Its caption, else its name, else its category, else its id.
        """
        if (caption := self.caption(stimulus)) or self.stimuli is None:
            return caption or stimulus
        row = int(self.stimuli.rows([stimulus])[0])
        for values in (self.stimuli.names, self.stimuli.categories):
            if values is not None and values[row]:
                return str(values[row])
        return stimulus

    def category(self) -> pd.Series:
        """Category of every stimulus.

        Returns
        -------
        Series of str, indexed by stimulus id
            Empty where the data set has no categories.
        """
        if self.stimuli is None or self.stimuli.categories is None:
            return pd.Series(dtype="str", name="category")
        return pd.Series(
            list(self.stimuli.categories),
            index=list(self.stimuli.ids),
            name="category",
            dtype="str",
        )

    def summary(self) -> pd.DataFrame:
        """Size of each subject's recording.

        Returns
        -------
        DataFrame
            Columns dataset, subject, modality, units, n_trials, n_features, n_sessions, n_runs,
            n_stimuli, n_averaged (repeats already averaged by the publisher), dtype.
        """
        return pd.DataFrame(
            [
                {
                    "dataset": store.dataset,
                    "subject": subject,
                    "modality": store.modality,
                    "units": store.units,
                    "n_trials": store.n_trials,
                    "n_features": store.n_features,
                    "n_sessions": len(np.unique(store.session)),
                    "n_runs": len(np.unique(np.stack([store.session, store.run]), axis=1).T),
                    "n_stimuli": len(np.unique(store.stimulus_id)),
                    "n_averaged": store.n_averaged,
                    "dtype": str(store.dtype),
                }
                for subject, store in self.responses.items()
            ]
        )

    def split_sizes(self) -> pd.DataFrame:
        """Count the trials and stimuli on each side of each fold.

        Returns
        -------
        DataFrame
            Columns dataset, subject, fold, side, n_trials, n_stimuli.
        """
        rows = []
        for subject, store in self.responses.items():
            for fold in range(len(self.split.folds)):
                sides = self.split.trials(fold, store)
                for side in SIDES:
                    stimuli = np.unique(store.stimulus_id[sides[side]])
                    counts = (len(sides[side]), len(stimuli))
                    rows.append((self.dataset, subject, fold, side, *counts))
        columns = ["dataset", "subject", "fold", "side", "n_trials", "n_stimuli"]
        return pd.DataFrame(rows, columns=columns)
