"""One subject and one fold of each baseline: stores in, predictions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neurodecode.errors import DataError
from neurodecode.linear import (
    LikelihoodIdentifier,
    ResidualNoise,
    RidgeDecoder,
    RidgeEncoder,
    category_classifier,
    likelihood_matrix,
    stack_encoders,
)
from neurodecode.loaders.table import RepeatAverages, TrialTable
from neurodecode.splits import Split
from neurodecode.store import EmbeddingStore, Prediction, ResponseStore

__all__ = ["Features", "LinearOptions", "classify", "decode", "identify", "identify_predicted"]


@dataclass(frozen=True)
class LinearOptions:
    """Settings of the linear models.

    Parameters
    ----------
    n_components : int or None
        Principal components of the embedding, see `RidgeDecoder` and `RidgeEncoder`.
    whitening : float
        See `FeatureSpace`; ridge decoder only.
    n_voxels : int or None
        See `LikelihoodIdentifier`.
    seed : int
        Of the inner folds.
    side : {"test", "validation"}
        What is predicted. For the test side models are fitted on the other two, for the
        validation side on training alone.
    """

    n_components: int | None = None
    whitening: float = 0.0
    n_voxels: int | None = None
    seed: int = 0
    side: Literal["test", "validation"] = "test"

    @property
    def fit_sides(self) -> tuple[str, ...]:
        """Sides of the fold that models are fitted on."""
        return ("train", "validation") if self.side == "test" else ("train",)


@dataclass(frozen=True)
class Features:
    """Where the features of the stimuli are.

    Parameters
    ----------
    stores : sequence of EmbeddingStore
        One or more.
    target : str
        Name of the array in each of them.
    """

    stores: Sequence[EmbeddingStore]
    target: str

    def read(self, ids: Sequence[str]) -> np.ndarray:
        """Read features.

        Parameters
        ----------
        ids : sequence of str of length n
            Stimuli.

        Returns
        -------
        array of float32 of shape (n, ...)
            In the shape of the store, or flattened and joined if there are several.
        """
        blocks = [store.read(self.target, list(ids)) for store in self.stores]
        if len(blocks) == 1:
            return blocks[0]
        return np.concatenate([block.reshape(len(ids), -1) for block in blocks], axis=1)


def decode(
    store: ResponseStore, split: Split, fold: int, features: Features, options: LinearOptions
) -> Prediction:
    """Ridge regression from responses to the embedding.

    Parameters
    ----------
    store : ResponseStore
        Responses of the subject.
    split : Split
        The checked split.
    fold : int
        Which fold.
    features : Features
        The embedding to decode.
    options : LinearOptions
        Settings.

    Returns
    -------
    Prediction
        ``scores``: cosines with the test stimuli after the training mean has been taken from
        both sides, without which what all embeddings have in common outweighs the little
        that a ridge regression dares to predict. Without principal components (their space
        exists only inside the fold) also the decoded embedding, under its own name.
    """
    table = _load(store, split, fold, options)
    fit, test = table.average(*options.fit_sides), table.average(options.side)
    decoder = RidgeDecoder(options.n_components, options.whitening, seed=options.seed)
    decoder.fit(fit.responses, features.read(fit.stimulus_id))
    candidates = features.read(test.stimulus_id)
    arrays = {"scores": decoder.similarity(test.responses, candidates)}
    if options.n_components is None:
        arrays[features.target] = decoder.predict(test.responses)
    return _prediction(store, test, fold, arrays, test.stimulus_id)


def identify(
    store: ResponseStore, split: Split, fold: int, features: Features, options: LinearOptions
) -> Prediction:
    """Likelihood of the responses under a ridge encoder, for each test stimulus.

    Parameters
    ----------
    store, split, fold, options
        As in `decode`.
    features : Features
        What the encoder predicts from.

    Returns
    -------
    Prediction
        ``scores`` (log-likelihood in nats), ``responses`` and ``measured`` (predicted and
        measured response to each test stimulus, standardised).
    """
    table = _load(store, split, fold, options)
    fit, test = table.average(*options.fit_sides), table.average(options.side)
    model = LikelihoodIdentifier(
        RidgeEncoder(options.n_components, seed=options.seed),
        n_voxels=options.n_voxels,
        seed=options.seed,
    )
    deviations = table.deviations(*options.fit_sides)
    model.fit(features.read(fit.stimulus_id), fit.responses, fit.n_averaged, deviations)
    candidates = features.read(test.stimulus_id)
    arrays = {
        "scores": model.log_likelihood(test.responses, candidates, test.n_averaged),
        "responses": model.encoder_.predict(candidates),
        "measured": test.responses,
    }
    return _prediction(store, test, fold, arrays, test.stimulus_id)


def identify_predicted(
    store: ResponseStore,
    split: Split,
    fold: int,
    predicted: Sequence[Prediction],
    features: Features | None,
    options: LinearOptions,
) -> Prediction:
    """Likelihood of the responses under encoders that were trained elsewhere.

    Stacking weights and the size of the noise come from validation stimuli, which no encoder
    was fitted to.

    Parameters
    ----------
    store, split, fold, options
        As in `decode`.
    predicted : sequence of Prediction
        Predicted ``responses`` of each encoder to all stimuli of the fold, in units of
        responses standardised by training trials.
    features : Features or None
        If given, a ridge encoder from these features to the training responses is stacked
        with the others.

    Returns
    -------
    Prediction
        As from `identify`.
    """
    table = TrialTable.load(store, split, fold, ("train",))
    fit, validation, test = (table.average(side) for side in ("train", "validation", "test"))
    sides = (fit, validation, test)
    encoders = [[_rows(each, side.stimulus_id) for side in sides] for each in predicted]
    if features is not None:
        ridge = RidgeEncoder(options.n_components, seed=options.seed)
        ridge.fit(features.read(fit.stimulus_id), fit.responses)
        encoders.append([ridge.predict(features.read(side.stimulus_id)) for side in sides])
    on_fit, on_validation, on_test = zip(*encoders, strict=True)
    stack = stack_encoders(on_validation, validation.responses)
    noise = ResidualNoise().calibrate(
        fit.responses - stack.combine(on_fit),
        validation.responses,
        stack.held_out,
        validation.n_averaged,
        table.deviations("train", "validation"),
    )
    responses = stack.combine(on_test)
    scores = likelihood_matrix(test.responses, responses, noise, test.n_averaged)
    arrays = {"scores": scores, "responses": responses, "measured": test.responses}
    return _prediction(store, test, fold, arrays, test.stimulus_id)


def classify(store: ResponseStore, split: Split, fold: int, options: LinearOptions) -> Prediction:
    """Logistic regression of the category, for stimuli that are categories.

    Parameters
    ----------
    store, split, fold, options
        As in `decode`.

    Returns
    -------
    Prediction
        One row a test trial; ``scores`` are log-probabilities of the categories.

    Raises
    ------
    DataError
        If a category is absent from training.
    """
    table = _load(store, split, fold, options)
    fit, test = table.trials(*options.fit_sides), table.trials(options.side)
    labels = table.stimulus_id
    if unseen := set(labels[test]) - set(labels[fit]):
        raise DataError(
            f"fold {fold} tests {min(unseen)!r}, which is not in training",
            subject=store.subject,
            field="stimulus_id",
            fix="category decoding needs every category on both sides",
        )
    classifier = category_classifier().fit(table.responses[fit], labels[fit])
    scores = classifier.predict_log_proba(table.responses[test])
    trials = RepeatAverages(labels[test], table.responses[test], np.ones(len(test), dtype=int))
    return _prediction(store, trials, fold, {"scores": scores}, classifier.classes_)


def _load(store: ResponseStore, split: Split, fold: int, options: LinearOptions) -> TrialTable:
    table = TrialTable.load(store, split, fold, options.fit_sides)
    if not len(table.sides[options.side]):
        raise DataError(
            f"fold {fold} has no {options.side} trials", subject=store.subject, field="splits"
        )
    return table


def _prediction(
    store: ResponseStore,
    test: RepeatAverages,
    fold: int,
    arrays: dict[str, np.ndarray],
    candidates: Sequence[str] = (),
) -> Prediction:
    return Prediction(
        subject=store.subject,
        stimulus_id=list(test.stimulus_id),
        arrays={name: np.asarray(values, dtype=np.float32) for name, values in arrays.items()},
        candidate_id=list(candidates),
        n_averaged=float(test.n_averaged.mean()) * store.n_averaged,
        fold=fold,
    )


def _rows(predicted: Prediction, ids: Sequence[str]) -> np.ndarray:
    """Predicted responses of some stimuli."""
    row_of = {stimulus: row for row, stimulus in enumerate(predicted.stimulus_id)}
    missing = [stimulus for stimulus in ids if stimulus not in row_of]
    if missing or "responses" not in predicted.arrays:
        raise DataError(
            f"no predicted response to {len(missing)} stimuli of fold {predicted.fold}",
            subject=predicted.subject,
            field="responses",
            fix="run `neurodecode predict` of the encoder on this fold again",
        )
    return predicted.arrays["responses"][[row_of[stimulus] for stimulus in ids]]
