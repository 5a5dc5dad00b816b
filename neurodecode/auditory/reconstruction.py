"""Decoders by temporal response functions: rebuild the sound, or predict the brain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurodecode.auditory.decoder import ATTENTION_DECODERS, AttentionDecoder, Inner, Parts, samples
from neurodecode.auditory.moment_cache import MomentCache
from neurodecode.auditory.windows import correlations, window_starts, windowed
from neurodecode.auditory_trials import one_rate
from neurodecode.errors import ConfigError
from neurodecode.linear.moments import add_moments, lag_samples
from neurodecode.linear.patterns import trf_patterns
from neurodecode.linear.trf import TRF

__all__ = ["PENALTIES", "BackwardTRF", "ForwardTRF"]

#: In units of the mean variance of the inputs.
PENALTIES = tuple(np.logspace(-4, 3, 8).tolist())


class _TRFDecoder(AttentionDecoder):
    """A model of what was attended, in one direction or the other."""

    direction: str

    def __init__(
        self,
        *,
        tmin: float = 0.0,
        tmax: float = 0.25,
        penalties: Sequence[float] = PENALTIES,
        align: float | None = None,
        causal: bool = False,
    ) -> None:
        super().__init__(causal=causal, align=align)
        if tmin < 0:
            raise ConfigError("responses do not come before the sound: give tmin of at least 0")
        self.tmin, self.tmax = tmin, tmax
        self.model = TRF(self.direction, tmin, tmax, penalties, relative=True)
        self._moments = MomentCache(
            lambda trial: self.model.moments(
                trial.heard(), self.prepared(trial.eeg[:]), trial.sfreq
            )
        )

    def fit(self, parts: Parts, inner: Inner | None = None) -> AttentionDecoder:
        """Fit to what was attended; the penalty by leaving one part out in turn."""
        self.sfreq = one_rate([trial for part in parts for trial in part])
        self._parts = [add_moments(map(self._moments, part)) for part in parts]
        self.model.fit_moments(self._parts, self.sfreq, inner)
        return self

    def describe(self) -> dict[str, Any]:
        """Penalty that was chosen, in units of the mean variance."""
        return {"penalty": self.model.penalty_}

    def _cut(self, values: np.ndarray, window_s: float) -> np.ndarray:
        """Windows, without what would need brain after their end if the decoder is causal."""
        length = samples(window_s, self.sfreq)
        starts = window_starts(values.shape[-2], length)
        # lags are rounded outwards
        lost = lag_samples(0.0, self.tmax, self.sfreq)[-1] if self.causal else 0
        if length - lost < 3:
            raise ConfigError(
                f"a causal decoder with lags up to {self.tmax:g} s needs windows longer than that"
            )
        return windowed(values, starts, length - lost)


@ATTENTION_DECODERS.register("trf_backward")
class BackwardTRF(_TRFDecoder):
    """Rebuilds the attended sound from the brain and compares it with each candidate.

    Parameters
    ----------
    tmin, tmax : float
        Lags of the brain behind the sound in s.
    penalties : sequence of float
        In units of the mean variance of the inputs.
    align : float, optional
        See `AttentionDecoder`.
    causal : bool
        See `AttentionDecoder`. The end of a window, whose responses come after it, is left out.

    References
    ----------
    O'Sullivan et al. (2015), Cerebral Cortex 25.
    """

    name, direction = "trf_backward", "backward"

    def reconstruct(self, eeg: np.ndarray) -> np.ndarray:
        """Rebuild the sound.

        Parameters
        ----------
        eeg : array of shape (n_times, n_channels)
            Brain.

        Returns
        -------
        array of shape (n_times, n_features)
            Sound.
        """
        return self.model.predict(self.prepared(eeg))

    def scores(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Correlation of the rebuilt with each sound, mean over features."""
        rebuilt = self._cut(self.reconstruct(eeg), window_s)
        return correlations(rebuilt, self._cut(candidates, window_s)).mean(axis=-1).T

    def patterns(self) -> np.ndarray:
        """How what is rebuilt shows in the channels.

        Returns
        -------
        array of shape (n_channels, n_lags, n_features)
            Haufe patterns; lags as ``model.lags_``.
        """
        scatter = add_moments(self._parts).centred()[0].numpy()
        return trf_patterns(scatter, self.model.weights_)


@ATTENTION_DECODERS.register("trf_forward")
class ForwardTRF(_TRFDecoder):
    """Predicts the brain from each candidate and compares it with what was measured.

    Channels count by the square of what the inner cross-validation could predict of them.

    Parameters
    ----------
    tmin, tmax, penalties, align, causal
        As for `BackwardTRF`.
    """

    name, direction = "trf_forward", "forward"

    def fit(self, parts: Parts, inner: Inner | None = None) -> AttentionDecoder:
        """Fit, and weigh the channels."""
        super().fit(parts, inner)
        best = self.model.penalties.index(self.model.penalty_)
        if self.model.scores_ is None:
            self.weight = np.ones(self.model.weights_.shape[2])
        else:
            self.weight = np.maximum(self.model.scores_[:, best].mean(axis=0), 0) ** 2
        self.weight /= max(float(self.weight.sum()), 1e-12)
        return self

    def scores(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Weighted correlation over channels of measured brain and what each sound predicts."""
        measured = self._cut(self.prepared(eeg), window_s)
        rows = [
            correlations(self._cut(self.model.predict(each), window_s), measured) @ self.weight
            for each in candidates
        ]
        return np.stack(rows, axis=1)
