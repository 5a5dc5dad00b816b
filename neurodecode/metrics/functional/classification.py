"""Share of correct labels."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.metrics.functional.arrays import ArrayLike, as_tensor

__all__ = ["accuracy", "balanced_accuracy", "majority_chance"]


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
