"""Reconstruction: how much does the picture resemble the one that was seen?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from neurodecode.evaluation.items import Scores
from neurodecode.metrics.functional import pixcorr, ssim, two_way_identification
from neurodecode.store import Prediction

__all__ = ["Features", "reconstruction_scores"]

#: Features of pictures: uint8 (n, height, width, 3) -> (n, n_features).
Features = Callable[[np.ndarray], np.ndarray]


def reconstruction_scores(
    prediction: Prediction,
    images: np.ndarray,
    truth: np.ndarray,
    method: str,
    features: Mapping[str, Features],
) -> list[Scores]:
    """Score the reconstructions of one subject and fold.

    Parameters
    ----------
    prediction : Prediction
        The test items.
    images : array of uint8 of shape (n, height, width, 3)
        Reconstructions.
    truth : array of uint8 of shape (n, height, width, 3)
        What was seen, same order.
    method : str
        Name of the method.
    features : mapping of str to callable
        Feature networks by the suffix of their metric: ``clip`` gives ``two_way_clip``.

    Returns
    -------
    list of Scores
        ``pixcorr``, ``ssim`` and a two-way identification for each feature network (published
        definition: Pearson between features, ties are wrong).
    """
    found: dict[str, tuple[np.ndarray, float | None]] = {
        # a uniform picture says nothing about the truth: no correlation, not an undefined one
        "pixcorr": (np.nan_to_num(np.asarray(pixcorr(truth, images))), 0.0),
        "ssim": (np.asarray(ssim(truth, images)), None),
    }
    for name, extract in features.items():
        scores = two_way_identification(extract(truth), extract(images))
        found[f"two_way_{name}"] = (np.asarray(scores), 0.5)
    return [
        Scores(
            subject=prediction.subject,
            task="reconstruction",
            method=method,
            metric=metric,
            fold=prediction.fold,
            stimulus_id=prediction.stimulus_id,
            values=values.astype(float),
            chance=chance,
            n_candidates=2 if metric.startswith("two_way") else None,
            n_averaged=prediction.n_averaged,
        )
        for metric, (values, chance) in found.items()
    ]
