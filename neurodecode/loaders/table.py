"""Responses of one subject as a table, for models that are fitted to all of it at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import DataError
from neurodecode.loaders.draw import TrialDraw
from neurodecode.loaders.noise import Whitening
from neurodecode.loaders.rows import group_by_stimulus, repeat_groups
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.splits import Split
from neurodecode.store import ResponseStore

__all__ = ["RepeatAverages", "TrialTable"]


@dataclass(frozen=True)
class RepeatAverages:
    """Mean response to each stimulus.

    Parameters
    ----------
    stimulus_id : array of str of shape (n_stimuli,)
        Sorted, each once.
    responses : array of float32 of shape (n_stimuli, n_features)
        Mean over the trials of each stimulus.
    n_averaged : array of int of shape (n_stimuli,)
        How many trials that were.
    """

    stimulus_id: np.ndarray
    responses: np.ndarray
    n_averaged: np.ndarray


@dataclass(frozen=True)
class TrialTable:
    """All trials of a subject in one fold, standardised by the trials a model may learn from.

    Parameters
    ----------
    responses : array of float32 of shape (n_trials, n_features)
        Standardised responses.
    stimulus_id : array of str of shape (n_trials,)
        Stimulus of each trial.
    sides : dict of str to array of int
        Trials of ``train``, ``validation`` and ``test``.
    """

    responses: np.ndarray
    stimulus_id: np.ndarray
    sides: dict[str, np.ndarray]

    @classmethod
    def load(
        cls,
        store: ResponseStore,
        split: Split,
        fold: int,
        fit_sides: Sequence[str] = ("train", "validation"),
        draw: TrialDraw | None = None,
        whiten: Whitening | None = None,
    ) -> TrialTable:
        """Read a subject.

        Parameters
        ----------
        store : ResponseStore
            Responses of the subject; trials with a time axis become one long row.
        split : Split
            The checked split.
        fold : int
            Which fold.
        fit_sides : sequence of str
            Sides whose trials give mean and scale; never ``test``.
        draw : TrialDraw, optional
            Take these training trials only; the others are on no side then.
        whiten : {"space", "both"}, optional
            Whiten the noise of time series (`neurodecode.loaders.noise.NoiseNormaliser`).

        Returns
        -------
        TrialTable
            The table.

        Raises
        ------
        DataError
            If the fold leaves the subject nothing to learn from or nothing to be tested on, or
            responses without a time axis are to be whitened.
        """
        if "test" in fit_sides:
            raise ValueError("statistics are never taken from test trials")
        sides = split.trials(fold, store)
        if draw is not None:
            sides["train"] = draw(sides["train"], store.subject)
        fit_trials = np.sort(np.concatenate([sides[side] for side in fit_sides]))
        for name, trials in (("training", fit_trials), ("test", sides["test"])):
            if not len(trials):
                raise DataError(
                    f"fold {fold} has no {name} trials",
                    subject=store.subject,
                    field="splits",
                    fix="leave the subject out, or prepare again with fewer folds",
                )
        responses = store.read(np.arange(store.n_trials))
        scaler = TrialScaler.fit(store, fit_trials, whiten=whiten)
        responses = scaler.transform(responses, store.session)
        store.close()
        flat = responses.reshape(store.n_trials, -1)
        return cls(flat, np.asarray(store.stimulus_id).astype(str), sides)

    def trials(self, *sides: str) -> np.ndarray:
        """Trials of one or more sides.

        Parameters
        ----------
        *sides : str
            ``train``, ``validation``, ``test``.

        Returns
        -------
        array of int
            Increasing trial numbers.
        """
        return np.sort(np.concatenate([self.sides[side] for side in sides]))

    def average(self, *sides: str) -> RepeatAverages:
        """Average the repeats of each stimulus.

        Parameters
        ----------
        *sides : str
            Which trials.

        Returns
        -------
        RepeatAverages
            One row a stimulus.
        """
        trials = self.trials(*sides)
        stimuli, index, counts = np.unique(
            self.stimulus_id[trials], return_inverse=True, return_counts=True
        )
        sums = np.zeros((len(stimuli), self.responses.shape[1]))
        np.add.at(sums, index, self.responses[trials])
        means = (sums / counts[:, None]).astype(np.float32)
        return RepeatAverages(stimuli, means, counts)

    def averages_of(self, repeats: int | None, *sides: str) -> RepeatAverages:
        """Average some repeats of each stimulus at a time.

        Parameters
        ----------
        repeats : int or None
            How many; None averages all (`average`).
        *sides : str
            Which trials.

        Returns
        -------
        RepeatAverages
            One row for each group of repeats (`repeat_groups`): a stimulus may have several.
        """
        if repeats is None:
            return self.average(*sides)
        rows = group_by_stimulus(self.trials(*sides), self.stimulus_id)
        groups = [
            (name, group)
            for name, trials in zip(rows.stimulus, rows.trials, strict=True)
            for group in repeat_groups(trials, repeats)
        ]
        means = np.stack([self.responses[list(group)].mean(axis=0) for _, group in groups])
        counts = np.array([len(group) for _, group in groups])
        return RepeatAverages(np.array([name for name, _ in groups]), means, counts)

    def deviations(self, *sides: str, without: Collection[str] = ()) -> np.ndarray:
        """Single trials minus the mean of their stimulus: noise, free of any model.

        Parameters
        ----------
        *sides : str
            Which trials.
        without : collection of str
            Stimuli whose trials are left out.

        Returns
        -------
        array of float32 of shape (n_repeated_trials, n_features)
            Scaled by ``sqrt(n / (n - 1))`` for n repeats, so that their covariance is that of
            single trials. Stimuli shown once say nothing about noise and are left out.
        """
        trials = self.trials(*sides)
        trials = trials[~np.isin(self.stimulus_id[trials], list(without))]
        averages = self.average(*sides)
        row = np.searchsorted(averages.stimulus_id, self.stimulus_id[trials])
        repeated = averages.n_averaged[row] > 1
        trials, row = trials[repeated], row[repeated]
        counts = averages.n_averaged[row]
        factor = np.sqrt(counts / (counts - 1))[:, None]
        return ((self.responses[trials] - averages.responses[row]) * factor).astype(np.float32)
