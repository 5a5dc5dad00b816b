"""Several methods as one: weights from validation predictions, a posterior of test predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodecode.errors import DataError, LeakError
from neurodecode.evaluation.identification import ReadTargets, read_targets, score_matrix
from neurodecode.metrics.functional.experts import expert_posterior, fit_posterior
from neurodecode.splits import Split
from neurodecode.store import Prediction
from neurodecode.store.predictions import PredictionFile

__all__ = ["Ranking", "Rankings", "check_side", "combine", "rankings"]


@dataclass(frozen=True)
class Ranking:
    """How all methods rank the candidates of one subject and fold.

    Parameters
    ----------
    scores : dict of str to array of shape (n, n_candidates)
        Scores of each method, same items and candidates in the same order.
    stimulus_id : list of str of length n
        The items.
    candidate_id : list of str of length n_candidates
        The candidates.
    n_averaged : float
        How many repeats the responses were averaged over.
    n_trials : int or None
        How many training trials the methods were given, where that is counted.
    """

    scores: dict[str, np.ndarray]
    stimulus_id: list[str]
    candidate_id: list[str]
    n_averaged: float
    n_trials: int | None = None

    def truth(self) -> np.ndarray:
        """Column of the true candidate of each item.

        Returns
        -------
        array of int of shape (n,)
            Columns.

        Raises
        ------
        DataError
            If an item is not among the candidates.
        """
        column = {stimulus: number for number, stimulus in enumerate(self.candidate_id)}
        if missing := set(self.stimulus_id) - set(column):
            raise DataError(
                f"{len(missing)} stimuli are not among the candidates, first: {min(missing)}",
                field="candidate_id",
            )
        return np.array([column[stimulus] for stimulus in self.stimulus_id], dtype=int)


#: By subject and fold.
Rankings = dict[tuple[str, int], Ranking]


def check_side(content: PredictionFile, split: Split, side: str) -> None:
    """Make sure that predictions are of one side of every fold.

    Parameters
    ----------
    content : PredictionFile
        Predictions of one method.
    split : Split
        The checked split.
    side : {"validation", "test"}
        Where all their stimuli, and all candidates, have to be.

    Raises
    ------
    LeakError
        If a stimulus is on another side.
    DataError
        If the file was made for another purpose, or the split does not list stimuli.
    """
    if split.unit != "stimulus":
        raise DataError(
            f"the split is by {split.unit}, and predictions do not say of which {split.unit} they"
            " are: nobody could check that weights come from validation alone",
            field="splits",
        )
    task = content.attrs.get("task", "identification")
    if task not in ("identification", "adaptation") or not content.predictions:
        raise DataError("no predictions to identify stimuli by", field="task")
    if (said := content.attrs.get("side", side)) != side:
        raise LeakError(f"{content.method}: predictions of the {said} side given as {side}")
    for each in content.predictions:
        if not 0 <= each.fold < len(split.folds):
            raise DataError(
                f"fold {each.fold} of a split with {len(split.folds)}", subject=each.subject
            )
        own = set(split.folds[each.fold].sides()[side])
        if strays := ({*each.stimulus_id, *each.candidate_id}) - own:
            raise LeakError(
                f"{content.method}, subject {each.subject}, fold {each.fold}: {len(strays)} stimuli"
                f" are not on the {side} side, first: {min(strays)}"
            )


def rankings(contents: Sequence[PredictionFile], embeddings: Path | None) -> Rankings:
    """Bring the scores of several methods into one order.

    Parameters
    ----------
    contents : sequence of PredictionFile
        One for each method.
    embeddings : Path or None
        Folder of the data set's embeddings, for methods that decode an embedding: their scores
        are the cosines that `neurodecode evaluate` compares.

    Returns
    -------
    Rankings
        For each subject and fold.

    Raises
    ------
    DataError
        If the files differ in subjects, folds, items, candidates or repeats, or an embedding
        is missing.
    """
    found: dict[tuple[str, int], list[tuple[str, Prediction, np.ndarray, list[str]]]] = {}
    names = _names(contents)
    for name, content in zip(names, contents, strict=True):
        targets = _targets(content, embeddings)
        for each in content.predictions:
            array = content.attrs.get("target", "tokens")
            scores, candidates = score_matrix(each, array, targets)
            key = (each.subject, each.fold)
            found.setdefault(key, []).append((name, each, scores, candidates))
    for (subject, fold), parts in found.items():
        if [part[0] for part in parts] != names:
            lacking = sorted(set(names) - {part[0] for part in parts})
            problem = f"not predicted by {lacking[0]}" if lacking else "predicted twice"
            raise DataError(f"fold {fold} is {problem}", subject=subject)
    return {key: _align(parts) for key, parts in found.items()}


def _targets(content: PredictionFile, embeddings: Path | None) -> ReadTargets | None:
    if all("scores" in each.arrays for each in content.predictions):
        return None
    if embeddings is None:
        raise DataError(
            f"{content.method} holds a decoded embedding and no scores",
            field="--embeddings",
            fix="give the folder of the embeddings",
        )
    return read_targets(content, embeddings)


def _names(contents: Sequence[PredictionFile]) -> list[str]:
    """Names of the methods; a second file of the same method gets a number."""
    names: list[str] = []
    for content in contents:
        again = sum(name.split("#")[0] == content.method for name in names)
        names.append(f"{content.method}#{again + 1}" if again else content.method)
    return names


def _align(parts: Sequence[tuple[str, Prediction, np.ndarray, list[str]]]) -> Ranking:
    _, first, _, candidates = parts[0]
    items = list(first.stimulus_id)
    scores = {}
    for name, each, matrix, columns in parts:
        if not np.isclose(each.n_averaged, first.n_averaged, rtol=1e-4):
            raise DataError(
                f"{name} averages {each.n_averaged:.3g} repeats, {parts[0][0]}"
                f" {first.n_averaged:.3g}",
                subject=each.subject,
                fix="combine predictions of the same responses",
            )
        if each.n_trials != first.n_trials:
            raise DataError(
                f"{name} was given {each.n_trials} trials, {parts[0][0]} {first.n_trials}",
                subject=each.subject,
                fix="combine methods that were given equally many",
            )
        rows = _order(items, list(each.stimulus_id), f"items of {name}", each.subject)
        order = _order(candidates, columns, f"candidates of {name}", each.subject)
        scores[name] = np.asarray(matrix, dtype=np.float64)[np.ix_(rows, order)]
    return Ranking(scores, items, list(candidates), first.n_averaged, first.n_trials)


def _order(wanted: list[str], given: list[str], what: str, subject: str) -> np.ndarray:
    """Where each wanted id is among the given ones."""
    if wanted == given:
        return np.arange(len(given))
    place = {name: number for number, name in enumerate(given)}
    if len(place) != len(given) or set(place) != set(wanted) or len(wanted) != len(given):
        raise DataError(
            f"{what} are not those of the other methods",
            subject=subject,
            fix="predict the same stimuli with all methods",
        )
    return np.array([place[name] for name in wanted], dtype=int)


def combine(
    validation: Rankings, test: Rankings, *, standardise: bool = False
) -> tuple[list[Prediction], dict[str, dict[str, float]]]:
    """Weigh the methods on validation items, and rank test items by their posterior.

    Parameters
    ----------
    validation : Rankings
        Of validation predictions.
    test : Rankings
        Of test predictions of the same methods, subjects and folds.
    standardise : bool
        See `neurodecode.metrics.functional.fit_posterior`.

    Returns
    -------
    predictions : list of Prediction
        ``scores``: log-probability of every candidate in nats.
    weights : dict of str to dict
        Weights of the methods for each ``<subject>/<fold>``.

    Raises
    ------
    DataError
        If there are no validation predictions for a subject and fold, or scores are unusable.
    """
    predictions, weights = [], {}
    for (subject, fold), ranking in test.items():
        if (subject, fold) not in validation:
            raise DataError(f"no validation predictions of fold {fold}", subject=subject)
        held_out = validation[subject, fold]
        try:
            own = fit_posterior(held_out.scores, held_out.truth(), standardise=standardise)
            logs = expert_posterior(ranking.scores, own, standardise=standardise)
        except ValueError as error:
            raise DataError(f"fold {fold}: {error}", subject=subject, field="scores") from error
        weights[f"{subject}/{fold}"] = own
        predictions.append(
            Prediction(
                subject=subject,
                stimulus_id=ranking.stimulus_id,
                arrays={"scores": logs.numpy().astype(np.float32)},
                candidate_id=ranking.candidate_id,
                n_averaged=ranking.n_averaged,
                fold=fold,
                n_trials=ranking.n_trials,
            )
        )
    return predictions, weights
