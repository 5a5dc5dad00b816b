"""Ridge regression in both directions, solved by himalaya."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from himalaya.ridge import RidgeCV
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import KFold

from neurodecode.linear.feature_space import FeatureSpace
from neurodecode.linear.wide import WideRidge

__all__ = ["PENALTIES", "RidgeDecoder", "RidgeEncoder", "fit_ridge"]

#: Penalties tried, per training sample and per unit of mean input variance.
PENALTIES = tuple(np.logspace(-4, 4, 17).tolist())


def fit_ridge(
    inputs: np.ndarray,
    outputs: np.ndarray,
    *,
    penalties: Sequence[float] = PENALTIES,
    n_folds: int = 5,
    seed: int = 0,
) -> RidgeCV | WideRidge:
    r"""Fit a ridge regression whose penalty is chosen for each output by cross-validation.

    .. math:: \min_W \|Y - 1 b^T - X W\|^2 + \alpha_t n v \|w_t\|^2

    with n samples and v the mean variance of the inputs, so that the grid of penalties means
    the same for every data set. Folds are random and fixed by `seed`: one row has to be one
    stimulus, or repeats of it would be on both sides.

    Parameters
    ----------
    inputs : array of shape (n_samples, n_inputs)
        Training inputs.
    outputs : array of shape (n_samples, n_outputs)
        Training outputs.
    penalties : sequence of float
        The alphas to try.
    n_folds : int
        Folds of the inner cross-validation.
    seed : int
        Of the folds.

    Returns
    -------
    RidgeCV or WideRidge
        Fitted on all samples; ``best_alphas_`` holds the penalties, times n and v. The second is
        the same regression, solved faster where there are more inputs than samples.
    """
    inputs = np.asarray(inputs, dtype=np.float32)
    scale = len(inputs) * max(float(inputs.var(axis=0).mean()), 1e-12)
    alphas = np.asarray(penalties) * scale
    folds = KFold(n_folds, shuffle=True, random_state=seed)
    outputs = np.asarray(outputs, dtype=np.float32)
    if inputs.shape[1] > len(inputs):
        return WideRidge(alphas, folds).fit(inputs, outputs)
    # in a fold there may be fewer samples than inputs, of which himalaya would warn
    model = RidgeCV(alphas=alphas, fit_intercept=True, cv=folds, solver_params={"warn": False})
    return model.fit(inputs, outputs)


class _Ridge(RegressorMixin, BaseEstimator):
    """One direction of the regression; a subclass says what is regressed on what."""

    penalties: Sequence[float]
    n_folds: int
    seed: int

    def _regress(self, inputs: np.ndarray, outputs: np.ndarray) -> None:
        self.ridge_ = fit_ridge(
            inputs, outputs, penalties=self.penalties, n_folds=self.n_folds, seed=self.seed
        )


class RidgeDecoder(_Ridge):
    """Responses -> embedding of the stimulus.

    Parameters
    ----------
    n_components : int or None
        Decode this many principal components of the embedding, fitted on training stimuli;
        None decodes the embedding itself.
    whitening : float
        See `FeatureSpace`; with 1 every component counts alike in a cosine.
    penalties : sequence of float
        See `fit_ridge`.
    n_folds : int
        Folds of the inner cross-validation.
    seed : int
        Of the folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> responses, targets = rng.normal(size=(40, 7)), rng.normal(size=(40, 3, 2))
    >>> RidgeDecoder().fit(responses, targets).predict(responses[:5]).shape
    (5, 3, 2)
    """

    def __init__(
        self,
        n_components: int | None = None,
        whitening: float = 0.0,
        penalties: Sequence[float] = PENALTIES,
        n_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.n_components = n_components
        self.whitening = whitening
        self.penalties = penalties
        self.n_folds = n_folds
        self.seed = seed

    def fit(self, responses: np.ndarray, targets: np.ndarray) -> RidgeDecoder:
        """Fit on training stimuli.

        Parameters
        ----------
        responses : array of shape (n_stimuli, n_features)
            One row a stimulus (repeats averaged), standardised by training statistics.
        targets : array of shape (n_stimuli, ...)
            Their embeddings.

        Returns
        -------
        RidgeDecoder
            Itself.
        """
        self.target_shape_ = targets.shape[1:]
        self.mean_ = np.asarray(targets, dtype=np.float32).mean(axis=0)
        self.space_ = None
        if self.n_components is not None:
            self.space_ = FeatureSpace(self.n_components, self.whitening, self.seed).fit(targets)
        self._regress(responses, self.embed(targets))
        return self

    def embed(self, targets: np.ndarray) -> np.ndarray:
        """Map embeddings to where predictions can be compared with them.

        Parameters
        ----------
        targets : array of shape (n_stimuli, ...)
            Embeddings of any stimuli.

        Returns
        -------
        array of shape (n_stimuli, n_outputs)
            Principal components, or the flattened embedding less its training mean.
        """
        if self.space_ is not None:
            return self.space_.transform(targets)
        return (np.asarray(targets, dtype=np.float32) - self.mean_).reshape(len(targets), -1)

    def predict(self, responses: np.ndarray) -> np.ndarray:
        """Decode.

        Parameters
        ----------
        responses : array of shape (n_stimuli, n_features)
            As in `fit`.

        Returns
        -------
        array of float32 of shape (n_stimuli, n_components) or (n_stimuli, ...)
            Components, or embeddings in the shape given to `fit`.
        """
        decoded = self.ridge_.predict(np.asarray(responses, dtype=np.float32))
        if self.space_ is not None:
            return decoded
        return decoded.reshape(-1, *self.target_shape_) + self.mean_

    def similarity(self, responses: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Cosine between what is decoded and every candidate, both less the training mean.

        Parameters
        ----------
        responses : array of shape (n_responses, n_features)
            As in `fit`.
        targets : array of shape (n_candidates, ...)
            Embeddings of the candidates.

        Returns
        -------
        array of shape (n_responses, n_candidates)
            Cosines.
        """
        decoded = self.ridge_.predict(np.asarray(responses, dtype=np.float32))
        return _unit(decoded) @ _unit(self.embed(targets)).T


