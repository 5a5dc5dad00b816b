"""A space of stimulus features that is learnt from training stimuli: scaling, then PCA."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA

__all__ = ["FeatureSpace"]


class FeatureSpace(TransformerMixin, BaseEstimator):
    """Standardise features and keep their first principal components.

    Parameters
    ----------
    n_components : int or None
        Components to keep, fewer if there are fewer features or stimuli; None keeps the
        standardised features as they are.
    whitening : float
        Each component is divided by its standard deviation to this power: 0 leaves the
        principal components, 1 gives all of them the same variance.
    seed : int
        Of the randomised decomposition that scikit-learn chooses for large problems.

    Attributes
    ----------
    mean_, scale_ : array of shape (n_features,)
        Of the training stimuli; a constant feature has scale 1.
    pca_ : PCA or None
        The fitted decomposition.
    """

    def __init__(
        self, n_components: int | None = None, whitening: float = 0.0, seed: int = 0
    ) -> None:
        self.n_components = n_components
        self.whitening = whitening
        self.seed = seed

    def fit(self, features: np.ndarray, y: object = None) -> FeatureSpace:
        """Learn the space.

        Parameters
        ----------
        features : array of shape (n_stimuli, ...)
            Features of the training stimuli; further axes are flattened.
        y : None
            Ignored.

        Returns
        -------
        FeatureSpace
            Itself.
        """
        flat = _flatten(features)
        self.mean_ = flat.mean(axis=0)
        spread = flat.std(axis=0)
        self.scale_ = np.where(spread > 1e-6 * max(float(spread.max()), 1e-12), spread, 1.0)
        self.pca_ = None
        if self.n_components is not None:
            n_components = min(self.n_components, *flat.shape)
            self.pca_ = PCA(n_components, random_state=self.seed).fit(self._standardise(flat))
        return self

    def transform(self, features: np.ndarray) -> np.ndarray:
        """Map stimuli into the space.

        Parameters
        ----------
        features : array of shape (n_stimuli, ...)
            As given to `fit`.

        Returns
        -------
        array of float32 of shape (n_stimuli, n_components)
            Their coordinates.
        """
        values = self._standardise(_flatten(features))
        if self.pca_ is not None:
            values = self.pca_.transform(values)
            # a direction without variance stays at zero instead of becoming noise
            deviation = np.sqrt(np.maximum(self.pca_.explained_variance_, 1e-12))
            values = values / deviation**self.whitening
        return values.astype(np.float32)

    def inverse_transform(self, coordinates: np.ndarray) -> np.ndarray:
        """Map coordinates back to features.

        Parameters
        ----------
        coordinates : array of shape (n, n_components)
            From `transform`, or predicted.

        Returns
        -------
        array of float32 of shape (n, n_features)
            Flattened features; what the components left out is that of the mean.
        """
        values = np.asarray(coordinates, dtype=np.float64)
        if self.pca_ is not None:
            deviation = np.sqrt(np.maximum(self.pca_.explained_variance_, 1e-12))
            values = self.pca_.inverse_transform(values * deviation**self.whitening)
        return (values * self.scale_ + self.mean_).astype(np.float32)

    def pull_back(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Express a linear map of the coordinates as one of the features themselves.

        Parameters
        ----------
        coefficients : array of shape (n_components, n_outputs)
            The map.

        Returns
        -------
        weights : array of float64 of shape (n_features, n_outputs)
            ``transform(x) @ coefficients`` is ``flatten(x) @ weights + offset``.
        offset : array of float64 of shape (n_outputs,)
            What the means take away.
        """
        weights, offset = np.asarray(coefficients, dtype=np.float64), 0.0
        if self.pca_ is not None:
            deviation = np.sqrt(np.maximum(self.pca_.explained_variance_, 1e-12))
            rotation = self.pca_.components_.T / deviation**self.whitening
            weights = rotation @ weights
            offset = -self.pca_.mean_ @ weights
        weights = weights / self.scale_[:, None]
        return weights, offset - self.mean_ @ weights

    def _standardise(self, flat: np.ndarray) -> np.ndarray:
        return (flat - self.mean_) / self.scale_


def _flatten(features: np.ndarray) -> np.ndarray:
    return np.asarray(features, dtype=np.float32).reshape(len(features), -1)
