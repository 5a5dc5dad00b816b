"""Decoder by canonical correlations, weighed by a linear discriminant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch

from neurodecode.auditory.decoder import ATTENTION_DECODERS, AttentionDecoder, Inner, Parts, samples
from neurodecode.auditory.moment_cache import MomentCache
from neurodecode.auditory.windows import correlations, window_starts, windowed
from neurodecode.auditory_trials import AuditoryTrial, one_rate
from neurodecode.errors import ConfigError
from neurodecode.linear.cca import CCA
from neurodecode.linear.moments import Moments, add_moments, lag_samples, lagged_moments
from neurodecode.linear.trf import apply_lagged

__all__ = ["PENALTIES", "CanonicalDecoder"]

#: In units of the mean variance of each side.
PENALTIES = (0.01, 0.1, 1.0, 10.0)


@ATTENTION_DECODERS.register("cca")
class CanonicalDecoder(AttentionDecoder):
    """Finds what brain and sound have in common, both with lags, in several components.

    The correlations of the components in a window are weighed by a linear discriminant of
    attended against other sounds, fitted to parts that the components were not.

    Parameters
    ----------
    n_components : int
        Pairs of filters.
    tmax : float
        Lags of the brain behind the sound, from 0 on, in s.
    sound_tmax : float
        Lags of the sound behind itself in s.
    penalties : sequence of float
        Added to both covariances, in units of their mean variance; the one is taken whose
        components tell attended from other sound best in parts that they were not fitted to.
    discriminant_s : float
        Windows in s to which the discriminant is fitted.
    target : {"attended", "contrast"}
        What components have in common with the brain: the attended sound, or the attended less
        the ignored one, so that responses which both talkers evoke alike drop out. With one
        talker the two are the same.
    align : float, optional
        See `AttentionDecoder`.
    causal : bool
        See `AttentionDecoder`.

    References
    ----------
    de Cheveigne et al. (2018), NeuroImage 172.
    """

    name = "cca"

    def __init__(
        self,
        *,
        n_components: int = 5,
        tmax: float = 0.25,
        sound_tmax: float = 0.25,
        penalties: Sequence[float] = PENALTIES,
        discriminant_s: float = 5.0,
        target: Literal["attended", "contrast"] = "attended",
        align: float | None = None,
        causal: bool = False,
    ) -> None:
        super().__init__(causal=causal, align=align)
        if target not in ("attended", "contrast"):
            raise ConfigError(f"unknown target {target!r}; known: attended, contrast")
        self.target = target
        self.n_components, self.penalties = n_components, tuple(penalties)
        self.tmax, self.sound_tmax, self.discriminant_s = tmax, sound_tmax, discriminant_s
        self._brain, self._sound = MomentCache(self._brain_of), MomentCache(self._sound_of)

    def _lags(self, sfreq: float) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return lag_samples(-self.tmax, 0.0, sfreq), lag_samples(0.0, self.sound_tmax, sfreq)

    def _brain_of(self, trial: AuditoryTrial) -> Moments:
        brain, sound = self._lags(trial.sfreq)
        lagged = _lagged(self._followed(trial), sound)
        return lagged_moments(_tensor(self.prepared(trial.eeg[:])), torch.from_numpy(lagged), brain)

    def _sound_of(self, trial: AuditoryTrial) -> Moments:
        followed = _tensor(self._followed(trial))
        return lagged_moments(followed, followed, self._lags(trial.sfreq)[1])

    def _followed(self, trial: AuditoryTrial) -> np.ndarray:
        """What the components follow: (n_times, n_features)."""
        heard = trial.heard()
        if self.target == "attended" or trial.n_candidates == 1:
            return heard
        return heard - trial.ignored()

    def _filters(self, trials: list[AuditoryTrial], penalty: float) -> CCA:
        brain = add_moments(map(self._brain, trials))
        sound = add_moments(map(self._sound, trials))
        xx, xy, _ = brain.centred()
        yy, _, _ = sound.centred()
        n = float(brain.n)
        count = min(self.n_components, yy.shape[0])
        return CCA(count, penalty, penalty).fit_covariances(
            xx.numpy() / n, xy.numpy() / n, yy.numpy() / n,
            brain.x.numpy() / n, sound.x.numpy() / n,
        )  # fmt: skip

    def fit(self, parts: Parts, inner: Inner | None = None) -> AttentionDecoder:
        """Fit filters to all parts; the discriminant to each half with the other's filters."""
        everything = [trial for part in parts for trial in part]
        self.sfreq = one_rate(everything)
        if len(parts) < 2:
            raise ConfigError("canonical correlations need at least two parts to train on")
        tried = {penalty: self._held_out_contrast(parts, penalty) for penalty in self.penalties}
        self.penalty_, contrast = max(tried.items(), key=lambda each: _worth(each[1]))
        centre, spread = contrast.mean(axis=0), np.cov(contrast.T).reshape(2 * (contrast.shape[1],))
        ridge = 0.1 * np.trace(spread) / len(spread) * np.eye(len(spread))
        self.weight_ = np.linalg.solve(spread + ridge, centre)
        #: Of the correlations, so that differences between candidates are logits.
        self.logit_weight_ = 2 * self.weight_
        self.weight_ /= max(float(np.abs(self.weight_).sum()), 1e-12)
        self.filters_ = self._filters(everything, self.penalty_)
        return self

    def _held_out_contrast(self, parts: Parts, penalty: float) -> np.ndarray:
        """Contrast in each half of the parts by filters of the other half: (n, n_components)."""
        rows = []
        for half in (0, 1):
            train = [trial for part in parts[1 - half :: 2] for trial in part]
            self.filters_ = self._filters(train, penalty)
            for trial in (trial for part in parts[half::2] for trial in part):
                window = min(self.discriminant_s, trial.seconds / 3)
                if window * trial.sfreq >= 8:
                    rows.append(self._contrast(trial, window))
        return np.concatenate(rows)

    def _contrast(self, trial: AuditoryTrial, window_s: float) -> np.ndarray:
        """Correlations with what was attended less those with other sounds: (n, n_components)."""
        heard = trial.heard()
        others = [np.roll(heard, trial.n_times // 2, axis=0)]
        if trial.n_candidates > 1:
            others = [trial.ignored()]
        found = self._components(np.asarray(trial.eeg[:]), np.stack([heard, *others]), window_s)
        return found[0] - found[1]

    def _components(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Correlations of components: (n_candidates, n_windows, n_components)."""
        brain_lags, sound_lags = self._lags(self.sfreq)
        length = samples(window_s, self.sfreq)
        starts = window_starts(len(eeg), length)
        lost = -brain_lags[0] if self.causal else 0
        if length - lost < 3:
            raise ConfigError(f"a causal decoder needs windows longer than {self.tmax:g} s")
        # means drop out of correlations
        brain = _filtered(self.prepared(eeg), self.filters_.x_weights_, brain_lags)
        sound = np.stack(
            [_filtered(each, self.filters_.y_weights_, sound_lags) for each in candidates]
        )
        cut = [windowed(each, starts, length - lost) for each in (brain, sound)]
        return correlations(*cut)

    def scores(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Weighted sum of the correlations of the components."""
        return (self._components(eeg, candidates, window_s) @ self.weight_).T

    def describe(self) -> dict[str, Any]:
        """Penalty that was chosen, and number of components."""
        return {"penalty": self.penalty_, "n_components": len(self.weight_)}


def _worth(contrast: np.ndarray) -> float:
    """How far the summed correlations of attended and other sound lie apart, in their spread."""
    together = contrast.sum(axis=1)
    return float(together.mean() / max(together.std(), 1e-12))


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64))


def _filtered(values: np.ndarray, weights: np.ndarray, lags: tuple[int, ...]) -> np.ndarray:
    """Canonical variates less their means, without making the design: (n_times, n_components)."""
    filters = torch.from_numpy(weights.reshape(len(lags), values.shape[1], -1)).transpose(0, 1)
    return apply_lagged(_tensor(values), filters, lags).numpy()


def _lagged(values: np.ndarray, lags: tuple[int, ...]) -> np.ndarray:
    """Design with zero padding, lag by lag: (n_times, n_lags * n_inputs)."""
    n = len(values)
    out = np.zeros((n, len(lags), values.shape[1]))
    for number, lag in enumerate(lags):
        out[max(lag, 0) : n + min(lag, 0), number] = values[max(-lag, 0) : n - max(lag, 0)]
    return out.reshape(n, -1)
