"""Encoder of a new subject, whose features are like those of subjects that are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["TransferEncoder"]

#: Noise variances tried, in units of the mean variance that the prior gives a response.
_NOISE = np.logspace(-3, 3, 19)


class TransferEncoder(BaseEstimator):
    r"""Gaussian process per voxel, whose prior is what the voxels of known subjects do.

    What a new voxel will answer to a picture is not known, but voxels of other people are: they
    respond to some properties of pictures and not to others, and the same area does so in the
    same way in everybody. Their responses f to pictures x (as encoders of them predict it) are
    taken for samples of the distribution that the new voxel g comes from:

    .. math:: \operatorname{cov}(g(x), g(x')) = a \Big(
        \frac{1}{|A|} \sum_{v \in A} f_v(x) f_v(x') +
        \sum_l \frac{1}{|A_l|} \sum_{v \in A_l} f_v(x) f_v(x') \Big)

    over all known voxels A, and those that share a label l with the new one: its region, say,
    and its band of eccentricity within the region. The amplitude a and the
    variance of the noise are those that make the new voxel's measured responses likeliest; this
    is ridge regression from the known voxels to the new one with a penalty chosen without
    cross-validation, which needs more trials than a new subject has.

    Parameters
    ----------
    groups : array-like of str of shape (n_voxels,) or (n_labellings, n_voxels), optional
        Region of each new voxel, or several such labels; an empty one says nothing. By default
        all voxels are alike.
    known_groups : array-like of str of shape (n_known,) or (n_labellings, n_known), optional
        The same of each known voxel.

    Attributes
    ----------
    weights_ : array of float32 of shape (n_known, n_voxels)
        From the responses of the known voxels to those of the new ones.
    mean_ : array of shape (n_voxels,)
        Mean training response.
    noise_ : array of shape (n_voxels,)
        Variance of the noise of a training response.
    variance_ : array of shape (n_voxels,)
        Mean squared error expected of a prediction, noise apart (leave one stimulus out).
    residuals_ : array of shape (n_stimuli, n_voxels)
        Measured response to each training stimulus less what the others predict for it.

    References
    ----------
    Rasmussen and Williams 2006, equations 2.25 (prediction), 5.8 (marginal likelihood) and 5.12
    (leaving one out).
    """

    def __init__(
        self,
        groups: Sequence[str] | np.ndarray | None = None,
        known_groups: Sequence[str] | np.ndarray | None = None,
    ) -> None:
        self.groups = groups
        self.known_groups = known_groups

    def fit(self, features: np.ndarray, responses: np.ndarray) -> TransferEncoder:
        """Fit to training stimuli.

        Parameters
        ----------
        features : array of shape (n_stimuli, n_known)
            Response of each known voxel to each stimulus.
        responses : array of shape (n_stimuli, n_voxels)
            Measured responses of the new subject.

        Returns
        -------
        TransferEncoder
            Itself.
        """
        known = np.asarray(features, dtype=np.float64)
        self.mean_ = responses.mean(axis=0)
        centred = (responses - self.mean_).astype(np.float64)
        self.weights_ = np.zeros((known.shape[1], responses.shape[1]), dtype=np.float32)
        self.noise_, self.variance_ = np.zeros((2, responses.shape[1]))
        self.residuals_ = np.zeros(responses.shape)
        for own, share in self._priors(known.shape[1], responses.shape[1]):
            process = _Likeliest((known * share) @ known.T, centred[:, own])
            self.weights_[:, own] = share[:, None] * (known.T @ process.dual)
            self.noise_[own] = process.noise
            self.residuals_[:, own], self.variance_[own] = process.leave_one_out()
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict responses.

        Parameters
        ----------
        features : array of shape (n_stimuli, n_known)
            As in `fit`.

        Returns
        -------
        array of float32 of shape (n_stimuli, n_voxels)
            Posterior mean.
        """
        known = np.asarray(features, dtype=np.float32)
        return known @ self.weights_ + self.mean_.astype(np.float32)

    def _priors(self, n_known: int, n_voxels: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """New voxels with the same labels (numbers), and weights of the known ones for them."""
        if self.groups is None or self.known_groups is None:
            return [(np.arange(n_voxels), np.full(n_known, 1 / n_known))]
        groups, known = np.atleast_2d(self.groups), np.atleast_2d(self.known_groups)
        found, number = np.unique(groups, axis=1, return_inverse=True)
        priors = []
        for column, labels in enumerate(found.T):
            share = np.full(n_known, 1 / n_known)
            for label, theirs in zip(labels, known, strict=True):
                # a label that no known voxel has adds nothing
                like = (theirs == label) & (label != "")
                share += like / max(int(like.sum()), 1)
            priors.append((np.flatnonzero(number.ravel() == column), share))
        return priors


class _Likeliest:
    """Gaussian processes of one kernel under the noise that makes each voxel's responses likeliest.

    The amplitude has its best value in closed form, which leaves the ratio of noise to signal.
    """

    def __init__(self, kernel: np.ndarray, centred: np.ndarray) -> None:
        values, self.vectors = np.linalg.eigh(kernel)
        self.values = np.maximum(values, 0)
        rotated = self.vectors.T @ centred
        best = np.full(centred.shape[1], -np.inf)
        self.amplitude, self.ratio = np.zeros((2, centred.shape[1]))
        for candidate in _NOISE * max(float(self.values.mean()), 1e-12):
            total = self.values + candidate
            amplitude = np.maximum((rotated**2 / total[:, None]).mean(axis=0), 1e-12)
            likelihood = -0.5 * (len(values) * np.log(amplitude) + np.log(total).sum())
            better = likelihood > best
            best = np.where(better, likelihood, best)
            self.amplitude = np.where(better, amplitude, self.amplitude)
            self.ratio = np.where(better, candidate, self.ratio)
        self.dual = self.vectors @ (rotated / (self.values[:, None] + self.ratio))

    @property
    def noise(self) -> np.ndarray:
        """Variance of the noise of each voxel."""
        return self.amplitude * self.ratio

    def leave_one_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Residual of each stimulus (n, n_voxels), and mean variance of the prediction."""
        precision = self.vectors**2 @ (1 / (self.values[:, None] + self.ratio))
        variance = (self.amplitude / precision).mean(axis=0) - self.noise
        return self.dual / precision, np.maximum(variance, 0)
