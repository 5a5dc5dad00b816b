"""Activation patterns of linear decoders: what a filter's weights do not show."""

from __future__ import annotations

import numpy as np

__all__ = ["activation_patterns", "trf_patterns"]


def activation_patterns(covariance: np.ndarray, filters: np.ndarray) -> np.ndarray:
    r"""Turn filters of a decoder into the patterns by which its sources show in the channels.

    .. math:: A = \Sigma_x W \Sigma_{\hat s}^{-1}, \quad \Sigma_{\hat s} = W^T \Sigma_x W

    Parameters
    ----------
    covariance : array of shape (n_inputs, n_inputs)
        Of the training inputs.
    filters : array of shape (n_inputs, n_outputs)
        Weights of the decoder.

    Returns
    -------
    array of shape (n_inputs, n_outputs)
        Patterns. Of outputs that are linear combinations of others, the least-squares ones.

    References
    ----------
    Haufe et al. (2014), NeuroImage 87, equation 6.
    """
    shared = covariance @ filters
    return shared @ np.linalg.pinv(filters.T @ shared, hermitian=True)


def trf_patterns(covariance: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Patterns of a backward temporal response function, with the whole lagged covariance.

    mTRFpy's ``to_forward`` uses the covariance of the channels at one time only.

    Parameters
    ----------
    covariance : array of shape (n_lags * n_channels, n_lags * n_channels)
        Of the lagged training responses less their means, lag by lag (`Moments.centred`).
    weights : array of shape (n_channels, n_lags, n_outputs)
        Of the model.

    Returns
    -------
    array of shape (n_channels, n_lags, n_outputs)
        Patterns over channels and lags.
    """
    n_channels, n_lags, n_outputs = weights.shape
    filters = weights.transpose(1, 0, 2).reshape(n_lags * n_channels, n_outputs)
    patterns = activation_patterns(covariance, filters)
    return patterns.reshape(n_lags, n_channels, n_outputs).transpose(1, 0, 2)
