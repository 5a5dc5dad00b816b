"""How noise is correlated between voxels, from fewer trials than a covariance needs."""

from __future__ import annotations

import numpy as np
from scipy.optimize import curve_fit

from neurodecode.metrics.functional.identification import noise_covariance

__all__ = ["noise_correlation"]

_SMALLEST = 0.02  # eigenvalue of a correlation matrix
#: Three numbers need no more pairs of voxels, and a whole brain has hundreds of millions.
_MOST_PAIRS = 500_000


def noise_correlation(residuals: np.ndarray, positions: np.ndarray | None = None) -> np.ndarray:
    r"""Correlation matrix of residuals, with three parameters where positions are known.

    Noise is smooth in space, and part of it (breathing, say) is everywhere:

    .. math:: \rho(d) = a \, e^{-d^2 / 2 l^2} + g

    for voxels at distance d > 0, by least squares over pairs of voxels.

    Parameters
    ----------
    residuals : array of shape (n_stimuli, n_voxels)
        Measured less predicted.
    positions : array of shape (n_voxels, n_dimensions), optional
        Of the voxels, in any unit. Without them the sample's correlations are shrunk after
        Ledoit and Wolf.

    Returns
    -------
    array of float64 of shape (n_voxels, n_voxels)
        Positive definite.
    """
    spread = np.maximum(residuals.std(axis=0, dtype=np.float64), 1e-12)
    scaled = (residuals - residuals.mean(axis=0)) / spread
    if positions is None or len(positions) < 3:
        correlation = noise_covariance(scaled)[0].numpy()
    else:
        correlation = _by_distance(scaled.T @ scaled / len(scaled), np.asarray(positions, float))
    values, vectors = np.linalg.eigh(correlation)
    return (vectors * np.maximum(values, _SMALLEST)) @ vectors.T


def _by_distance(sample: np.ndarray, positions: np.ndarray) -> np.ndarray:
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    pairs = _pairs(len(distance))
    apart, together = distance[pairs], sample[pairs]
    shortest = max(float(apart.min()), 1e-6)
    longest = max(float(apart.max()), 2 * shortest)
    found, _ = curve_fit(
        _decay,
        apart,
        together,
        p0=(0.3, 2 * shortest, 0.01),
        bounds=([0, shortest / 4, 0], [1, longest, 0.5]),
    )
    correlation = _decay(distance, *found)
    np.fill_diagonal(correlation, 1)
    return correlation


def _pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of different voxels, or as many as are needed, drawn at random."""
    if n * (n - 1) // 2 <= _MOST_PAIRS:
        return np.triu_indices(n, 1)
    rng = np.random.default_rng(0)
    first = rng.integers(n, size=_MOST_PAIRS)
    return first, (first + rng.integers(1, n, size=_MOST_PAIRS)) % n


def _decay(distance: np.ndarray, height: float, length: float, everywhere: float) -> np.ndarray:
    return height * np.exp(-(distance**2) / (2 * length**2)) + everywhere
