"""Multivariate noise normalisation: channels are made independent and equally noisy.

The noise is what repeats of one condition do not share; its covariance is estimated from training
trials and its symmetric inverse square root is applied to all (Guggenmos, Sterzer and Cichy 2018).
"""

from __future__ import annotations

import numpy as np

from neurodecode.errors import DataError

__all__ = ["inverse_square_root", "noise_covariance", "shrunk_covariance", "whiten"]


def shrunk_covariance(samples: np.ndarray) -> np.ndarray:
    """Estimate a covariance with Ledoit-Wolf shrinkage of standardised features.

    Features are standardised, the estimator of Ledoit and Wolf (2004) shrinks their correlations,
    and the scales are put back (scikit-learn's ``shrinkage="auto"``): channels of different
    units are shrunk towards a diagonal, not towards equal variances.

    Parameters
    ----------
    samples : array of shape (n_samples, n_channels)
        Observations.

    Returns
    -------
    array of shape (n_channels, n_channels)
        Covariance.
    """
    from sklearn.covariance import ledoit_wolf

    scale = samples.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    standard = (samples - samples.mean(axis=0)) / scale
    return scale[:, None] * ledoit_wolf(standard)[0] * scale


def noise_covariance(
    epochs: np.ndarray, condition: np.ndarray, *, method: str = "epochs"
) -> np.ndarray:
    """Average the covariance of the noise over conditions.

    ``"time"``: at each time point the covariance across the repeats of a condition, averaged over
    time; needs two repeats. ``"epochs"``: for each epoch the covariance across time points,
    averaged over repeats.

    Parameters
    ----------
    epochs : array of shape (n_trials, n_channels, n_times)
        Training trials.
    condition : array of shape (n_trials,)
        What was shown.
    method : {"epochs", "time"}
        See above.

    Returns
    -------
    array of shape (n_channels, n_channels)
        Covariance.

    Raises
    ------
    DataError
        If ``"time"`` is asked for and no condition has two trials.

    References
    ----------
    Guggenmos M., Sterzer P., Cichy R. M. (2018), NeuroImage 173; as in NICE (Song et al. 2024).
    """
    names, index, counts = np.unique(condition, return_inverse=True, return_counts=True)
    usable = np.flatnonzero(counts > 1) if method == "time" else np.arange(len(names))
    if not len(usable):
        raise DataError(
            "no condition is repeated in training",
            field="whiten",
            fix="use whiten: epochs, which needs no repeats",
        )
    total = np.zeros((epochs.shape[1], epochs.shape[1]))
    for number in usable:
        trials = epochs[index == number].astype(np.float64)
        if method == "time":
            parts = [shrunk_covariance(trials[:, :, t]) for t in range(trials.shape[2])]
        else:
            parts = [shrunk_covariance(trial.T) for trial in trials]
        total += np.mean(parts, axis=0)
    return total / len(usable)


def inverse_square_root(covariance: np.ndarray) -> np.ndarray:
    """Symmetric inverse square root.

    Parameters
    ----------
    covariance : array of shape (n_channels, n_channels)
        Symmetric, positive semi-definite. Directions without variance (interpolated channels, an
        average reference) are mapped to zero.

    Returns
    -------
    array of shape (n_channels, n_channels)
        W with ``W covariance W`` the projector onto the directions that have variance.
    """
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-10 * values[-1]
    return (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T


def whiten(epochs: np.ndarray, whitener: np.ndarray) -> np.ndarray:
    """Apply a whitener to every time point.

    Parameters
    ----------
    epochs : array of shape (n_trials, n_channels, n_times)
        Epochs.
    whitener : array of shape (n_channels, n_channels)
        From `inverse_square_root`.

    Returns
    -------
    array of shape (n_trials, n_channels, n_times)
        ``whitener @ epoch``.
    """
    return np.einsum("dc,nct->ndt", whitener, epochs, optimize=True)
