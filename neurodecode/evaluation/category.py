"""Is the right kind of object in the reconstruction?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from neurodecode.evaluation.items import Scores
from neurodecode.evaluation.readout import CategoryReadout
from neurodecode.store import Prediction

__all__ = ["TRUE_PICTURES", "category_chance", "category_scores", "ceiling_scores"]

#: Method under which the true pictures stand: how often the read-out itself is right.
TRUE_PICTURES = "true_pictures"


def category_chance(
    predictions: Sequence[Prediction], categories: Mapping[str, str]
) -> dict[str, float]:
    """Share of the most frequent category among the test items of each subject.

    No reconstruction that is the same for all responses can score more. Counted over all folds:
    in a fold of few items the most frequent category has too large a share.

    Parameters
    ----------
    predictions : sequence of Prediction
        All subjects and folds of one method.
    categories : mapping of str to str
        Category of each stimulus that has one.

    Returns
    -------
    dict of str to float
        For each subject of whose items any has a category.
    """
    counts: dict[str, Counter[str]] = {}
    for each in predictions:
        known = [categories[name] for name in each.stimulus_id if name in categories]
        counts.setdefault(each.subject, Counter()).update(known)
    return {
        subject: max(count.values()) / count.total() for subject, count in counts.items() if count
    }


def category_scores(
    prediction: Prediction,
    features: np.ndarray,
    method: str,
    readout: CategoryReadout,
    chance: Mapping[str, float],
) -> list[Scores]:
    """Score the pictures of one subject and fold.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    features : array of shape (n, n_features)
        `token_features` of the reconstructions.
    method : str
        Name of the method.
    readout : CategoryReadout
        Fitted on true pictures of the training side.
    chance : mapping of str to float
        From `category_chance`.

    Returns
    -------
    list of Scores
        ``category_accuracy`` of the items that have a category; none where no item has one.
    """
    rows = [row for row, name in enumerate(prediction.stimulus_id) if name in readout.categories]
    if not rows:
        return []
    ids = [prediction.stimulus_id[row] for row in rows]
    return [
        Scores(
            subject=prediction.subject,
            task="reconstruction",
            method=method,
            metric="category_accuracy",
            fold=prediction.fold,
            stimulus_id=ids,
            values=readout.right(prediction.fold, ids, features[rows]),
            chance=chance[prediction.subject],
            n_candidates=readout.n_categories(prediction.fold),
            n_averaged=prediction.n_averaged,
        )
    ]


def ceiling_scores(
    prediction: Prediction,
    features: np.ndarray,
    readout: CategoryReadout,
    chance: Mapping[str, float],
) -> list[Scores]:
    """Score the true pictures of the test items, each once.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    features : array of shape (n, n_features)
        `token_features` of the true pictures.
    readout, chance
        As for `category_scores`.

    Returns
    -------
    list of Scores
        As `category_scores` under the method `TRUE_PICTURES`. Responses play no part, so
        ``n_averaged`` is undefined.
    """
    first = {name: row for row, name in reversed([*enumerate(prediction.stimulus_id)])}
    ids = sorted(first)
    pictures = Prediction(
        prediction.subject, ids, {}, n_averaged=float("nan"), fold=prediction.fold
    )
    rows = [first[name] for name in ids]
    return category_scores(pictures, features[rows], TRUE_PICTURES, readout, chance)
