"""Which image was seen, judged by how well an encoding model predicts the response to each.

All functions return scores of shape (n_responses, n_images), larger is better, for the metrics
in `retrieval`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_float
from neurodecode.metrics.functional.correlation import correlation_matrix

__all__ = [
    "correlation_scores",
    "log_likelihood_scores",
    "noise_covariance",
    "posterior",
    "whitened_correlation_scores",
]


def noise_covariance(residuals: ArrayLike) -> tuple[Tensor, float]:
    """Covariance of what an encoding model leaves unexplained, shrunk after Ledoit and Wolf.

    Parameters
    ----------
    residuals : array-like of shape (n_trials, n_voxels)
        Measured minus predicted, on TRAINING trials.

    Returns
    -------
    covariance : Tensor of float64 of shape (n_voxels, n_voxels)
        ``(1 - a) S + a trace(S) / n_voxels I``.
    shrinkage : float
        ``a``, estimated from the residuals.

    References
    ----------
    Ledoit and Wolf 2004.
    """
    from sklearn.covariance import ledoit_wolf

    covariance, shrinkage = ledoit_wolf(as_float(residuals).double().cpu().numpy())
    return torch.from_numpy(covariance), float(shrinkage)


def log_likelihood_scores(
    measured: ArrayLike,
    predicted: ArrayLike,
    covariance: ArrayLike,
    *,
    n_averaged: int = 1,
) -> Tensor:
    r"""Log-likelihood of every response under the prediction for every image.

    .. math:: \log N(r_i; f_j, \Sigma / n)

    Parameters
    ----------
    measured : array-like of shape (n_responses, n_voxels)
        Responses, each averaged over the same number of repeats.
    predicted : array-like of shape (n_images, n_voxels)
        Predicted responses to the candidates.
    covariance : array-like of shape (n_voxels, n_voxels)
        Of the noise of single trials; see `noise_covariance`.
    n_averaged : int
        Repeats averaged into each response.

    Returns
    -------
    Tensor of float64 of shape (n_responses, n_images)
        In nats, constant included, so that models and subjects can be compared.

    Raises
    ------
    ValueError
        If the covariance is not positive definite.

    References
    ----------
    Naselaris et al. 2009.
    """
    measured, predicted, covariance = (
        as_float(values).double() for values in (measured, predicted, covariance)
    )
    root, info = torch.linalg.cholesky_ex(covariance / n_averaged)
    if info:
        raise ValueError("noise covariance is not positive definite; shrink it")
    response, image = (
        torch.linalg.solve_triangular(root, values.T, upper=False).T
        for values in (measured, predicted)
    )
    distance = torch.cdist(response, image, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    log_determinant = 2 * root.diagonal().log().sum()
    return -(distance + log_determinant + measured.shape[1] * math.log(2 * math.pi)) / 2


def posterior(log_likelihood: ArrayLike, prior: ArrayLike | None = None) -> Tensor:
    """Probability of every image given each response.

    Parameters
    ----------
    log_likelihood : array-like of shape (n_responses, n_images)
        In nats.
    prior : array-like of shape (n_images,), optional
        Probability of each image beforehand; uniform by default. Need not be normalised.

    Returns
    -------
    Tensor of shape (n_responses, n_images)
        Rows sum to one.
    """
    scores = as_float(log_likelihood)
    if prior is not None:
        scores = scores + as_float(prior).to(scores).log()
    return scores.softmax(dim=1)


def correlation_scores(measured: ArrayLike, predicted: ArrayLike) -> Tensor:
    """Correlation over voxels of every response with every predicted response.

    Parameters
    ----------
    measured : array-like of shape (n_responses, n_voxels)
        Responses.
    predicted : array-like of shape (n_images, n_voxels)
        Predicted responses to the candidates.

    Returns
    -------
    Tensor of shape (n_responses, n_images)
        Pearson correlations.

    References
    ----------
    Kay et al. 2008.
    """
    return correlation_matrix(measured, predicted)


def whitened_correlation_scores(
    measured: ArrayLike, predicted: ArrayLike, covariance: ArrayLike
) -> Tensor:
    """Correlation after both sides are whitened by the symmetric root of the noise covariance.

    Not the likelihood: correlation ignores the gain of the response.

    Parameters
    ----------
    measured : array-like of shape (n_responses, n_voxels)
        Responses.
    predicted : array-like of shape (n_images, n_voxels)
        Predicted responses to the candidates.
    covariance : array-like of shape (n_voxels, n_voxels)
        Of the noise; positive definite.

    Returns
    -------
    Tensor of float64 of shape (n_responses, n_images)
        Pearson correlations.

    Raises
    ------
    ValueError
        If the covariance is not positive definite.
    """
    values, vectors = torch.linalg.eigh(as_float(covariance).double())
    if not values.min() > 0:
        raise ValueError("noise covariance is not positive definite; shrink it")
    whitener = (vectors / values.sqrt()) @ vectors.T
    return correlation_matrix(
        as_float(measured).double() @ whitener, as_float(predicted).double() @ whitener
    )
