"""What an encoding model leaves unexplained, and how it shrinks when repeats are averaged."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from neurodecode.metrics.functional.identification import noise_covariance

__all__ = ["ResidualNoise"]


class ResidualNoise(BaseEstimator):
    r"""Covariance of held-out residuals for any number of averaged repeats.

    Averaging repeats shrinks the noise of the recording, not the error of the model:

    .. math:: \Sigma(n) = \Sigma_{model} + \Sigma_{trial} / n

    The noise of single trials is known where stimuli were repeated; the model's part is what
    is left of the residual covariance. Without repeats (or if every response, in training and
    in test, is an average over equally many) the residual covariance is used as it is.

    Attributes
    ----------
    residual_ : array of shape (n_voxels, n_voxels)
        Covariance of the residuals given to `fit`, shrunk after Ledoit and Wolf.
    trial_ : array of shape (n_voxels, n_voxels) or None
        Covariance of the noise of single trials.
    inverse_n_ : float
        Mean of 1/n over the responses that left the residuals.
    """

    def fit(
        self,
        residuals: np.ndarray,
        n_averaged: np.ndarray | None = None,
        deviations: np.ndarray | None = None,
    ) -> ResidualNoise:
        """Estimate the covariances.

        Parameters
        ----------
        residuals : array of shape (n_stimuli, n_voxels)
            Measured minus predicted, for training stimuli that the model had not seen.
        n_averaged : array of int of shape (n_stimuli,), optional
            Repeats averaged into each measured response; one by default.
        deviations : array of shape (n_trials, n_voxels), optional
            Single trials minus the mean of their stimulus, scaled to the covariance of
            single trials;
            ignored if there are fewer of them than residuals.

        Returns
        -------
        ResidualNoise
            Itself.
        """
        residuals = np.asarray(residuals, dtype=np.float64)
        counts = np.ones(len(residuals)) if n_averaged is None else np.asarray(n_averaged)
        self.inverse_n_ = float(np.mean(1 / counts))
        self.residual_ = _shrunk(residuals)
        self.trial_ = None
        # a handful of repeated stimuli says less about noise than the residuals do
        if deviations is not None and len(deviations) >= len(residuals):
            self.trial_ = _shrunk(np.asarray(deviations, dtype=np.float64))
            self.model_ = _positive_part(self.residual_ - self.trial_ * self.inverse_n_)
        return self

    def covariance(self, n_averaged: float = 1) -> np.ndarray:
        """Covariance of the residual of a response.

        Parameters
        ----------
        n_averaged : float
            Repeats averaged into the response.

        Returns
        -------
        array of float64 of shape (n_voxels, n_voxels)
            Positive definite.
        """
        if self.trial_ is None or np.isclose(1 / n_averaged, self.inverse_n_):
            return self.residual_
        return self.model_ + self.trial_ / n_averaged


def _shrunk(rows: np.ndarray) -> np.ndarray:
    covariance = noise_covariance(rows)[0].numpy()
    # a feature that never varies would make the matrix singular
    floor = 1e-6 * max(np.trace(covariance) / len(covariance), 1e-12)
    return covariance + floor * np.eye(len(covariance))


def _positive_part(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 0)) @ vectors.T
