"""What an encoding model leaves unexplained, and how it shrinks when repeats are averaged."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax
from sklearn.base import BaseEstimator

from neurodecode.metrics.functional.identification import log_likelihood_scores, noise_covariance

__all__ = ["ResidualNoise"]

#: Shrinkage of the correlations tried by `ResidualNoise.calibrate`.
SHRINKAGES = tuple(np.linspace(0, 1, 11).tolist())


class ResidualNoise(BaseEstimator):
    r"""Covariance of an encoder's residuals for any number of averaged repeats.

    Averaging repeats shrinks the noise of the recording, not the error of the model:

    .. math:: \Sigma(n) = \Sigma_{model} + \Sigma_{trial} / n

    The noise of single trials is known where stimuli were repeated; the model's part is what
    is left of the residual covariance. Without repeats (or if every response, in training and
    in test, is an average over equally many) the residual covariance is used as it is.

    Attributes
    ----------
    residual_ : array of shape (n_voxels, n_voxels)
        Covariance of the residuals.
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
        """Estimate the covariance from held-out residuals, shrunk after Ledoit and Wolf.

        Parameters
        ----------
        residuals : array of shape (n_stimuli, n_voxels)
            Measured minus predicted, for training stimuli that the model had not seen.
        n_averaged : array of int of shape (n_stimuli,), optional
            Repeats averaged into each measured response; one by default.
        deviations : array of shape (n_trials, n_voxels), optional
            Single trials minus the mean of their stimulus, scaled to the covariance of
            single trials; ignored if there are fewer of them than residuals.

        Returns
        -------
        ResidualNoise
            Itself.
        """
        return self._set(_shrunk(residuals), len(residuals), n_averaged, deviations)

    def calibrate(
        self,
        fitted_residuals: np.ndarray,
        measured: np.ndarray,
        predicted: np.ndarray,
        n_averaged: np.ndarray | None = None,
        deviations: np.ndarray | None = None,
    ) -> ResidualNoise:
        """Estimate the covariance where held-out stimuli are too few for one.

        The many residuals of the stimuli the encoder was fitted to tell how the noise is
        correlated, but understate its size and share the encoder's overfitting. The few
        held-out stimuli correct both: how far correlations are shrunk is chosen by the mean
        log-probability of the right stimulus among them, the amplitude by maximum likelihood.

        Parameters
        ----------
        fitted_residuals : array of shape (n_fitted, n_voxels)
            Measured minus predicted, for the stimuli the encoder was fitted to.
        measured, predicted : array of shape (n_stimuli, n_voxels)
            Responses to stimuli that the encoder was not fitted to (validation).
        n_averaged : array of int of shape (n_stimuli,), optional
            Repeats averaged into each of them; one by default.
        deviations : array of shape (n_trials, n_voxels), optional
            See `fit`.

        Returns
        -------
        ResidualNoise
            Itself.
        """
        full = _shrunk(fitted_residuals)
        diagonal = np.diag(np.diag(full))
        best, chosen = -np.inf, full
        for share in SHRINKAGES:
            covariance = (1 - share) * full + share * diagonal
            covariance = covariance * _amplitude(covariance, measured - predicted)
            scores = log_likelihood_scores(measured, predicted, covariance).numpy()
            found = float(np.diag(log_softmax(scores, axis=1)).mean())
            if found > best:
                best, chosen = found, covariance
        return self._set(chosen, len(measured), n_averaged, deviations)

    @classmethod
    def of_parts(cls, model: np.ndarray, trial: np.ndarray) -> ResidualNoise:
        """Put together what is known apart.

        Parameters
        ----------
        model, trial : array of shape (n_voxels, n_voxels)
            Covariance of the model's error and of the noise of single trials.

        Returns
        -------
        ResidualNoise
            Of the sum for single trials.
        """
        noise = cls()
        noise.model_, noise.trial_, noise.inverse_n_ = model, trial, 1.0
        noise.residual_ = model + trial
        return noise

    def _set(
        self,
        residual: np.ndarray,
        n_residuals: int,
        n_averaged: np.ndarray | None,
        deviations: np.ndarray | None,
    ) -> ResidualNoise:
        counts = np.ones(n_residuals) if n_averaged is None else np.asarray(n_averaged)
        self.inverse_n_ = float(np.mean(1 / counts))
        self.residual_ = residual
        self.trial_ = None
        # a handful of repeated stimuli says less about noise than the residuals do
        if deviations is not None and len(deviations) >= n_residuals:
            self.trial_ = _shrunk(deviations)
            self.model_ = _positive_part(residual - self.trial_ * self.inverse_n_)
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
    covariance = noise_covariance(np.asarray(rows, dtype=np.float64))[0].numpy()
    # a feature that never varies would make the matrix singular
    floor = 1e-6 * max(np.trace(covariance) / len(covariance), 1e-12)
    return covariance + floor * np.eye(len(covariance))


def _amplitude(covariance: np.ndarray, residuals: np.ndarray) -> float:
    """Factor on the covariance under which the residuals are likeliest."""
    weighted = np.linalg.solve(covariance, residuals.T.astype(np.float64)).T
    return float((weighted * residuals).sum(axis=1).mean() / len(covariance))


def _positive_part(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 0)) @ vectors.T
