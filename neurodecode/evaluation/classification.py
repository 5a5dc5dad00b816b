"""Classification: which category was it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurodecode.evaluation.items import Scores
from neurodecode.store import Prediction

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["accuracy_scores", "auc_scores", "confusion_table"]


def _guesses(prediction: Prediction) -> np.ndarray:
    return np.asarray(prediction.candidate_id)[np.argmax(prediction.array("scores"), axis=1)]


def accuracy_scores(prediction: Prediction, method: str) -> Scores:
    """Whether the category with the highest score is the true one, for each test item.

    Parameters
    ----------
    prediction : Prediction
        ``stimulus_id`` is the true category of each item, ``candidate_id`` the categories.
    method : str
        Name of the method.

    Returns
    -------
    Scores
        ``accuracy``, chance one over the number of categories.
    """
    correct = _guesses(prediction) == np.asarray(prediction.stimulus_id)
    n_categories = len(prediction.candidate_id)
    return Scores(
        subject=prediction.subject,
        task="classification",
        method=method,
        metric="accuracy",
        fold=prediction.fold,
        stimulus_id=prediction.stimulus_id,
        values=correct.astype(float),
        chance=1 / n_categories,
        n_candidates=n_categories,
        n_averaged=prediction.n_averaged,
    )


def auc_scores(prediction: Prediction, method: str) -> Scores | None:
    """Where each test item lies among those of the other category.

    Parameters
    ----------
    prediction : Prediction
        As for `accuracy_scores`.
    method : str
        Name of the method.

    Returns
    -------
    Scores or None
        ``auc`` of this fold, chance .5; None unless there are two categories, both of them in
        the test set.
    """
    from neurodecode.metrics.functional import auc_placements

    names = np.asarray(prediction.candidate_id)
    truth = np.asarray(prediction.stimulus_id)
    if len(names) != 2 or len(set(truth.tolist())) != 2:
        return None
    scores = prediction.array("scores")
    margin = scores[:, 1].astype(np.float64) - scores[:, 0]
    return Scores(
        subject=prediction.subject,
        task="classification",
        method=method,
        metric="auc",
        fold=prediction.fold,
        stimulus_id=prediction.stimulus_id,
        values=auc_placements(margin, truth == names[1]).numpy(),
        chance=0.5,
        n_candidates=2,
        n_averaged=prediction.n_averaged,
    )


def confusion_table(predictions: list[Prediction], method: str, dataset: str) -> pd.DataFrame:
    """How often each category was taken for each, summed over folds.

    Parameters
    ----------
    predictions : list of Prediction
        All folds and subjects of one method.
    method : str
        Name of the method.
    dataset : str
        Registry name of the data set.

    Returns
    -------
    pandas.DataFrame
        dataset, method, subject, true, predicted, count.
    """
    import pandas as pd

    rows = pd.concat(
        pd.DataFrame(
            {
                "dataset": dataset,
                "method": method,
                "subject": prediction.subject,
                "true": list(prediction.stimulus_id),
                "predicted": _guesses(prediction),
            }
        )
        for prediction in predictions
    )
    return rows.value_counts(sort=False).reset_index(name="count")
