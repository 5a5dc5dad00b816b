"""Channels of every trial made alike, so that a decoder fits a head it has not seen."""

from __future__ import annotations

import numpy as np

from neurodecode.errors import ConfigError

__all__ = ["aligned", "check_shrinkage"]


def check_shrinkage(shrinkage: float | None) -> float | None:
    """Refuse a shrinkage that is none.

    Parameters
    ----------
    shrinkage : float or None
        As for `aligned`; None for no alignment.

    Returns
    -------
    float or None
        The same.

    Raises
    ------
    ConfigError
        If it does not lie between 0 and 1.
    """
    if shrinkage is not None and not 0 < shrinkage <= 1:
        raise ConfigError(f"align is {shrinkage:g}; give a shrinkage above 0 and up to 1")
    return shrinkage


def aligned(eeg: np.ndarray, shrinkage: float | None) -> np.ndarray:
    r"""Whiten the channels of a trial by their own covariance.

    .. math:: X \mapsto (X - \bar X) C^{-1/2}, \quad
              C = (1 - s) X^\top X / n + s \, \mathrm{tr}(X^\top X / n) / m \, I

    No label and no other trial is used. What differs between heads and sessions is mostly the
    covariance of the noise, and it is gone; penalties then act on directions of equal noise.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        Brain.
    shrinkage : float or None
        s; None leaves the trial as it is.

    Returns
    -------
    array of shape (n_times, n_channels)
        Mean 0, covariance near the identity. A flat channel stays flat.

    References
    ----------
    He and Wu (2020), IEEE Trans. Biomed. Eng. 67 (Euclidean alignment, there by session).
    """
    if shrinkage is None:
        return eeg
    centred = np.asarray(eeg, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    level = float(np.trace(covariance)) / len(covariance)
    if level == 0:
        return centred
    values, vectors = np.linalg.eigh(
        (1 - shrinkage) * covariance + shrinkage * level * np.eye(len(covariance))
    )
    return centred @ ((vectors / np.sqrt(values)) @ vectors.T)
