"""Standardise every voxel within each session, with statistics of training trials only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurodecode.errors import DataError
from neurodecode.loaders.noise import NoiseNormaliser, Whitening
from neurodecode.store import ResponseStore

__all__ = ["SessionMoments", "TrialScaler"]

_BLOCK_TRIALS = 256
_STATE = ("sessions", "mean", "scale")
_CLAMP, _WHITENERS = "clamp", ("space", "time")


@dataclass
class SessionMoments:
    """Running count, mean and sum of squared deviations (Chan et al. 1979).

    Parameters
    ----------
    mean, squares : array of float64 of shape (n_features,)
        Mean, and sum of squared deviations from it.
    count : int
        Values seen of each feature.
    """

    mean: np.ndarray
    squares: np.ndarray
    count: int = 0

    def add(self, values: np.ndarray) -> None:
        """Take in more values.

        Parameters
        ----------
        values : array of shape (n_values, n_features)
            Responses.
        """
        values = values.astype(np.float64)
        n, total = len(values), self.count + len(values)
        mean = values.mean(axis=0)
        delta = mean - self.mean
        self.squares += ((values - mean) ** 2).sum(axis=0) + delta**2 * self.count * n / total
        self.mean = self.mean + delta * n / total
        self.count = total


class TrialScaler:
    """Subtract the mean of each feature in each session, and divide by its deviation.

    Parameters
    ----------
    sessions : array of int of shape (n_sessions,)
        Increasing session numbers.
    mean, scale : array of float32 of shape (n_sessions, n_features)
        Statistics; a feature that was constant in training has scale 1.
    clamp : float or None
        Standardised values beyond plus or minus this are cut off: single artefacts of MEG and EEG
        are hundreds of deviations high.
    normaliser : NoiseNormaliser or None
        Applied to standardised time series.

    Notes
    -----
    A session without training trials (all of it held out) gets the statistics of the other
    sessions together. Time-resolved responses are standardised per channel, over trials and
    time.
    """

    def __init__(
        self,
        sessions: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        clamp: float | None = None,
        normaliser: NoiseNormaliser | None = None,
    ) -> None:
        self.sessions, self.mean, self.scale = sessions, mean, scale
        self.clamp, self.normaliser = clamp, normaliser

    @classmethod
    def fit(
        cls,
        store: ResponseStore,
        trials: Sequence[int] | np.ndarray,
        clamp: float | None = None,
        whiten: Whitening | None = None,
    ) -> TrialScaler:
        """Estimate the statistics, reading a few hundred trials at a time.

        Parameters
        ----------
        store : ResponseStore
            Responses of one subject.
        trials : sequence of int
            Training trials.
        clamp : float, optional
            See the class.
        whiten : {"space", "both"}, optional
            Also fit a `NoiseNormaliser`; time series only.

        Returns
        -------
        TrialScaler
            With one entry for every session of the store.

        Raises
        ------
        DataError
            If there is no training trial, or a training response is not finite.
        """
        trials = np.sort(np.asarray(trials, dtype=np.int64))
        if not len(trials):
            raise DataError("no training trials", file=store.path, subject=store.subject)
        sessions = np.unique(store.session)
        moments = {int(s): cls._moments_of(store, trials[store.session[trials] == s])
                   for s in sessions}  # fmt: skip
        pooled = _pool([m for m in moments.values() if m.count > 1])
        # one trial has no deviation: such a session is treated as if it had none
        chosen = [m if (m := moments[int(s)]).count > 1 else pooled for s in sessions]
        mean = np.stack([m.mean for m in chosen])
        scale = np.stack([np.sqrt(m.squares / max(m.count - 1, 1)) for m in chosen])
        if not (np.isfinite(mean).all() and np.isfinite(scale).all()):
            bad = int((~np.isfinite(mean)).any(axis=0).sum())
            raise DataError(
                f"{bad} features are not finite in training trials",
                file=store.path,
                subject=store.subject,
                fix="prepare the data set again with --drop-bad-voxels",
            )
        # constant up to rounding: dividing would blow up nothing but noise
        floor = 1e-6 * np.maximum(np.abs(mean), 1e-6)
        scaler = cls(sessions, mean.astype(np.float32),
                     np.where(scale > floor, scale, 1.0).astype(np.float32), clamp)  # fmt: skip
        if whiten is not None:
            scaler.normaliser = NoiseNormaliser.fit(store, trials, scaler.transform, whiten)
        return scaler

    @staticmethod
    def _moments_of(store: ResponseStore, trials: np.ndarray) -> SessionMoments:
        zeros = np.zeros(store.n_features)
        moments = SessionMoments(zeros, zeros.copy())
        for start in range(0, len(trials), _BLOCK_TRIALS):
            block = store.read(trials[start : start + _BLOCK_TRIALS])
            # (n, features, times) -> (n * times, features)
            moments.add(np.moveaxis(block, 1, -1).reshape(-1, store.n_features))
        return moments

    def transform(self, responses: np.ndarray, session: np.ndarray) -> np.ndarray:
        """Standardise trials.

        Parameters
        ----------
        responses : array of shape (n, n_features) or (n, n_channels, n_times)
            As read from the store.
        session : array of int of shape (n,)
            Session of each trial.

        Returns
        -------
        array of float32 of the same shape
            Standardised responses, cut off and whitened where the scaler does so.
        """
        rows = np.searchsorted(self.sessions, session)
        mean, scale = self.mean[rows], self.scale[rows]
        if responses.ndim == 3:
            mean, scale = mean[..., None], scale[..., None]
        values = (responses.astype(np.float32) - mean) / scale
        if self.clamp is not None:
            values = values.clip(-self.clamp, self.clamp)
        return values if self.normaliser is None else self.normaliser.apply(values)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the statistics for a checkpoint.

        Returns
        -------
        dict of str to Tensor
            ``sessions``, ``mean`` and ``scale``; ``clamp``, ``space`` and ``time`` if there are.
        """
        state = {name: torch.as_tensor(getattr(self, name)) for name in _STATE}
        if self.clamp is not None:
            state[_CLAMP] = torch.tensor(self.clamp)
        if self.normaliser is not None:
            whiteners = ((name, getattr(self.normaliser, name)) for name in _WHITENERS)
            state |= {name: torch.as_tensor(each) for name, each in whiteners if each is not None}
        return state

    @classmethod
    def from_state_dict(cls, state: dict[str, Tensor]) -> TrialScaler:
        """Restore from `state_dict`.

        Parameters
        ----------
        state : dict of str to Tensor
            From a checkpoint.

        Returns
        -------
        TrialScaler
            The same statistics.
        """
        clamp = float(state[_CLAMP]) if _CLAMP in state else None
        whiteners = [state[name].numpy() for name in _WHITENERS if name in state]
        normaliser = NoiseNormaliser(*whiteners) if whiteners else None
        return cls(*(state[name].numpy() for name in _STATE), clamp, normaliser)


def _pool(parts: Sequence[SessionMoments]) -> SessionMoments:
    """Moments of all values together."""
    if not parts:
        raise DataError("no session has two training trials", field="session")
    count = sum(part.count for part in parts)
    mean = sum(part.mean * part.count for part in parts) / count
    squares = sum(part.squares + part.count * (part.mean - mean) ** 2 for part in parts)
    return SessionMoments(mean, squares, count)
