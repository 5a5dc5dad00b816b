"""Share of correct labels."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_tensor

__all__ = ["accuracy", "auc_placements", "balanced_accuracy", "majority_chance"]


def _labels(labels: ArrayLike) -> Tensor:
    return as_tensor(labels).flatten()


def accuracy(predicted: ArrayLike, observed: ArrayLike) -> Tensor:
    """Whether each label is right.

    Parameters
    ----------
    predicted, observed : array-like of int of shape (n_items,)
        Labels.

    Returns
    -------
    Tensor of shape (n_items,)
        1 or 0; the mean is the accuracy.

    Raises
    ------
    ValueError
        If the numbers of labels differ.
    """
    predicted, observed = _labels(predicted), _labels(observed)
    if predicted.shape != observed.shape:
        raise ValueError(f"{len(predicted)} predictions for {len(observed)} labels")
    return (predicted == observed).double()


def balanced_accuracy(predicted: ArrayLike, observed: ArrayLike) -> float:
    """Accuracy within each observed class, averaged over classes.

    Parameters
    ----------
    predicted, observed : array-like of int of shape (n_items,)
        Labels.

    Returns
    -------
    float
        Chance is one over the number of observed classes, however unequal they are.
    """
    right, classes = accuracy(predicted, observed), _labels(observed)
    return float(torch.stack([right[classes == c].mean() for c in classes.unique()]).mean())


def majority_chance(observed: ArrayLike) -> float:
    """Accuracy of always naming the most frequent class.

    Parameters
    ----------
    observed : array-like of int of shape (n_items,)
        Labels.

    Returns
    -------
    float
        The honest chance level of `accuracy` on unequal classes.
    """
    counts = _labels(observed).unique(return_counts=True)[1]
    return float(counts.max() / counts.sum())


def auc_placements(scores: ArrayLike, positive: ArrayLike) -> Tensor:
    """Share of the other class that lies on the right side of each item.

    For a positive item the share of negatives with a lower score, for a negative one the share
    of positives with a higher score; ties count half. Both means are the area under the ROC
    curve, and so is the mean over all items (DeLong, DeLong and Clarke-Pearson 1988).

    Parameters
    ----------
    scores : array-like of shape (n_items,)
        Higher for positive items.
    positive : array-like of bool of shape (n_items,)
        Which items are positive.

    Returns
    -------
    Tensor of shape (n_items,)
        Between 0 and 1; the mean is the AUC.

    Raises
    ------
    ValueError
        If the numbers of items differ, or a class is absent.
    """
    scores = as_tensor(scores).flatten().double()
    positive = as_tensor(positive).flatten().bool()
    if scores.shape != positive.shape:
        raise ValueError(f"{len(scores)} scores for {len(positive)} items")
    if positive.all() or not positive.any():
        raise ValueError("the AUC needs items of both classes")
    difference = scores[positive][:, None] - scores[~positive][None]
    wins = (difference > 0).double() + 0.5 * (difference == 0).double()
    out = torch.empty_like(scores)
    out[positive], out[~positive] = wins.mean(dim=1), wins.mean(dim=0)
    return out
