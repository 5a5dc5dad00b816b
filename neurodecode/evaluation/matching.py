"""Matching: what the scores become when all test items are judged together (transductive)."""

from __future__ import annotations

from collections import Counter

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.store import Prediction

__all__ = ["MATCHINGS", "SCALES", "WHITENING", "match", "obstacle"]

#: What each matching takes for granted about the test set.
MATCHINGS = {
    "csls": "penalise candidates that are close to everything",
    "sinkhorn": "entropic transport; presumes that every candidate was shown once",
    "hungarian": "best one-to-one assignment; presumes that every candidate was shown once",
}
#: Not of scores but of embeddings: each side by the mean and covariance of its test items.
WHITENING = "whitening"
#: Scale of scores -> regularisation of Sinkhorn. Log-likelihoods are probabilities already.
SCALES = {"cosine": 0.05, "nats": 1.0}
_NEIGHBOURS = 10
#: A plan that does not settle is tried again with this many times the regularisation.
_SOFTER = (1.0, 2.0, 4.0, 8.0, 16.0)


def obstacle(prediction: Prediction, n_candidates: int, name: str) -> str | None:
    """Say why a matching cannot be applied.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    n_candidates : int
        Candidates among which they are found.
    name : str
        A key of `MATCHINGS`.

    Returns
    -------
    str or None
        The reason in a few words; None if there is none. CSLS needs nothing, the others one
        response for each candidate.
    """
    if name == "csls":
        return None
    most = max(Counter(prediction.stimulus_id).values(), default=0)
    if most > 1:
        return f"one stimulus has {most} responses"
    if len(prediction.stimulus_id) != n_candidates:
        return f"{len(prediction.stimulus_id)} responses for {n_candidates} candidates"
    return None


def match(scores: np.ndarray, name: str, scale: str) -> tuple[np.ndarray, dict[str, float]]:
    """Re-score all test items of one subject and fold together.

    Parameters
    ----------
    scores : array of shape (n, n_candidates)
        Larger is better.
    name : str
        A key of `MATCHINGS`.
    scale : {"cosine", "nats"}
        What the scores are. Of log-likelihoods the constant of each response is removed
        (they become log-posteriors): it says nothing about candidates.

    Returns
    -------
    scores : array of float64 of shape (n, n_candidates)
        For ``hungarian`` 1 for the assigned candidate and 0 for all others.
    settings : dict of str to float
        What was set: ``csls_k``, ``sinkhorn_epsilon``.

    Raises
    ------
    ConfigError
        If there is no such matching.
    DataError
        If a score or the scale is unusable, or no transport plan is found.
    """
    from scipy.special import log_softmax

    from neurodecode.metrics.functional import csls, hungarian_scores

    if name not in MATCHINGS:
        raise ConfigError(f"unknown matching {name!r}; known: {', '.join(MATCHINGS)}")
    if scale not in SCALES:
        raise DataError(
            f"unknown scale of scores {scale!r}",
            field="scale",
            fix="run the stage that writes the predictions again",
        )
    scores = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(scores).all():
        raise DataError("scores are not finite, nothing can be matched", field="scores")
    if scale == "nats":
        scores = log_softmax(scores, axis=1)
    if name == "csls":
        k = min(_NEIGHBOURS, *scores.shape)
        return csls(scores, k).numpy(), {"csls_k": k}
    if name == "hungarian":
        return hungarian_scores(scores).numpy(), {}
    return _sinkhorn(scores, SCALES[scale])


def _sinkhorn(scores: np.ndarray, epsilon: float) -> tuple[np.ndarray, dict[str, float]]:
    from torch.linalg import LinAlgError

    from neurodecode.metrics.functional import sinkhorn

    for factor in _SOFTER:
        try:
            plan = sinkhorn(scores, epsilon * factor)
        except (ValueError, LinAlgError):
            continue
        return plan.numpy(), {"sinkhorn_epsilon": epsilon * factor}
    raise DataError("no transport plan was found", field="scores", fix="leave sinkhorn out")
