"""Identification: which of the candidates did the subject see?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.errors import DataError
from neurodecode.evaluation.items import Scores
from neurodecode.metrics.functional.retrieval import (
    expected_top_k,
    ranks,
    repeated_draws,
    top_k_credit,
)
from neurodecode.metrics.functional.two_way import two_way_from_scores
from neurodecode.store import EmbeddingStore, Prediction

if TYPE_CHECKING:
    from neurodecode.store.predictions import PredictionFile

__all__ = [
    "DRAWN",
    "ReadTargets",
    "identification_scores",
    "mean_by_stimulus",
    "read_targets",
    "score_matrix",
    "unit_rows",
]

#: Reads target embeddings of stimuli: ``(ids) -> array of shape (n, ...)``.
ReadTargets = Callable[[Sequence[str]], np.ndarray]
#: As published: so many candidates a draw, so many draws.
DRAWN, N_DRAWS = 300, 30


def read_targets(content: PredictionFile, embeddings: Path) -> ReadTargets | None:
    """Open the embedding that a file of predictions decodes.

    Parameters
    ----------
    content : PredictionFile
        Its attributes ``embedding`` and ``target`` name the store and the array.
    embeddings : Path
        Folder of the data set's embeddings.

    Returns
    -------
    callable or None
        For `score_matrix`; None for a method that decodes no embedding.

    Raises
    ------
    DataError
        If there is no such store.
    """
    if "embedding" not in content.attrs:
        return None
    store = EmbeddingStore(embeddings / f"{content.attrs['embedding']}.h5")
    name = content.attrs.get("target", "tokens")
    return lambda ids: store.read(name, ids)


def score_matrix(
    prediction: Prediction, array: str, read_targets: ReadTargets | None
) -> tuple[np.ndarray, list[str]]:
    """How well each candidate explains each response.

    Parameters
    ----------
    prediction : Prediction
        With its own ``scores``, or with a decoded embedding under the name `array`.
    array : str
        Name of the target; the decoded embedding has this name, or is called ``tokens``, as a
        decoder calls what it retrieves with whatever its target.
    read_targets : callable or None
        Gives the target embeddings of stimuli; not needed for a method with ``scores``.

    Returns
    -------
    scores : array of shape (n, n_candidates)
        Larger is better: the method's own scores, or cosine similarity of the flattened
        embeddings, with the other test stimuli of the fold as candidates.
    candidates : list of str
        Stimulus of each column.

    Raises
    ------
    DataError
        If there is neither ``scores`` nor the embedding, or its targets have another size.
    """
    if "scores" in prediction.arrays:
        return prediction.arrays["scores"], list(prediction.candidate_id)
    decoded = prediction.array("tokens" if array not in prediction.arrays else array)
    if read_targets is None:
        raise DataError(
            f"neither scores nor the name of the embedding that {array!r} decodes",
            subject=prediction.subject,
            field="embedding",
            fix="run the stage that writes the predictions again",
        )
    candidates = sorted(set(prediction.stimulus_id))
    targets = read_targets(candidates)
    # a decoder takes a pooled embedding for a single token
    if decoded.shape[1:] not in (targets.shape[1:], (1, *targets.shape[1:])):
        raise DataError(
            f"decoded as {decoded.shape[1:]}, but the embedding has {targets.shape[1:]}",
            subject=prediction.subject,
            field=array,
            fix="predict again with the embeddings that are there now",
        )
    return unit_rows(decoded) @ unit_rows(targets).T, candidates


def unit_rows(values: np.ndarray) -> np.ndarray:
    """Flatten items and bring them to unit length.

    Parameters
    ----------
    values : array of shape (n, ...)
        Embeddings.

    Returns
    -------
    array of float64 of shape (n, n_values)
        Zero where an embedding is zero.
    """
    flat = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)


def identification_scores(
    prediction: Prediction,
    method: str,
    scores: np.ndarray,
    candidates: Sequence[str],
    *,
    both_ways: bool,
    drawn: int = DRAWN,
    trials: str = "",
) -> list[Scores]:
    """Score every test item of one subject and fold.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    method : str
        Name of the method.
    scores : array of shape (n, n_candidates)
        From `score_matrix`.
    candidates : sequence of str of length n_candidates
        From `score_matrix`.
    both_ways : bool
        Also find the response of each picture (meaningful for similarities, not for
        likelihoods, whose columns have no common scale).
    drawn : int
        Candidates of the published protocol, in which random test items are drawn; left out
        where there are no more than that.
    trials : str
        How many training trials of the subject the method was given; makes it a score of task
        ``adaptation``.

    Returns
    -------
    list of Scores
        One value a stimulus, the mean over its responses if it has several (single trials):
        ``retrieval_top1``, ``retrieval_top5``, ``two_way``, ``median_rank`` and, both ways,
        ``retrieval_brain_top1``; with enough candidates ``retrieval_draws_top1``,
        ``retrieval_draws_top5`` and, both ways, ``retrieval_brain_draws_top1``.

    Raises
    ------
    DataError
        If a test stimulus is not among the candidates.
    """
    column = {stimulus: number for number, stimulus in enumerate(candidates)}
    if missing := set(prediction.stimulus_id) - set(column):
        raise DataError(
            f"{len(missing)} test stimuli are not among the candidates, first: {min(missing)}",
            subject=prediction.subject,
            field="candidate_id",
        )
    truth = np.array([column[stimulus] for stimulus in prediction.stimulus_id])
    n = len(candidates)
    found: dict[str, tuple[Any, float]] = {
        "retrieval_top1": (top_k_credit(scores, 1, truth), 1 / n),
        "retrieval_top5": (top_k_credit(scores, 5, truth), min(5 / n, 1.0)),
        "two_way": (two_way_from_scores(scores, truth), 0.5),
        "median_rank": (ranks(scores, truth), (n + 1) / 2),
    }
    if both_ways and len(scores) == n:
        found["retrieval_brain_top1"] = (top_k_credit(scores.T, 1, np.argsort(truth))[truth], 1 / n)
    made = [
        _scores(prediction, method, metric, values, chance, n, trials=trials)
        for metric, (values, chance) in found.items()
    ]
    if drawn < n and len(scores) == n and not trials:
        paired = scores[:, truth]
        ways = {"retrieval_draws_top1": (paired, 1)}
        if drawn > 5:
            ways["retrieval_draws_top5"] = (paired, 5)
        if both_ways:
            ways["retrieval_brain_draws_top1"] = (paired.T, 1)
        made += [_drawn_scores(prediction, method, name, *own, drawn) for name, own in ways.items()]
    return made


def _scores(
    prediction: Prediction,
    method: str,
    metric: str,
    values: Any,
    chance: float,
    n_candidates: int,
    extra: Mapping[str, Any] | None = None,
    trials: str = "",
) -> Scores:
    # stimuli are what is resampled: responses to the same one are no further items
    stimuli, values = mean_by_stimulus(prediction.stimulus_id, np.asarray(values, dtype=float))
    return Scores(
        subject=prediction.subject,
        task="adaptation" if trials else "identification",
        method=method,
        metric=metric,
        fold=prediction.fold,
        stimulus_id=stimuli,
        values=values,
        chance=chance,
        n_candidates=n_candidates,
        n_averaged=prediction.n_averaged,
        extra=extra or {},
        trials=trials,
        n_trials=prediction.n_trials if trials else None,
    )


def mean_by_stimulus(
    stimulus_id: Sequence[str], values: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Average the scores of several responses to one stimulus.

    Parameters
    ----------
    stimulus_id : sequence of str of length n
        Stimulus of each score.
    values : array of shape (n,)
        Scores.

    Returns
    -------
    stimuli : list of str of length n_stimuli
        Each once, in the order in which they come first.
    values : array of shape (n_stimuli,)
        Mean score of each; `values` itself if none comes twice.
    """
    row = {name: number for number, name in enumerate(dict.fromkeys(stimulus_id))}
    if len(row) == len(stimulus_id):
        return list(stimulus_id), values
    index = np.array([row[name] for name in stimulus_id])
    counts = np.bincount(index)
    return list(row), np.bincount(index, weights=values) / counts


def _drawn_scores(
    prediction: Prediction, method: str, metric: str, paired: np.ndarray, k: int, drawn: int
) -> Scores:
    """Expectation over all draws, with the mean of the published number of draws beside it."""
    draws = repeated_draws(paired, drawn, N_DRAWS, k)
    extra = {"n_draws": N_DRAWS, "mean_of_draws": float(draws.mean())}
    values = expected_top_k(paired, drawn, k)
    return _scores(prediction, method, metric, values, k / drawn, drawn, extra)
