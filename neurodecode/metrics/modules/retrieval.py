"""Retrieval and two-way identification over batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from neurodecode.metrics.functional.correlation import cosine_matrix
from neurodecode.metrics.functional.retrieval import ranks, top_k_credit
from neurodecode.metrics.functional.two_way import (
    Ties,
    two_way_from_scores,
    two_way_identification,
)
from neurodecode.metrics.modules.registry import METRICS

__all__ = ["Retrieval", "TwoWayIdentification"]


@METRICS.register("retrieval")
class Retrieval(Metric):
    """Find the picture of each response, and the response to each picture, by cosine.

    As input to ``update``: predicted and true embeddings of shape (n_items, ...), and, where a
    stimulus can occur more than once, its number for each item, so that the candidates are the
    different stimuli. As output of ``compute``: a dict of scalar tensors named as in
    `METRIC_NAMES`.

    Parameters
    ----------
    ks : sequence of int
        Places that count as found.
    **kwargs
        Of `torchmetrics.Metric`.

    Examples
    --------
    >>> import torch
    >>> metric = Retrieval(ks=(1,))
    >>> metric.update(torch.eye(3)[[0, 2, 1]], torch.eye(3))
    >>> round(metric.compute()["retrieval_top1"].item(), 4)
    0.3333
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    predicted: list[Tensor]
    target: list[Tensor]
    stimulus: list[Tensor]

    def __init__(self, ks: Sequence[int] = (1, 5, 10), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ks = tuple(ks)
        for name in ("predicted", "target", "stimulus"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, predicted: Tensor, target: Tensor, stimulus: Tensor | None = None) -> None:
        """Take in a batch.

        Parameters
        ----------
        predicted, target : Tensor of shape (n_items, ...)
            Embeddings, flattened here.
        stimulus : Tensor of int of shape (n_items,), optional
            Not negative; give it for all batches or for none.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        if predicted.shape != target.shape:
            raise ValueError(f"shapes differ: {tuple(predicted.shape)}, {tuple(target.shape)}")
        unknown = torch.full((len(target),), -1, device=target.device)
        self.predicted.append(predicted.detach().flatten(1))
        self.target.append(target.detach().flatten(1))
        self.stimulus.append(unknown if stimulus is None else stimulus.long())

    def compute(self) -> dict[str, Tensor]:
        """Score everything taken in.

        Returns
        -------
        dict of str to Tensor
            ``retrieval_top<k>``, ``median_rank``, ``two_way``, and, if every stimulus occurs
            once, ``retrieval_brain_top<k>``.
        """
        predicted, target = dim_zero_cat(self.predicted), dim_zero_cat(self.target)
        truth, first = _candidates(dim_zero_cat(self.stimulus))
        scores = cosine_matrix(predicted, target[first])
        result = {f"retrieval_top{k}": top_k_credit(scores, k, truth).mean() for k in self.ks}
        result["median_rank"] = ranks(scores, truth).quantile(0.5)
        result["two_way"] = two_way_from_scores(scores, truth).mean()
        if len(first) == len(truth):
            backward = scores[:, truth].T
            result |= {f"retrieval_brain_top{k}": top_k_credit(backward, k).mean() for k in self.ks}
        return result


def _candidates(stimulus: Tensor) -> tuple[Tensor, Tensor]:
    """Column of each item, and the item that stands for each column."""
    rows = torch.arange(len(stimulus), device=stimulus.device)
    if (stimulus < 0).all():
        return rows, rows
    if (stimulus < 0).any():
        raise ValueError("some batches came without stimulus numbers")
    unique, column = stimulus.unique(return_inverse=True)
    first = rows.new_full((len(unique),), len(stimulus))
    return column, first.scatter_reduce(0, column, rows, "amin")


@METRICS.register("two_way")
class TwoWayIdentification(Metric):
    """Two-way identification from features of true and reconstructed images.

    As input to ``update``: features of true and of reconstructed images, (n_items, ...). As
    output of ``compute``: the mean score, chance .5; nan for a single item.

    Parameters
    ----------
    ties : {"strict", "half"}
        Credit for ties: none (published), or half.
    tolerance : float, optional
        Largest difference that counts as a tie; by default the rounding error.
    **kwargs
        Of `torchmetrics.Metric`.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    real: list[Tensor]
    predicted: list[Tensor]

    def __init__(
        self, ties: Ties = "strict", tolerance: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.ties, self.tolerance = ties, tolerance
        self.add_state("real", default=[], dist_reduce_fx="cat")
        self.add_state("predicted", default=[], dist_reduce_fx="cat")

    def update(self, real: Tensor, predicted: Tensor) -> None:
        """Take in a batch.

        Parameters
        ----------
        real, predicted : Tensor of shape (n_items, ...)
            Features, flattened here.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        if real.shape != predicted.shape:
            raise ValueError(f"shapes differ: {tuple(real.shape)}, {tuple(predicted.shape)}")
        self.real.append(real.detach().flatten(1))
        self.predicted.append(predicted.detach().flatten(1))

    def compute(self) -> Tensor:
        """Score everything taken in.

        Returns
        -------
        Tensor
            Scalar.
        """
        real, predicted = dim_zero_cat(self.real), dim_zero_cat(self.predicted)
        scores = two_way_identification(real, predicted, ties=self.ties, tolerance=self.tolerance)
        return scores.mean()
