"""Noise of averaged responses, from its two parts."""

from __future__ import annotations

import numpy as np

__all__ = ["noise_factor"]


def noise_factor(
    model_covariance: np.ndarray, trial_covariance: np.ndarray, n_averaged: float
) -> np.ndarray:
    """Triangular factor of the covariance of what an encoder leaves unexplained.

    Averaging shrinks the noise of trials, not the error of the model.

    Parameters
    ----------
    model_covariance : array of shape (n_features, n_features)
        Of the encoder's error.
    trial_covariance : array of shape (n_features, n_features)
        Of the noise of single trials; zero where it is a part of the other.
    n_averaged : float
        Trials that were averaged.

    Returns
    -------
    array of float64 of shape (n_features, n_features)
        Lower Cholesky factor.
    """
    covariance = model_covariance.astype(np.float64) + trial_covariance / n_averaged
    # what was rounded to float32 may have lost its smallest eigenvalues
    ridge = 1e-6 * np.trace(covariance) / len(covariance)
    return np.linalg.cholesky(covariance + ridge * np.eye(len(covariance)))
