"""One subject and one fold of each baseline: stores in, predictions out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold

from neurodecode.errors import DataError
from neurodecode.linear import (
    LikelihoodIdentifier,
    RidgeDecoder,
    RidgeEncoder,
    StackedLikelihood,
    category_classifier,
)
from neurodecode.linear.banded import BandedRidgeEncoder
from neurodecode.loaders.draw import TrialDraw
from neurodecode.loaders.noise import Whitening
from neurodecode.loaders.table import RepeatAverages, TrialTable
from neurodecode.splits import Split
from neurodecode.store import Prediction, ResponseStore
from neurodecode.tasks.features import Bands, FeatureReader, Features

__all__ = [
    "Bands", "FeatureReader", "Features", "LinearOptions", "classify", "decode", "identify",
    "identify_predicted", "predicted_rows", "stack_judge", "validation_turns",
]  # fmt: skip

#: Parts of the validation stimuli that are judged in turn by what the others say.
_N_PARTS = 5


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
    draw : TrialDraw or None
        Fit on these training trials alone, whichever side is predicted.
    repeats : int or None
        Average so many repeats of a stimulus at a time where it is predicted; all by default.
        Ridge decoder only.
    whiten : {"space", "both"} or None
        Whiten the noise of MEG and EEG before (`neurodecode.loaders.noise.NoiseNormaliser`).
    """

    n_components: int | None = None
    whitening: float = 0.0
    n_voxels: int | None = None
    seed: int = 0
    side: Literal["test", "validation"] = "test"
    draw: TrialDraw | None = None
    repeats: int | None = None
    whiten: Whitening | None = None

    @property
    def fit_sides(self) -> tuple[str, ...]:
        """Sides of the fold that models are fitted on."""
        # validation stimuli would be trials beyond those that were drawn
        together = self.side == "test" and self.draw is None
        return ("train", "validation") if together else ("train",)


def decode(
    store: ResponseStore,
    split: Split,
    fold: int,
    features: Features,
    options: LinearOptions,
    more: Sequence[Features] = (),
) -> Prediction:
    """Ridge regression from responses to one or more embeddings.

    Parameters
    ----------
    store : ResponseStore
        Responses of the subject.
    split : Split
        The checked split.
    fold : int
        Which fold.
    features : Features
        The embedding to decode, and to rank candidates by.
    options : LinearOptions
        Settings.
    more : sequence of Features
        Further embeddings to decode, for a generator: latents, say.

    Returns
    -------
    Prediction
        ``scores``: cosines with the test stimuli after the training mean has been taken from
        both sides, without which what all embeddings have in common outweighs the little
        that a ridge regression dares to predict. Without principal components (their space
        exists only inside the fold) also the decoded embedding, under its own name; and those of
        `more`.
    """
    table = _load(store, split, fold, options)
    fit = table.average(*options.fit_sides)
    test = table.averages_of(options.repeats, options.side)
    names = np.unique(test.stimulus_id)
    decoder = RidgeDecoder(options.n_components, options.whitening, seed=options.seed)
    decoder.fit(fit.responses, features.read(fit.stimulus_id))
    arrays = {"scores": decoder.similarity(test.responses, features.read(names))}
    if options.n_components is None:
        arrays[features.target] = decoder.predict(test.responses)
    for each in more:
        further = RidgeDecoder(seed=options.seed)
        further.fit(fit.responses, each.read(fit.stimulus_id))
        arrays[each.target] = further.predict(test.responses)
    return _prediction(store, test, fold, arrays, names)