class RidgeEncoder(_Ridge):
    """Features of the stimulus -> responses.

    Parameters
    ----------
    n_components : int or None
        Predict from this many principal components of the features, fitted on training
        stimuli; None uses the standardised features.
    penalties : sequence of float
        See `fit_ridge`.
    n_folds : int
        Folds of the inner cross-validation.
    seed : int
        Of the folds.
    """

    def __init__(
        self,
        n_components: int | None = 200,
        penalties: Sequence[float] = PENALTIES,
        n_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.n_components = n_components
        self.penalties = penalties
        self.n_folds = n_folds
        self.seed = seed

    def fit(self, features: np.ndarray, responses: np.ndarray) -> RidgeEncoder:
        """Fit on training stimuli.

        Parameters
        ----------
        features : array of shape (n_stimuli, ...)
            Features of each stimulus.
        responses : array of shape (n_stimuli, n_voxels)
            Responses to each, repeats averaged.

        Returns
        -------
        RidgeEncoder
            Itself.
        """
        self.space_ = FeatureSpace(self.n_components, seed=self.seed).fit(features)
        self._regress(self.space_.transform(features), responses)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict responses.

        Parameters
        ----------
        features : array of shape (n_stimuli, ...)
            Features of any stimuli.

        Returns
        -------
        array of float32 of shape (n_stimuli, n_voxels)
            Predicted responses.
        """
        return self.ridge_.predict(self.space_.transform(features))

    def affine(self) -> tuple[np.ndarray, np.ndarray]:
        """Write the model as one matrix: ``predict(x)`` is ``flatten(x) @ weights + intercept``.

        Returns
        -------
        weights : array of float64 of shape (n_features, n_voxels)
            From features as they are, neither scaled nor rotated.
        intercept : array of float64 of shape (n_voxels,)
            Response to features of zero.
        """
        weights, offset = self.space_.pull_back(self.ridge_.coef_)
        return weights, offset + self.ridge_.intercept_


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
