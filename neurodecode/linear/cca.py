"""Canonical correlation analysis with shrunk covariances."""

from __future__ import annotations

import numpy as np

from neurodecode.errors import ConfigError

__all__ = ["CCA", "canonical_weights"]


def canonical_weights(
    xx: np.ndarray, xy: np.ndarray, yy: np.ndarray, n_components: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Find pairs of directions of highest correlation, from covariances.

    Singular vectors of :math:`C_x^{-1/2} C_{xy} C_y^{-1/2}` (Hotelling 1936).

    Parameters
    ----------
    xx : array of shape (p, p)
        Covariance of the first side, with whatever regularisation is wanted.
    xy : array of shape (p, q)
        Cross-covariance.
    yy : array of shape (q, q)
        Covariance of the second side.
    n_components : int, optional
        Pairs to keep (default: all).

    Returns
    -------
    x_weights : array of shape (p, n_components)
        Give variates of unit variance under `xx`; the largest weight is positive.
    y_weights : array of shape (q, n_components)
        Of the other side, of the sign that makes the correlation positive.
    singular_values : array of shape (n_components,)
        The correlations, if nothing was regularised.
    """
    left, right = _inverse_root(xx), _inverse_root(yy)
    u, values, vt = np.linalg.svd(left @ xy @ right, full_matrices=False)
    x, y = left @ u, right @ vt.T
    sign = np.sign(x[np.abs(x).argmax(axis=0), np.arange(x.shape[1])])
    keep = slice(0, n_components)
    return (x * sign)[:, keep], (y * sign)[:, keep], values[keep]


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    if values[0] <= values[-1] * 1e-12:
        raise ConfigError("a covariance is singular; give a regularisation larger than zero")
    return (vectors / np.sqrt(values)) @ vectors.T


class CCA:
    """Regularised canonical correlation analysis.

    Parameters
    ----------
    n_components : int
        Pairs of directions.
    x_penalty, y_penalty : float
        Added to the diagonal of each covariance, in units of its mean unless `absolute`.
    absolute : bool
        Whether penalties are variances as they are.
    """

    def __init__(
        self,
        n_components: int,
        x_penalty: float = 0.0,
        y_penalty: float = 0.0,
        *,
        absolute: bool = False,
    ) -> None:
        self.n_components, self.absolute = n_components, absolute
        self.x_penalty, self.y_penalty = x_penalty, y_penalty

    def fit(self, x: np.ndarray, y: np.ndarray) -> CCA:
        """Fit to samples.

        Parameters
        ----------
        x : array of shape (n_samples, p)
            One side.
        y : array of shape (n_samples, q)
            The other.

        Returns
        -------
        CCA
            Itself, with ``x_weights_``, ``y_weights_`` and the means taken out.
        """
        n = len(x)
        x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
        a, b = x - x_mean, y - y_mean
        parts = (a.T @ a / (n - 1), a.T @ b / (n - 1), b.T @ b / (n - 1))
        return self.fit_covariances(*parts, x_mean, y_mean)

    def fit_covariances(
        self,
        xx: np.ndarray,
        xy: np.ndarray,
        yy: np.ndarray,
        x_mean: np.ndarray,
        y_mean: np.ndarray,
    ) -> CCA:
        """Fit to covariances that were added up over trials.

        Parameters
        ----------
        xx, xy, yy : array of shape (p, p), (p, q), (q, q)
            Covariances.
        x_mean : array of shape (p,)
            Mean of one side.
        y_mean : array of shape (q,)
            Mean of the other.

        Returns
        -------
        CCA
            Itself.
        """
        self.x_weights_, self.y_weights_, self.singular_values_ = canonical_weights(
            self._ridged(xx, self.x_penalty), xy, self._ridged(yy, self.y_penalty),
            self.n_components,
        )  # fmt: skip
        self.x_mean_, self.y_mean_ = x_mean, y_mean
        return self

    def _ridged(self, covariance: np.ndarray, penalty: float) -> np.ndarray:
        unit = 1.0 if self.absolute else float(np.trace(covariance)) / len(covariance)
        return covariance + penalty * unit * np.eye(len(covariance))

    def variates(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project both sides.

        Parameters
        ----------
        x : array of shape (n_samples, p)
            One side.
        y : array of shape (n_samples, q)
            The other.

        Returns
        -------
        tuple of two arrays of shape (n_samples, n_components)
            Canonical variates.
        """
        return (x - self.x_mean_) @ self.x_weights_, (y - self.y_mean_) @ self.y_weights_
