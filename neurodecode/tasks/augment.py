"""Predicted responses of one subject to pictures it never saw, for training decoders."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from neurodecode.errors import DataError
from neurodecode.linear import LikelihoodIdentifier
from neurodecode.loaders.table import TrialTable
from neurodecode.splits import Split
from neurodecode.store import ResponseStore
from neurodecode.store.synthetic import SyntheticResponses
from neurodecode.tasks.baselines import FeatureReader
from neurodecode.tasks.linear_encoder import covariances, fit_likelihood

__all__ = ["synthesise", "synthesise_by"]

_AT_ONCE = 2048


def synthesise(
    store: ResponseStore,
    split: Split,
    fold: int,
    features: FeatureReader,
    pool: Sequence[str],
    *,
    n_components: int = 200,
    seed: int = 0,
) -> SyntheticResponses:
    """Predict what a subject would have answered to pictures that it was not shown.

    An encoder and the covariance of what it leaves unexplained are fitted to training trials, as
    for identification by encoder likelihood.

    Parameters
    ----------
    store : ResponseStore
        Responses of one subject.
    split : Split
        How the data are divided.
    fold : int
        Which division.
    features : FeatureReader
        What the encoder predicts from.
    pool : sequence of str
        Pictures that training may use (`Split.pool`).
    n_components : int
        Principal components of the features, for the ridge encoder.
    seed : int
        Of the encoder's inner folds.

    Returns
    -------
    SyntheticResponses
        For the pictures of the pool that are new to the subject.

    Raises
    ------
    DataError
        If the subject was shown the whole pool.
    """
    table = TrialTable.load(store, split, fold, ("train",))
    model = fit_likelihood(table, features, n_components=n_components, seed=seed)
    digest = split.folds[fold].digest
    return synthesise_by(model, features, pool, table.stimulus_id, store.subject, digest)


def synthesise_by(
    model: LikelihoodIdentifier,
    features: FeatureReader,
    pool: Sequence[str],
    shown: Collection[str],
    subject: str,
    digest: str,
) -> SyntheticResponses:
    """Predict responses by an encoder that is fitted already.

    Parameters
    ----------
    model : LikelihoodIdentifier
        Encoder and noise.
    features : FeatureReader
        What it predicts from.
    pool : sequence of str
        Pictures that training may use.
    shown : collection of str
        Those the subject has seen.
    subject : str
        Whose responses they would be.
    digest : str
        Of the trials that the encoder knows (`TrialDraw.digest`).

    Returns
    -------
    SyntheticResponses
        For the pictures of the pool that are new to the subject.

    Raises
    ------
    DataError
        If the subject was shown the whole pool.
    """
    known = set(map(str, shown))
    new = [stimulus for stimulus in pool if stimulus not in known]
    if not new:
        raise DataError(
            "every picture that training may use was shown",
            subject=subject,
            field="stimuli",
            fix="store more of them with `neurodecode prepare --unshown N`",
        )
    predicted = [
        model.encoder_.predict(features.read(new[start : start + _AT_ONCE])).astype(np.float16)
        for start in range(0, len(new), _AT_ONCE)
    ]
    unexplained, trial = covariances(model.noise_)
    return SyntheticResponses(
        subject=subject,
        split=digest,
        stimulus_id=new,
        responses=np.concatenate(predicted),
        model_covariance=unexplained,
        trial_covariance=trial,
    )
