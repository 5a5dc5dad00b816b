"""Steps that need more than one trial, fitted to training trials: scale, clamp, whiten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import DataError
from neurodecode.preprocess.recipe import Recipe
from neurodecode.preprocess.whitening import inverse_square_root, noise_covariance, whiten
from neurodecode.store import ResponseStore

__all__ = ["FittedSteps"]


@dataclass(frozen=True)
class _Session:
    """Statistics of one session."""

    centre: np.ndarray  # (n_channels,)
    width: np.ndarray
    whitener: np.ndarray | None


@dataclass(frozen=True)
class FittedSteps:
    """Robust scaling, clamping and whitening of one subject.

    Each session has its own statistics; a session without training trials gets those of all
    others together.

    Parameters
    ----------
    recipe : Recipe
        ``scale``, ``clamp`` and ``whiten``.
    sessions : dict of int to _Session
        Statistics of each session.
    """

    recipe: Recipe
    sessions: dict[int, _Session]

    @classmethod
    def fit(
        cls, store: ResponseStore, trials: Sequence[int] | np.ndarray, recipe: Recipe
    ) -> FittedSteps:
        """Estimate the statistics, one session in memory at a time.

        Parameters
        ----------
        store : ResponseStore
            Epochs of one subject, not scaled.
        trials : sequence of int
            Training trials.
        recipe : Recipe
            What to fit.

        Returns
        -------
        FittedSteps
            For every session of the store.

        Raises
        ------
        DataError
            If there is no training trial.
        """
        trials = np.sort(np.asarray(trials, dtype=np.int64))
        if not len(trials):
            raise DataError("no training trials", file=store.path, subject=store.subject)
        fitted: dict[int, _Session] = {}
        shared: _Session | None = None
        for session in np.unique(store.session).tolist():
            here = trials[store.session[trials] == session]
            if not len(here):
                shared = shared or _fit(store, trials, recipe)
                fitted[session] = shared
            else:
                fitted[session] = _fit(store, here, recipe)
        return cls(recipe, fitted)

    def apply(self, epochs: np.ndarray, session: np.ndarray) -> np.ndarray:
        """Scale, clamp and whiten epochs.

        Parameters
        ----------
        epochs : array of shape (n_trials, n_channels, n_times)
            Of any trials of the subject.
        session : array of int of shape (n_trials,)
            Session of each.

        Returns
        -------
        array of float32 of the same shape
            In units of the interquartile range, or whitened.
        """
        out = np.empty(epochs.shape, dtype=np.float32)
        for number in np.unique(session).tolist():
            here = session == number
            known = self.sessions[number]
            values = _scaled(epochs[here].astype(np.float64), known, self.recipe)
            out[here] = values if known.whitener is None else whiten(values, known.whitener)
        return out

    def constants(self) -> dict[str, np.ndarray]:
        """Give the statistics as features of the channels, for whoever prepares further trials.

        Returns
        -------
        dict of str to array of shape (n_channels, n_sessions, ...)
            ``fitted_centre``, ``fitted_width`` and, where signals are whitened,
            ``fitted_whitener`` (n_channels, n_sessions, n_channels); sessions increase.
        """
        known = [self.sessions[number] for number in sorted(self.sessions)]
        found = {
            "fitted_centre": np.stack([each.centre for each in known], axis=1),
            "fitted_width": np.stack([each.width for each in known], axis=1),
        }
        whiteners = [each.whitener for each in known if each.whitener is not None]
        if whiteners:
            found["fitted_whitener"] = np.stack(whiteners, axis=1)
        return found

    @classmethod
    def from_constants(
        cls, recipe: Recipe, sessions: Sequence[int], constants: Mapping[str, np.ndarray]
    ) -> FittedSteps:
        """Undo `constants`.

        Parameters
        ----------
        recipe : Recipe
            ``scale``, ``clamp`` and ``whiten``.
        sessions : sequence of int of length n_sessions
            Increasing session numbers.
        constants : mapping of str to array of shape (n_channels, n_sessions, ...)
            From `constants`.

        Returns
        -------
        FittedSteps
            The same statistics.
        """
        white = constants.get("fitted_whitener")
        parts = {
            int(number): _Session(
                np.asarray(constants["fitted_centre"][:, column], dtype=np.float64),
                np.asarray(constants["fitted_width"][:, column], dtype=np.float64),
                None if white is None else np.asarray(white[:, column], dtype=np.float64),
            )
            for column, number in enumerate(sessions)
        }
        return cls(recipe, parts)

    @property
    def units(self) -> str:
        """Unit of what `apply` returns; empty if it changes nothing."""
        if self.recipe.whiten:
            return "noise standard deviations"
        return "interquartile ranges" if self.recipe.scale else ""


def _fit(store: ResponseStore, trials: np.ndarray, recipe: Recipe) -> _Session:
    epochs = store.read(trials)
    n_channels = epochs.shape[1]
    centre, width = np.zeros(n_channels), np.ones(n_channels)
    if recipe.scale == "robust":
        for channel in range(n_channels):
            low, centre[channel], high = np.percentile(epochs[:, channel], [25, 50, 75])
            width[channel] = high - low if high > low else 1.0
    known = _Session(centre, width, None)
    if recipe.whiten is None:
        return known
    scaled = _scaled(epochs.astype(np.float64), known, recipe)
    condition = np.asarray(store.stimulus_id)[trials]
    covariance = noise_covariance(scaled, condition, method=recipe.whiten)
    return _Session(centre, width, inverse_square_root(covariance))


def _scaled(epochs: np.ndarray, known: _Session, recipe: Recipe) -> np.ndarray:
    """Scale float64 epochs in place, and clamp them."""
    epochs -= known.centre[:, None]
    epochs /= known.width[:, None]
    if recipe.clamp is not None:
        np.clip(epochs, -recipe.clamp, recipe.clamp, out=epochs)
    return epochs
