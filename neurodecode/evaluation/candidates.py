"""The best candidates of each test item, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.metrics.functional.retrieval import ranks
from neurodecode.store import Prediction

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["candidate_table"]


def candidate_table(
    prediction: Prediction, scores: np.ndarray, candidates: Sequence[str], tags: Mapping[str, Any]
) -> pd.DataFrame:
    """The five best candidates and the rank of the true one, for each test item.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    scores : array of shape (n, n_candidates)
        From `score_matrix`.
    candidates : sequence of str of length n_candidates
        From `score_matrix`.
    tags : mapping
        Columns that are the same in every row (dataset, method).

    Returns
    -------
    pandas.DataFrame
        dataset, method, subject, fold, stimulus_id, rank, top5 (ids joined by a space),
        n_candidates.
    """
    import pandas as pd

    column = {stimulus: number for number, stimulus in enumerate(candidates)}
    truth = np.array([column[stimulus] for stimulus in prediction.stimulus_id])
    best = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    names = np.asarray(candidates)
    return pd.DataFrame(
        {
            **tags,
            "subject": prediction.subject,
            "fold": prediction.fold,
            "stimulus_id": list(prediction.stimulus_id),
            "rank": np.asarray(ranks(scores, truth), dtype=float),
            "top5": [" ".join(names[row]) for row in best],
            "n_candidates": len(candidates),
        }
    )
