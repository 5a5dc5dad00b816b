"""A decoder that trains itself on recordings of which nobody says who was attended."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from neurodecode.auditory.decoder import ATTENTION_DECODERS, AttentionDecoder, Inner, Parts
from neurodecode.auditory.reconstruction import BackwardTRF
from neurodecode.auditory_trials import AuditoryTrial, one_rate
from neurodecode.linear.moments import Moments, add_moments
from neurodecode.linear.trf import TRF

__all__ = ["SelfAdaptiveTRF"]


@ATTENTION_DECODERS.register("trf_unsupervised")
class SelfAdaptiveTRF(BackwardTRF):
    """Guesses who was attended, fits to its guesses, and guesses again.

    Labels of the training trials are not looked at; they begin at random. The covariance of the
    brain does not depend on labels, so that each round costs one solution.

    Parameters
    ----------
    segment_s : float
        Stretches in s in which attention is taken not to change.
    rounds : int
        Of guessing and fitting.
    penalty : float
        In units of the mean variance of the inputs: without labels there is nothing to choose by.
    starts : int
        Random beginnings; the one that fits its own guesses best is kept.
    seed : int
        Of the beginnings.
    tmin, tmax, causal
        As for `BackwardTRF`.

    References
    ----------
    Geirnaert, Francart and Bertrand (2021), IEEE Trans. Neural Syst. Rehabil. Eng. 29.
    """

    name = "trf_unsupervised"

    def __init__(
        self,
        *,
        tmin: float = 0.0,
        tmax: float = 0.25,
        segment_s: float = 30.0,
        rounds: int = 10,
        penalty: float = 0.1,
        starts: int = 3,
        seed: int = 0,
        causal: bool = False,
    ) -> None:
        super().__init__(tmin=tmin, tmax=tmax, penalties=(penalty,), causal=causal)
        self.segment_s, self.rounds, self.starts, self.seed = segment_s, rounds, starts, seed

    def fit(self, parts: Parts, inner: Inner | None = None) -> AttentionDecoder:
        """Fit without labels."""
        trials = [trial for part in parts for trial in part]
        self.sfreq = one_rate(trials)
        segments = [segment for trial in trials for segment in _segments(trial, self.segment_s)]
        moments = [self._of_candidates(segment) for segment in segments]
        rng = np.random.default_rng(self.seed)
        best = -np.inf
        for _ in range(self.starts):
            model, fit = self._adapt(moments, rng)
            if fit > best:
                best, self.model = fit, model
        self._parts = [self._chosen_moments(moments, self.model)]
        return self

    def _of_candidates(self, segment: AuditoryTrial) -> list[Moments]:
        brain = np.asarray(segment.eeg[:])
        return [
            self.model.moments(np.asarray(candidate), brain, self.sfreq)
            for candidate in segment.candidates[:]
        ]

    def _adapt(self, moments: list[list[Moments]], rng: np.random.Generator) -> tuple[TRF, float]:
        chosen = np.array([rng.integers(len(each)) for each in moments])
        for _ in range(self.rounds):
            model = TRF(
                "backward", self.tmin, self.tmax, self.model.penalties, relative=True
            ).fit_moments(
                [add_moments(each[k] for each, k in zip(moments, chosen, strict=True))], self.sfreq
            )
            found = np.array([self._fits(model, each) for each in moments], dtype=object)
            again = np.array([int(np.argmax(row)) for row in found])
            if np.array_equal(again, chosen):
                break
            chosen = again
        return model, float(np.mean([max(row) for row in found]))

    def _fits(self, model: TRF, candidates: list[Moments]) -> list[float]:
        import torch

        from neurodecode.linear.trf_solve import correlation_from_moments

        weights = torch.as_tensor(model.weights_).transpose(0, 1).flatten(0, 1)[None]
        return [float(correlation_from_moments(each, weights).mean()) for each in candidates]

    def _chosen_moments(self, moments: list[list[Moments]], model: TRF) -> Moments:
        return add_moments(each[int(np.argmax(self._fits(model, each)))] for each in moments)

    def describe(self) -> dict[str, Any]:
        """Penalty and rounds."""
        return {"penalty": self.model.penalty_, "rounds": self.rounds}


def _segments(trial: AuditoryTrial, seconds: float) -> list[AuditoryTrial]:
    n = max(int(trial.seconds // seconds), 1)
    edges = np.linspace(0, trial.n_times, n + 1).astype(int)
    return [
        trial.cut(int(a), int(b), f"{trial.trial}/{k}") for k, (a, b) in enumerate(pairwise(edges))
    ]
