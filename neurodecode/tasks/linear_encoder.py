"""A linear encoder of one subject, fitted to training trials, with a calibrated noise model."""

from __future__ import annotations

import numpy as np

from neurodecode.errors import DataError
from neurodecode.linear import LikelihoodIdentifier, ResidualNoise, RidgeEncoder
from neurodecode.loaders.table import TrialTable
from neurodecode.splits import Split
from neurodecode.store import ResponseStore
from neurodecode.store.encoders import LinearEncoder
from neurodecode.tasks.baselines import FeatureReader, Features

__all__ = ["covariances", "fit_likelihood", "fit_linear_encoder"]

#: Says how features were computed, not what they are.
_HOW = "batch_size"


def fit_likelihood(
    table: TrialTable,
    features: FeatureReader,
    *,
    n_components: int = 200,
    seed: int = 0,
    identifier: LikelihoodIdentifier | None = None,
) -> LikelihoodIdentifier:
    """Fit encoder and residual covariance to the training trials of a subject.

    Parameters
    ----------
    table : TrialTable
        Standardised by training trials alone.
    features : FeatureReader
        What the encoder predicts from.
    n_components : int
        Principal components of the features, for the ridge encoder.
    seed : int
        Of the inner folds.
    identifier : LikelihoodIdentifier, optional
        To be fitted; by default that of a ridge encoder.

    Returns
    -------
    LikelihoodIdentifier
        Fitted.
    """
    average = table.average("train")
    ridge = RidgeEncoder(n_components, seed=seed)
    model = identifier or LikelihoodIdentifier(ridge, seed=seed)
    known = features.read(average.stimulus_id)
    return model.fit(known, average.responses, average.n_averaged, table.deviations("train"))


def covariances(noise: ResidualNoise) -> tuple[np.ndarray, np.ndarray]:
    """Take a fitted noise model apart.

    Parameters
    ----------
    noise : ResidualNoise
        Fitted.

    Returns
    -------
    model, trial : array of float64 of shape (n_voxels, n_voxels)
        Covariance of the encoder's error and of single trials; where the two cannot be told
        apart, all of it is in the first.
    """
    if noise.trial_ is None:
        return noise.residual_, np.zeros_like(noise.residual_)
    return noise.model_, noise.trial_


def fit_linear_encoder(
    store: ResponseStore,
    split: Split,
    fold: int,
    features: Features,
    *,
    n_components: int = 200,
    seed: int = 0,
) -> LinearEncoder:
    """Fit an encoder that can be applied to any picture.

    Parameters
    ----------
    store : ResponseStore
        Responses of one subject.
    split : Split
        How the data are divided.
    fold : int
        Which division; only its training trials are used.
    features : Features
        What the encoder predicts from: one embedding store.
    n_components : int
        Principal components of the features.
    seed : int
        Of the inner folds.

    Returns
    -------
    LinearEncoder
        Of this subject and fold.

    Raises
    ------
    DataError
        If the embedding store does not say whose features it holds, or the responses do not
        fit the split.
    """
    about = {name: value for name, value in features.stores[0].attrs.items() if name != _HOW}
    if "embedder" not in about:
        raise DataError(
            "does not say which embedder made it",
            file=features.stores[0].path,
            field="embedder",
            fix="make it with `neurodecode embed`",
        )
    table = TrialTable.load(store, split, fold, ("train",))
    model = fit_likelihood(table, features, n_components=n_components, seed=seed)
    weights, intercept = model.encoder_.affine()
    unexplained, trial = covariances(model.noise_)
    return LinearEncoder(
        subject=store.subject,
        split=split.folds[fold].digest,
        embedder=str(about.pop("embedder")),
        target=features.target,
        features=about,
        weights=weights.astype(np.float32),
        intercept=intercept.astype(np.float32),
        model_covariance=unexplained.astype(np.float32),
        trial_covariance=trial.astype(np.float32),
    )
