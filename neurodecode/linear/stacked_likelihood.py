"""Encoder likelihood of several encoders that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator

from neurodecode.linear.likelihood import likelihood_matrix
from neurodecode.linear.noise import ResidualNoise
from neurodecode.linear.stacking import stack_encoders

__all__ = ["StackedLikelihood"]


class StackedLikelihood(BaseEstimator):
    """Identify stimuli by the likelihood of the response under a stack of trained encoders.

    Weights and noise come from held-out stimuli, which no encoder was fitted to.

    Attributes
    ----------
    stack_ : EncoderStack
        Weights of the encoders.
    noise_ : ResidualNoise
        Covariance of what the stack leaves unexplained.
    """

    def fit(
        self,
        on_fitted: Sequence[np.ndarray],
        fitted: np.ndarray,
        on_held_out: Sequence[np.ndarray],
        held_out: np.ndarray,
        n_averaged: np.ndarray | None = None,
        deviations: np.ndarray | None = None,
    ) -> StackedLikelihood:
        """Weigh the encoders and calibrate the noise.

        Parameters
        ----------
        on_fitted : sequence of array of shape (n_fitted, n_voxels)
            What each encoder predicts for the stimuli it was fitted to.
        fitted : array of shape (n_fitted, n_voxels)
            Measured responses to them.
        on_held_out : sequence of array of shape (n_held_out, n_voxels)
            What each encoder predicts for the held-out stimuli.
        held_out : array of shape (n_held_out, n_voxels)
            Measured responses to them.
        n_averaged : array of int of shape (n_held_out,), optional
            Repeats averaged into each of them; one by default.
        deviations : array of shape (n_trials, n_voxels), optional
            Noise of single trials, see `ResidualNoise`.

        Returns
        -------
        StackedLikelihood
            Itself.
        """
        self.stack_ = stack_encoders(on_held_out, held_out)
        residuals = fitted - self.stack_.combine(on_fitted)
        self.noise_ = ResidualNoise().calibrate(
            residuals, held_out, self.stack_.held_out, n_averaged, deviations
        )
        return self

    def predict(self, on_stimuli: Sequence[np.ndarray]) -> np.ndarray:
        """Predict responses.

        Parameters
        ----------
        on_stimuli : sequence of array of shape (n_stimuli, n_voxels)
            What each encoder predicts.

        Returns
        -------
        array of shape (n_stimuli, n_voxels)
            What all of them predict.
        """
        return self.stack_.combine(on_stimuli)

    def log_likelihood(
        self,
        responses: np.ndarray,
        on_candidates: Sequence[np.ndarray],
        n_averaged: np.ndarray | None = None,
    ) -> np.ndarray:
        """Log-likelihood of each response under each candidate.

        Parameters
        ----------
        responses : array of shape (n_responses, n_voxels)
            Measured responses.
        on_candidates : sequence of array of shape (n_candidates, n_voxels)
            What each encoder predicts for the candidates.
        n_averaged : array of int of shape (n_responses,), optional
            Repeats averaged into each response; one by default.

        Returns
        -------
        array of float64 of shape (n_responses, n_candidates)
            In nats.
        """
        return likelihood_matrix(responses, self.predict(on_candidates), self.noise_, n_averaged)
