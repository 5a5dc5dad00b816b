"""What stands between the samples of an amplifier and a decoder: recipe, sensors, statistics."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodecode.errors import DataError
from neurodecode.preprocess.epochs import refer, unusable
from neurodecode.preprocess.fitted import FittedSteps
from neurodecode.preprocess.recipe import Recipe, recipe_from_plain
from neurodecode.store import ResponseStore
from neurodecode.store.hdf5 import get_dataset, read_strings, write_strings

__all__ = ["FrontEnd"]

_CONSTANTS = ("fitted_centre", "fitted_width", "fitted_whitener")


@dataclass(frozen=True)
class FrontEnd:
    """Everything needed to prepare further trials of a subject as those of a store were.

    Parameters
    ----------
    recipe : Recipe
        What was done to the recording.
    names, types : tuple of str of length n_channels
        Channels in the order of the decoder; ``eeg``, ``mag`` or ``grad``.
    position : array of shape (n_channels, 3)
        Metres in head coordinates, NaN where unknown.
    sfreq : float
        Sampling rate of a trial in Hz.
    n_times : int
        Samples of a trial.
    steps : FittedSteps
        What was fitted to training trials; without sessions if nothing was.
    """

    recipe: Recipe
    names: tuple[str, ...]
    types: tuple[str, ...]
    position: np.ndarray
    sfreq: float
    n_times: int
    steps: FittedSteps

    @classmethod
    def from_store(cls, store: ResponseStore) -> FrontEnd:
        """Read what a prepared store says of itself.

        Parameters
        ----------
        store : ResponseStore
            Epochs of MEG or EEG.

        Returns
        -------
        FrontEnd
            Of its subject.

        Raises
        ------
        DataError
            If the store was not made from continuous recordings, or by an older version that kept
            no statistics.
        """
        told = store.info.get("preprocess", {}).get("recipe")
        if store.sfreq is None or told is None or len(store.shape) != 3:
            raise DataError(
                "store was not cut out of continuous MEG or EEG by a recipe",
                file=store.path,
                subject=store.subject,
                fix="a stream needs a decoder of such a store",
            )
        recipe, known = recipe_from_plain(told), store.feature_names()
        constants = {name: store.feature(name) for name in _CONSTANTS if name in known}
        sessions = store.info["preprocess"].get("fitted", {}).get("sessions", [])
        return cls._checked(
            recipe, store.feature("name"), store.feature("type"), store.feature("position"),
            store.sfreq, store.shape[2], sessions, constants, store.path,
        )  # fmt: skip

    @classmethod
    def _checked(
        cls, recipe: Recipe, names: Any, types: Any, position: np.ndarray, sfreq: float,
        n_times: int, sessions: list[int], constants: dict[str, np.ndarray], file: str | Path,
    ) -> FrontEnd:  # fmt: skip
        wanted = [*_CONSTANTS[:2], *_CONSTANTS[2:] * (recipe.whiten is not None)]
        lost = [name for name in wanted if name not in constants] if recipe.is_fitted else []
        shape = (len(names), len(sessions))
        wrong = [name for name, each in constants.items() if each.shape[:2] != shape]
        square = constants.get("fitted_whitener", np.empty((*shape, len(names))))
        if lost or wrong or square.shape[-1] != len(names):
            raise DataError(
                "statistics of the training trials are missing or of other channels",
                file=file,
                field=(lost or wrong or ["fitted_whitener"])[0],
                fix="prepare the data set again, and do not drop channels afterwards",
            )
        steps = FittedSteps.from_constants(recipe, sessions if recipe.is_fitted else [], constants)
        return cls(recipe, tuple(map(str, names)), tuple(map(str, types)),
                   np.asarray(position, dtype=np.float64), sfreq, n_times, steps)  # fmt: skip

    def finish(self, epoch: np.ndarray, session: int) -> tuple[np.ndarray, str]:
        """Do to one cut epoch what `epoch_run` and the fitted steps do to all.

        Parameters
        ----------
        epoch : array of shape (n_channels, n_times)
            In V, T or T/m, filtered, at the rate of the trials.
        session : int
            Whose statistics are used.

        Returns
        -------
        trial : array of float32 of shape (n_channels, n_times)
            As a trial of the store.
        reason : str
            Why it should not be used; empty if it may be.
        """
        data, types = epoch[None].astype(np.float32), np.array(self.types)
        refer(data, types, self.recipe, self.sfreq)
        reason = str(unusable(data, types, self.recipe)[0])
        if reason != "not finite" and self.steps.sessions:
            data = self.steps.apply(data, np.array([session]))
        return data[0], reason

    def write(self, group: h5py.Group) -> None:
        """Write into a group of an HDF5 file.

        Parameters
        ----------
        group : h5py.Group
            Empty.
        """
        group.attrs.update(
            recipe=json.dumps(self.recipe.plain()),
            sfreq=self.sfreq,
            n_times=self.n_times,
            sessions=json.dumps(sorted(self.steps.sessions)),
        )
        write_strings(group, "name", list(self.names))
        write_strings(group, "type", list(self.types))
        group["position"] = self.position
        if self.steps.sessions:
            for name, values in self.steps.constants().items():
                group[name] = values

    @classmethod
    def read(cls, group: h5py.Group) -> FrontEnd:
        """Undo `write`.

        Parameters
        ----------
        group : h5py.Group
            From `write`.

        Returns
        -------
        FrontEnd
            The same.

        Raises
        ------
        DataError
            If something is missing or broken.
        """
        file = group.file.filename
        try:
            recipe = recipe_from_plain(json.loads(group.attrs["recipe"]))
            sessions = [int(number) for number in json.loads(group.attrs["sessions"])]
            sfreq, n_times = float(group.attrs["sfreq"]), int(group.attrs["n_times"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"entry is missing or wrong ({error})", file=file, fix="export the decoder again"
            ) from error
        constants = {name: group[name][...] for name in _CONSTANTS if name in group}
        names, types = (read_strings(group[name]) for name in ("name", "type"))
        position = get_dataset(group, "position")[...]
        return cls._checked(
            recipe, names, types, position, sfreq, n_times, sessions, constants, file
        )
