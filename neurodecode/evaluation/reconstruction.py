"""Reconstruction: how much does the picture resemble the one that was seen?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from neurodecode.evaluation.items import Scores
from neurodecode.evaluation.nets import CachedNet
from neurodecode.metrics.functional import (
    correlation_distance,
    correlation_matrix,
    pixcorr,
    ssim,
    two_way_identification,
)
from neurodecode.metrics.functional.pixels import PUBLISHED
from neurodecode.store import Prediction

__all__ = ["Features", "net_scores", "reconstruction_scores"]

#: Features of pictures: uint8 (n, height, width, 3) -> (n, n_features).
Features = Callable[[np.ndarray], np.ndarray]


def reconstruction_scores(
    prediction: Prediction,
    images: np.ndarray,
    truth: np.ndarray,
    method: str,
    features: Mapping[str, Features],
    about: Mapping[str, Any] | None = None,
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
    about : mapping of str to scalar, optional
        Of these networks, for their records.

    Returns
    -------
    list of Scores
        ``pixcorr``, ``ssim`` and a two-way identification for each feature network (published
        definition: Pearson between features, ties are wrong).
    """
    pixels: dict[str, tuple[np.ndarray, float | None]] = {
        # a uniform picture says nothing about the truth: no correlation, not an undefined one
        "pixcorr": (np.nan_to_num(np.asarray(pixcorr(truth, images, **PUBLISHED))), 0.0),
        "ssim": (np.asarray(ssim(truth, images, **PUBLISHED)), None),
    }
    made = [
        _scores(prediction, method, metric, values, chance)
        for metric, (values, chance) in pixels.items()
    ]
    for name, extract in features.items():
        values = two_way_identification(extract(truth), extract(images))
        made.append(_scores(prediction, method, f"two_way_{name}", values, 0.5, about))
    return made


def net_scores(
    prediction: Prediction,
    images: np.ndarray,
    truth: np.ndarray,
    method: str,
    nets: Mapping[str, CachedNet],
) -> list[Scores]:
    """Score the reconstructions of one subject and fold by published feature networks.

    Parameters
    ----------
    prediction, images, truth, method
        As for `reconstruction_scores`.
    nets : mapping of str to CachedNet
        Networks by metric.

    Returns
    -------
    list of Scores
        ``two_way_<net>``, or ``distance_<net>``, whose chance is the mean distance of true
        pictures and reconstructions that do not belong together. An undefined correlation
        counts as 0. The extra key ``weights`` says where the network's weights come from.
    """
    made = []
    for metric, net in nets.items():
        true, drawn = net.truth(truth), net.drawn(images)
        extra = {"features": net.net.name, "weights": net.weights}
        if metric.startswith("two_way"):
            values, chance = two_way_identification(true, drawn), 0.5
        else:
            values = correlation_distance(true, drawn).nan_to_num(nan=1.0)
            chance = _mismatched_distance(true, drawn)
        made.append(_scores(prediction, method, metric, values, chance, extra))
    return made


def _mismatched_distance(true: torch.Tensor, drawn: torch.Tensor) -> float | None:
    if len(true) < 2:
        return None
    distance = 1 - correlation_matrix(true, drawn).nan_to_num(nan=0.0)
    others = ~torch.eye(len(true), dtype=torch.bool)
    return float(distance[others].double().mean())


def _scores(
    prediction: Prediction,
    method: str,
    metric: str,
    values: Any,
    chance: float | None,
    extra: Mapping[str, Any] | None = None,
) -> Scores:
    return Scores(
        subject=prediction.subject,
        task="reconstruction",
        method=method,
        metric=metric,
        fold=prediction.fold,
        stimulus_id=prediction.stimulus_id,
        values=np.asarray(values, dtype=float),
        chance=chance,
        n_candidates=2 if metric.startswith("two_way") else None,
        n_averaged=prediction.n_averaged,
        extra=extra or {},
    )
