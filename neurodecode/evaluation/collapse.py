"""Have the predictions collapsed onto few dimensions?"""

from __future__ import annotations

import numpy as np

from neurodecode.evaluation.whole import WholeScore
from neurodecode.metrics.functional.dimensions import effective_rank
from neurodecode.store import Prediction

__all__ = ["rank_score"]


def rank_score(
    prediction: Prediction, method: str, task: str, predicted: np.ndarray, target: np.ndarray
) -> WholeScore | None:
    """Measure the effective rank of predictions beside that of their targets.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    method, task : str
        Whose predictions, of what.
    predicted : array of shape (n, ...)
        Decoded embeddings, or features of reconstructions.
    target : array of shape (n, ...)
        The true ones of the same items.

    Returns
    -------
    WholeScore or None
        ``effective_rank`` with the extra key ``of_targets``; without an interval, because a
        resample has fewer different items and so a lower rank. None where values are not finite
        or there is a single item.
    """
    own, true = effective_rank(predicted), effective_rank(target)
    if len(predicted) < 2 or not np.isfinite([own, true]).all():
        return None
    return WholeScore(
        subject=prediction.subject,
        task=task,
        method=method,
        metric="effective_rank",
        fold=prediction.fold,
        value=own,
        n=len(predicted),
        n_averaged=prediction.n_averaged,
        extra={"of_targets": true},
    )
