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
        \frac{1}{|A_r|} \sum_{v \in A_r} f_v(x) f_v(x') \Big)

    over all known voxels A, and those of the new voxel's own region r. The amplitude a and the
    variance of the noise are those that make the new voxel's measured responses likeliest; this
    is ridge regression from the known voxels to the new one with a penalty chosen without
    cross-validation, which needs more trials than a new subject has.

    Parameters
    ----------
    groups : sequence of str of length n_voxels, optional
        Region of each new voxel; by default all are of one.
    known_groups : sequence of str of length n_known, optional
        Region of each known voxel.

    Attributes
    ----------
    weights_ : array of float32 of shape (n_known, n_voxels)
        From the responses of the known voxels to those of the new ones.
    mean_ : array of shape (n_voxels,)
        Mean training response.

    References
    ----------
    Rasmussen and Williams 2006, equations 2.25 (prediction) and 5.8 (marginal likelihood).
    """

    def __init__(
        self, groups: Sequence[str] | None = None, known_groups: Sequence[str] | None = None
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
        for own, like in self._regions(known.shape[1], responses.shape[1]):
            # without a known voxel of the same region, all of them are the prior
            share = 1 / known.shape[1] + like / max(int(like.sum()), 1)
            dual = _likeliest((known * share) @ known.T, centred[:, own])
            self.weights_[:, own] = share[:, None] * (known.T @ dual)
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

    def _regions(self, n_known: int, n_voxels: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """New voxels of each region (numbers), and known ones of it (mask)."""
        if self.groups is None or self.known_groups is None:
            return [(np.arange(n_voxels), np.zeros(n_known, dtype=bool))]
        groups, known = np.asarray(self.groups), np.asarray(self.known_groups)
        return [(np.flatnonzero(groups == name), known == name) for name in np.unique(groups)]


def _likeliest(kernel: np.ndarray, centred: np.ndarray) -> np.ndarray:
    """Dual weights under the noise that makes each voxel's responses likeliest.

    The amplitude has its best value in closed form, which leaves the ratio of noise to signal.
    """
    values, vectors = np.linalg.eigh(kernel)
    values = np.maximum(values, 0)
    rotated = vectors.T @ centred
    best = np.full(centred.shape[1], -np.inf)
    noise = np.zeros(centred.shape[1])
    for candidate in _NOISE * max(float(values.mean()), 1e-12):
        total = values + candidate
        amplitude = np.maximum((rotated**2 / total[:, None]).mean(axis=0), 1e-12)
        likelihood = -0.5 * (len(values) * np.log(amplitude) + np.log(total).sum())
        better = likelihood > best
        best, noise = np.where(better, likelihood, best), np.where(better, candidate, noise)
    return vectors @ (rotated / (values[:, None] + noise))