def identify(
    store: ResponseStore,
    split: Split,
    fold: int,
    features: Features | Bands,
    options: LinearOptions,
) -> Prediction:
    """Likelihood of the responses under a ridge encoder, for each test stimulus.

    Parameters
    ----------
    store, split, fold, options
        As in `decode`.
    features : Features or Bands
        What the encoder predicts from; each band has a penalty of its own.

    Returns
    -------
    Prediction
        ``scores`` (log-likelihood in nats), ``responses`` and ``measured`` (predicted and
        measured response to each test stimulus, standardised).
    """
    table = _load(store, split, fold, options)
    fit, test = table.average(*options.fit_sides), table.average(options.side)
    model = LikelihoodIdentifier(
        _encoder(features, options), n_voxels=options.n_voxels, seed=options.seed
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


def _encoder(features: Features | Bands, options: LinearOptions) -> BaseEstimator:
    if isinstance(features, Bands):
        return BandedRidgeEncoder(features.sizes, options.n_components, seed=options.seed)
    return RidgeEncoder(options.n_components, seed=options.seed)


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
    was fitted to. If it is those that are identified, a fifth of them at a time is judged by
    weights and noise of the other four, and no response is judged by what was learned from it.

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

    Raises
    ------
    DataError
        If a stimulus was not predicted, or there are too few validation stimuli to part.
    """
    table = TrialTable.load(store, split, fold, ("train",), options.draw)
    fit, validation, test = (table.average(side) for side in ("train", "validation", "test"))
    sides = (fit, validation, test)
    encoders = [[predicted_rows(each, side.stimulus_id) for side in sides] for each in predicted]
    if features is not None:
        ridge = RidgeEncoder(options.n_components, seed=options.seed)
        ridge.fit(features.read(fit.stimulus_id), fit.responses)
        encoders.append([ridge.predict(features.read(side.stimulus_id)) for side in sides])
    on_fit, on_validation, on_test = zip(*encoders, strict=True)

    judge = stack_judge(table, on_fit, on_validation)
    if options.side == "validation":
        turns = validation_turns(store, fold, len(validation.stimulus_id), options.seed)
        arrays = _identify_in_turn(judge, validation, on_validation, turns)
        return _prediction(store, validation, fold, arrays, validation.stimulus_id)
    model = judge(np.arange(len(validation.stimulus_id)))
    arrays = {
        "scores": model.log_likelihood(test.responses, on_test, test.n_averaged),
        "responses": model.predict(on_test),
        "measured": test.responses,
    }
    return _prediction(store, test, fold, arrays, test.stimulus_id)


def stack_judge(
    table: TrialTable, on_fit: Sequence[np.ndarray], on_validation: Sequence[np.ndarray]
) -> Callable[[np.ndarray], StackedLikelihood]:
    """Prepare to learn how trained encoders are weighed, and their noise.

    Parameters
    ----------
    table : TrialTable
        Standardised by training trials.
    on_fit, on_validation : sequence of array of shape (n_stimuli, n_voxels)
        What each encoder predicts for the training and the validation stimuli.

    Returns
    -------
    callable
        Rows of the validation stimuli to learn from -> StackedLikelihood that knows no other.
    """
    fit, validation = table.average("train"), table.average("validation")

    def judge(known: np.ndarray) -> StackedLikelihood:
        """Learn from some of the validation stimuli."""
        others = np.delete(validation.stimulus_id, known)
        return StackedLikelihood().fit(
            on_fit,
            fit.responses,
            [each[known] for each in on_validation],
            validation.responses[known],
            validation.n_averaged[known],
            table.deviations("train", "validation", without=others),
        )

    return judge


def validation_turns(
    store: ResponseStore, fold: int, n_stimuli: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Part the validation stimuli, so that none is judged by what was learned from it.

    Parameters
    ----------
    store : ResponseStore
        The subject, for the error.
    fold : int
        Which fold, for the error.
    n_stimuli : int
        How many there are.
    seed : int
        Of the parts.

    Yields
    ------
    known, part : array of int
        Rows to learn from, and rows to judge.

    Raises
    ------
    DataError
        If there are too few.
    """
    # the stack parts what it learns from once more
    if n_stimuli < 2 * _N_PARTS:
        raise DataError(
            f"fold {fold} has {n_stimuli} validation stimuli, fewer than {2 * _N_PARTS}",
            subject=store.subject,
            field="splits",
            fix="prepare again with a larger share for validation",
        )
    parts = KFold(_N_PARTS, shuffle=True, random_state=seed)
    yield from parts.split(np.empty((n_stimuli, 1)))


def _identify_in_turn(
    judge: Callable[[np.ndarray], StackedLikelihood],
    held_out: RepeatAverages,
    on_held_out: Sequence[np.ndarray],
    turns: Iterable[tuple[np.ndarray, np.ndarray]],
) -> dict[str, np.ndarray]:
    """Identify each part of the stimuli among all by a model that learned from the others."""
    n_stimuli = len(held_out.stimulus_id)
    scores = np.empty((n_stimuli, n_stimuli))
    responses = np.empty(held_out.responses.shape)
    for known, part in turns:
        model = judge(known)
        counts = held_out.n_averaged[part]
        scores[part] = model.log_likelihood(held_out.responses[part], on_held_out, counts)
        responses[part] = model.predict([each[part] for each in on_held_out])
    return {"scores": scores, "responses": responses, "measured": held_out.responses}


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
    table = TrialTable.load(store, split, fold, options.fit_sides, options.draw, options.whiten)
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


def predicted_rows(predicted: Prediction, ids: Sequence[str]) -> np.ndarray:
    """Pick predicted responses of some stimuli.

    Parameters
    ----------
    predicted : Prediction
        With ``responses``.
    ids : sequence of str of length n
        Stimuli.

    Returns
    -------
    array of shape (n, n_voxels)
        Responses.

    Raises
    ------
    DataError
        If one was not predicted.
    """
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
