"""What a split is: folds of three sides, and which trials belong to each side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from neurodecode.errors import ConfigError, DataError

__all__ = ["SIDES", "Fold", "Split", "Trials", "run_keys"]

SIDES: tuple[str, ...] = ("train", "validation", "test")
"""The sides of a fold."""


class Trials(Protocol):
    """What a split needs to know of a subject: a `Recording` or a `ResponseStore` will do."""

    stimulus_id: np.ndarray
    session: np.ndarray
    run: np.ndarray


@dataclass(frozen=True)
class Fold:
    """One division of a data set.

    Parameters
    ----------
    train, validation, test : tuple of str
        Stimulus ids, or names of runs as `run_keys` gives them; disjoint, sorted.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """Digest of the three sides: what was made for one division fits no other."""
        sides = json.dumps(self.sides(), sort_keys=True)
        return hashlib.blake2b(sides.encode(), digest_size=16).hexdigest()

    def sides(self) -> dict[str, tuple[str, ...]]:
        """Return the three sides by name.

        Returns
        -------
        dict of str to tuple of str
            ``train``, ``validation`` and ``test``.
        """
        return {side: getattr(self, side) for side in SIDES}


@dataclass(frozen=True)
class Split:
    """How a data set is divided, for every subject alike.

    Parameters
    ----------
    scheme : str
        Name of the scheme that made it.
    unit : {"stimulus", "run"}
        What the sides list.
    folds : tuple of Fold
        One or more divisions.
    seed : int
        Seed of the random choices.
    duplicates : tuple of tuple of str
        Groups of stimuli that look the same and were kept on one side.
    groups : tuple of tuple of str
        Stimuli, shown or not, that have to be on one side although they look different: those of
        one category.
    info : mapping
        Anything else worth keeping, as plain JSON values.
    """

    scheme: str
    unit: str
    folds: tuple[Fold, ...]
    seed: int = 0
    duplicates: tuple[tuple[str, ...], ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)

    def keys(self, trials: Trials) -> np.ndarray:
        """Name what decides about each trial: its stimulus, or its run.

        Parameters
        ----------
        trials : Trials
            Recording or store of one subject.

        Returns
        -------
        array of str of shape (n_trials,)
            Keys as listed in the folds.
        """
        if self.unit == "run":
            return run_keys(trials.session, trials.run)
        return np.asarray(trials.stimulus_id).astype(str)

    def trials(self, fold: int, trials: Trials) -> dict[str, np.ndarray]:
        """Trials of a subject on each side of a fold.

        Parameters
        ----------
        fold : int
            Which fold.
        trials : Trials
            Recording or store of one subject.

        Returns
        -------
        dict of str to array of int
            Increasing trial numbers for ``train``, ``validation`` and ``test``; every trial is
            in exactly one.

        Raises
        ------
        DataError
            If the split does not know the stimulus or run of a trial.
        """
        side_of = {key: side for side, keys in self.folds[fold].sides().items() for key in keys}
        keys = self.keys(trials)
        sides = np.array([side_of.get(key, "") for key in keys])
        if (sides == "").any():
            unknown = np.flatnonzero(sides == "")
            raise DataError(
                f"{len(unknown)} trials belong to no side, first: {self.unit} {keys[unknown[0]]}",
                subject=getattr(trials, "subject", None),
                field="splits",
                fix="run `neurodecode prepare` again",
            )
        return {side: np.flatnonzero(sides == side) for side in SIDES}

    @property
    def stimuli(self) -> list[str]:
        """Stimuli that somebody was shown, sorted.

        Raises
        ------
        ConfigError
            If the split is one of runs, which does not list them.
        """
        self._refuse_runs()
        return sorted(set().union(*self.folds[0].sides().values()))

    def _refuse_runs(self) -> None:
        if self.unit != "stimulus":
            raise ConfigError(
                f"split {self.scheme} divides runs, not stimuli: training and test share theirs"
            )

    def pool(self, fold: int, stimuli: Collection[str]) -> list[str]:
        """Stimuli that training may use whether or not there are responses to them.

        Parameters
        ----------
        fold : int
            Which fold.
        stimuli : collection of str
            All stimuli of the data set, shown or not.

        Returns
        -------
        list of str
            Training stimuli, and those that nobody was shown unless they look like one that is
            held out or belong to a held-out group; sorted.

        Raises
        ------
        ConfigError
            If the split is one of runs: then every stimulus may be on both sides.
        """
        self._refuse_runs()
        division = self.folds[fold]
        held_out = {*division.validation, *division.test}
        together = (*self.duplicates, *self.groups)
        alike = {name for group in together if held_out & set(group) for name in group}
        return sorted(set(stimuli) - held_out - alike)


def run_keys(session: Sequence[int] | np.ndarray, run: Sequence[int] | np.ndarray) -> np.ndarray:
    """Name the run of each trial.

    Parameters
    ----------
    session, run : sequence of int of length n_trials
        Where each trial was recorded.

    Returns
    -------
    array of str of shape (n_trials,)
        ``ses-01_run-07``.
    """
    pairs = zip(np.asarray(session), np.asarray(run), strict=True)
    return np.array([f"ses-{int(s):02d}_run-{int(r):02d}" for s, r in pairs])
