"""Decoders that read a label from the brain alone: known to be confounded, kept to show it.

Where people look at whom they listen to, eyes and their muscles say where. Such a decoder has to
fall to chance where gaze is balanced (Rotaru et al. 2024); one that compares brain with sound
has not.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from neurodecode.auditory.decoder import ATTENTION_DECODERS, AttentionDecoder, Inner, Parts, samples
from neurodecode.auditory.windows import window_starts, windowed
from neurodecode.auditory_trials import AuditoryTrial, one_rate
from neurodecode.errors import ConfigError, DataError

__all__ = ["CSPDirection", "MeanDirection"]


class _Direction(AttentionDecoder):
    """Learns which place or name is attended, and scores candidates by theirs."""

    reads_sound = False
    what = "direction"

    def __init__(self, *, training_s: float = 2.0, causal: bool = True) -> None:
        super().__init__(causal=causal)
        self.training_s = training_s

    def _windows(
        self, trials: Sequence[AuditoryTrial], window_s: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Windows with one label: (n, length, n_channels) and labels (n,)."""
        rows, labels = [], []
        for trial in trials:
            names = getattr(trial, self.what)
            if not any(names):
                raise DataError(
                    f"no {self.what} of the talkers is known", subject=trial.subject,
                    field=f"trial {trial.trial}", fix="leave this decoder out",
                )  # fmt: skip
            length = min(samples(window_s, trial.sfreq), trial.n_times)
            starts = window_starts(trial.n_times, length)
            attended = windowed(np.asarray(trial.attended)[:, None], starts, length)[..., 0]
            one = attended.min(axis=1) == attended.max(axis=1)
            rows.append(windowed(np.asarray(trial.eeg[:]), starts[one], length))
            labels += [names[each] for each in attended[one, 0]]
        return np.concatenate(rows), np.array(labels)

    def prefit(self, trials: Sequence[AuditoryTrial]) -> None:
        """Fit filters to trials of both sides: a leak, for the protocol that shows it.

        Parameters
        ----------
        trials : sequence of AuditoryTrial
            Training and test.
        """
        self._given = self._fit_filters(*self._windows(trials, self.training_s))

    def _fit_filters(self, windows: np.ndarray, labels: np.ndarray) -> Any:
        return None

    @abstractmethod
    def _features(self, windows: np.ndarray, filters: Any) -> np.ndarray:
        """Features (n, n_features) of windows (n, length, n_channels)."""

    def fit(self, parts: Parts, inner: Inner | None = None) -> AttentionDecoder:
        """Fit filters and a shrunk linear discriminant to windows of training trials."""
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        trials = [trial for part in parts for trial in part]
        self.sfreq = one_rate(trials)
        windows, labels = self._windows(trials, self.training_s)
        if len(set(labels)) < 2:
            raise ConfigError(f"training trials have one {self.what} only: {labels[0]}")
        self.filters_ = getattr(self, "_given", None)
        if self.filters_ is None:
            self.filters_ = self._fit_filters(windows, labels)
        # what is left out makes its label rarer in training: priors would learn that
        equal = np.full(len(set(labels)), 1 / len(set(labels)))
        self.discriminant_ = LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage="auto", priors=equal
        )
        self.discriminant_.fit(self._features(windows, self.filters_), labels)
        return self

    def scores(self, eeg: np.ndarray, candidates: np.ndarray, window_s: float) -> np.ndarray:
        """Not to be had without the places of the candidates: use `score_trial`."""
        raise ConfigError(f"{self.name} needs the {self.what} of each candidate: score a trial")

    def score_trial(self, trial: AuditoryTrial, window_s: float) -> np.ndarray:
        """Log-probability of each candidate's label: (n_windows, n_candidates)."""
        length = samples(window_s, self.sfreq)
        starts = window_starts(trial.n_times, length)
        windows = windowed(np.asarray(trial.eeg[:]), starts, length)
        log = self.discriminant_.predict_log_proba(self._features(windows, self.filters_))
        known = list(self.discriminant_.classes_)
        names = getattr(trial, self.what)
        missing = [name for name in names if name not in known]
        if missing:
            raise DataError(
                f"{self.what} {missing[0]} does not occur in training", subject=trial.subject,
                field=f"trial {trial.trial}",
            )  # fmt: skip
        return log[:, [known.index(name) for name in names]]


@ATTENTION_DECODERS.register("csp")
class CSPDirection(_Direction):
    """Common spatial patterns: power of channel mixtures that differs most between directions.

    Parameters
    ----------
    n_filters : int
        Mixtures; half of them strongest in either direction.
    training_s : float
        Windows in s to which it is fitted.

    References
    ----------
    Geirnaert, Francart and Bertrand (2021), IEEE Trans. Biomed. Eng. 68.
    """

    name = "csp"

    def __init__(self, *, n_filters: int = 6, training_s: float = 2.0) -> None:
        super().__init__(training_s=training_s)
        self.n_filters = n_filters

    def _fit_filters(self, windows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        from scipy.linalg import eigh

        kinds = sorted(set(labels))
        covariances = [
            np.mean([np.cov(each.T) for each in windows[labels == kind]], axis=0)
            for kind in kinds[:2]
        ]
        total = covariances[0] + covariances[1]
        # an average reference leaves one dimension empty
        total = total + 1e-3 * np.trace(total) / len(total) * np.eye(len(total))
        _, vectors = eigh(covariances[0], total)
        half = min(self.n_filters // 2, vectors.shape[1] // 2)
        return np.hstack([vectors[:, :half], vectors[:, -half:]])

    def _features(self, windows: np.ndarray, filters: np.ndarray) -> np.ndarray:
        return np.log((windows @ filters).var(axis=1) + 1e-12)


@ATTENTION_DECODERS.register("mean_direction")
class MeanDirection(_Direction):
    """Direction from the mean of each channel: what gaze channels alone can tell."""

    name = "mean_direction"

    def _features(self, windows: np.ndarray, filters: None) -> np.ndarray:
        return windows.mean(axis=1)


@ATTENTION_DECODERS.register("talker_signature")
class TalkerSignature(CSPDirection):
    """Names the attended talker from the brain alone, as pre-enrolled voices are sometimes told."""

    name, what = "talker_signature", "talker"
