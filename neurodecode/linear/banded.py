"""Banded ridge regression: each feature space has a penalty of its own, for every response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from himalaya.ridge import GroupRidgeCV
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import KFold

from neurodecode.errors import ConfigError
from neurodecode.linear.feature_space import FeatureSpace
from neurodecode.linear.ridge import PENALTIES

__all__ = ["BandedRidgeEncoder", "mixtures"]

#: A band that is given nothing has no logarithm; this share of the weight is nothing.
_NOTHING = 1e-4


class BandedRidgeEncoder(RegressorMixin, BaseEstimator):
    """Features of several spaces -> responses; for each response, how much each space counts.

    Parameters
    ----------
    sizes : sequence of int
        Features of each space, in the order of the columns.
    n_components : int or None
        Principal components of each space, fitted on training stimuli; None uses the
        standardised features.
    steps : int
        Mixtures tried: all shares of the spaces that are multiples of one through this.
    penalties : sequence of float
        See `neurodecode.linear.fit_ridge`.
    n_folds : int
        Folds of the inner cross-validation.
    seed : int
        Of the folds.

    Attributes
    ----------
    deltas_ : array of shape (n_bands, n_responses)
        Logarithm of the weight of each band, over the penalty.

    Raises
    ------
    ConfigError
        By `fit`, if the sizes are not those of the features.

    References
    ----------
    Nunez-Elizalde et al. 2019; Dupre la Tour et al. 2022 (random search of himalaya, here over a
    fixed lattice of mixtures instead of random ones).
    """

    def __init__(
        self,
        sizes: Sequence[int],
        n_components: int | None = 200,
        steps: int = 4,
        penalties: Sequence[float] = PENALTIES,
        n_folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.sizes = sizes
        self.n_components = n_components
        self.steps = steps
        self.penalties = penalties
        self.n_folds = n_folds
        self.seed = seed

    def fit(self, features: np.ndarray, responses: np.ndarray) -> BandedRidgeEncoder:
        """Fit on training stimuli.

        Parameters
        ----------
        features : array of shape (n_stimuli, sum(sizes))
            Features of each stimulus, one space after the other.
        responses : array of shape (n_stimuli, n_voxels)
            Responses to each, repeats averaged.

        Returns
        -------
        BandedRidgeEncoder
            Itself.
        """
        bands = list(self._split(features))
        self.spaces_ = [FeatureSpace(self.n_components, seed=self.seed).fit(each) for each in bands]
        inputs = [space.transform(each) for space, each in zip(self.spaces_, bands, strict=True)]
        # every band has the same variance in all, or the penalty would choose among them
        self.scales_ = [max(float(each.var(axis=0).sum()), 1e-12) ** 0.5 for each in inputs]
        inputs = self._scaled(inputs)
        n_columns = sum(each.shape[1] for each in inputs)
        alphas = np.asarray(self.penalties) * len(features) * len(inputs) / n_columns
        model = GroupRidgeCV(
            groups="input",
            fit_intercept=True,
            cv=KFold(self.n_folds, shuffle=True, random_state=self.seed),
            random_state=self.seed,
            solver_params={
                "n_iter": mixtures(len(inputs), self.steps), "alphas": alphas,
                "progress_bar": False, "warn": False,
            },
        )  # fmt: skip
        self.ridge_ = model.fit(inputs, np.asarray(responses, dtype=np.float32))
        self.deltas_ = np.asarray(model.deltas_)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict responses.

        Parameters
        ----------
        features : array of shape (n_stimuli, sum(sizes))
            As in `fit`.

        Returns
        -------
        array of float32 of shape (n_stimuli, n_voxels)
            Predicted responses.
        """
        bands = self._split(features)
        inputs = [space.transform(each) for space, each in zip(self.spaces_, bands, strict=True)]
        return np.asarray(self.ridge_.predict(self._scaled(inputs)), dtype=np.float32)

    def _split(self, features: np.ndarray) -> Iterator[np.ndarray]:
        flat = np.asarray(features).reshape(len(features), -1)
        if flat.shape[1] != sum(self.sizes):
            raise ConfigError(
                f"bands of {' + '.join(map(str, self.sizes))} features, but {flat.shape[1]} given"
            )
        yield from np.split(flat, np.cumsum(self.sizes)[:-1], axis=1)

    def _scaled(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [each / np.float32(s) for each, s in zip(inputs, self.scales_, strict=True)]


def mixtures(n_bands: int, steps: int) -> np.ndarray:
    """Shares of the bands: a lattice on the simplex.

    Parameters
    ----------
    n_bands : int
        Feature spaces.
    steps : int
        Shares are multiples of one through this.

    Returns
    -------
    array of float32 of shape (n_mixtures, n_bands)
        Each row sums to one; (steps + n_bands - 1) choose (n_bands - 1) rows.
    """
    counts = np.array(list(_counts(n_bands, steps)), dtype=float) / steps
    floored = np.maximum(counts, _NOTHING)
    return (floored / floored.sum(axis=1, keepdims=True)).astype(np.float32)


def _counts(n_bands: int, left: int) -> Iterator[tuple[int, ...]]:
    """All ways to deal `left` to so many bands."""
    if n_bands == 1:
        yield (left,)
        return
    for own in range(left + 1):
        yield from ((own, *rest) for rest in _counts(n_bands - 1, left - own))
