"""Encoder likelihood: which candidate makes the measured response likeliest."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import KFold

from neurodecode.linear.noise import ResidualNoise
from neurodecode.metrics.functional.identification import log_likelihood_scores

__all__ = ["LikelihoodIdentifier", "held_out_predictions", "likelihood_matrix"]


class LikelihoodIdentifier(BaseEstimator):
    """Identify stimuli by the likelihood of the response under an encoding model.

    The covariance comes from residuals of training stimuli that the encoder had not seen
    (inner folds); the encoder is then fitted on all of them.

    Parameters
    ----------
    encoder : estimator
        Features -> responses, for instance `RidgeEncoder`.
    n_folds : int
        Inner folds.
    n_voxels : int or None
        Use only the voxels that the encoder predicts best in the inner folds; all by default.
    seed : int
        Of the inner folds.

    Attributes
    ----------
    encoder_ : estimator
        Fitted on all training stimuli.
    noise_ : ResidualNoise
        Covariance of the held-out residuals.
    voxels_ : array of int
        The voxels in use, increasing.

    References
    ----------
    Kay et al. 2008 (identification by predicted responses); Naselaris et al. 2009, equation 3
    (likelihood).
    """

    def __init__(
        self,
        encoder: BaseEstimator,
        n_folds: int = 5,
        n_voxels: int | None = None,
        seed: int = 0,
    ) -> None:
        self.encoder = encoder
        self.n_folds = n_folds
        self.n_voxels = n_voxels
        self.seed = seed

    def fit(
        self,
        features: np.ndarray,
        responses: np.ndarray,
        n_averaged: np.ndarray | None = None,
        deviations: np.ndarray | None = None,
    ) -> LikelihoodIdentifier:
        """Fit encoder and covariance on training stimuli.

        Parameters
        ----------
        features : array of shape (n_stimuli, ...)
            Features of each stimulus.
        responses : array of shape (n_stimuli, n_voxels)
            Response to each, repeats averaged, standardised by training statistics.
        n_averaged : array of int of shape (n_stimuli,), optional
            Repeats averaged; one by default.
        deviations : array of shape (n_trials, n_voxels), optional
            Noise of single trials, see `ResidualNoise`.

        Returns
        -------
        LikelihoodIdentifier
            Itself.
        """
        predicted = held_out_predictions(
            self.encoder, features, responses, n_folds=self.n_folds, seed=self.seed
        )
        self.voxels_ = _best_voxels(predicted, responses, self.n_voxels)
        residuals = (responses - predicted)[:, self.voxels_]
        noise = None if deviations is None else deviations[:, self.voxels_]
        self.noise_ = ResidualNoise().fit(residuals, n_averaged, noise)
        self.encoder_ = clone(self.encoder).fit(features, responses)
        return self

    def log_likelihood(
        self, responses: np.ndarray, features: np.ndarray, n_averaged: np.ndarray | None = None
    ) -> np.ndarray:
        """Log-likelihood of each response under each candidate.

        Parameters
        ----------
        responses : array of shape (n_responses, n_voxels)
            Measured responses.
        features : array of shape (n_candidates, ...)
            Features of the candidates.
        n_averaged : array of int of shape (n_responses,), optional
            Repeats averaged into each response; one by default.

        Returns
        -------
        array of float64 of shape (n_responses, n_candidates)
            In nats.
        """
        predicted = self.encoder_.predict(features)[:, self.voxels_]
        return likelihood_matrix(responses[:, self.voxels_], predicted, self.noise_, n_averaged)

    def predict(self, responses: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Likeliest candidate of each response.

        Parameters
        ----------
        responses : array of shape (n_responses, n_voxels)
            Measured responses.
        features : array of shape (n_candidates, ...)
            Features of the candidates.

        Returns
        -------
        array of int of shape (n_responses,)
            Rows of `features`.
        """
        return self.log_likelihood(responses, features).argmax(axis=1)


def likelihood_matrix(
    measured: np.ndarray,
    predicted: np.ndarray,
    noise: ResidualNoise,
    n_averaged: np.ndarray | None = None,
) -> np.ndarray:
    """Log-likelihood of responses whose numbers of repeats may differ.

    Parameters
    ----------
    measured : array of shape (n_responses, n_voxels)
        Measured responses.
    predicted : array of shape (n_candidates, n_voxels)
        Predicted response to each candidate.
    noise : ResidualNoise
        Fitted covariance.
    n_averaged : array of int of shape (n_responses,), optional
        Repeats averaged into each response; one by default.

    Returns
    -------
    array of float64 of shape (n_responses, n_candidates)
        In nats.
    """
    counts = np.ones(len(measured), int) if n_averaged is None else np.asarray(n_averaged)
    scores = np.empty((len(measured), len(predicted)))
    for count in np.unique(counts):
        rows = counts == count
        covariance = noise.covariance(float(count))
        scores[rows] = log_likelihood_scores(measured[rows], predicted, covariance).numpy()
    return scores


def held_out_predictions(
    encoder: BaseEstimator,
    features: np.ndarray,
    responses: np.ndarray,
    *,
    n_folds: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """Predict each training stimulus by an encoder that was fitted without it.

    Parameters
    ----------
    encoder : estimator
        Cloned for each fold.
    features : array of shape (n_stimuli, ...)
        One row a stimulus, so that no repeat is on both sides.
    responses : array of shape (n_stimuli, n_voxels)
        Responses.
    n_folds : int
        Number of folds.
    seed : int
        Of the folds.

    Returns
    -------
    array of float32 of shape (n_stimuli, n_voxels)
        Held-out predictions.
    """
    predicted = np.empty(responses.shape, dtype=np.float32)
    for fit, held_out in KFold(n_folds, shuffle=True, random_state=seed).split(responses):
        fitted = clone(encoder).fit(features[fit], responses[fit])
        predicted[held_out] = fitted.predict(features[held_out])
    return predicted


def _best_voxels(predicted: np.ndarray, measured: np.ndarray, n_voxels: int | None) -> np.ndarray:
    if n_voxels is None or n_voxels >= measured.shape[1]:
        return np.arange(measured.shape[1])
    from neurodecode.metrics.functional.correlation import pearson_r

    correlation = np.nan_to_num(np.asarray(pearson_r(predicted, measured)), nan=-1.0)
    return np.sort(np.argsort(-correlation, kind="stable")[:n_voxels])
