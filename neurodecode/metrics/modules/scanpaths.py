"""Scanpath metrics over batches and processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from neurodecode.metrics.functional import scanpath as fn
from neurodecode.registry import Registry

__all__ = ["SCANPATH_METRICS", "DensityMetric", "PairMetric"]

#: Name -> class. They take numpy arrays of different lengths, and so are apart from `METRICS`.
SCANPATH_METRICS: Registry[Callable[..., Metric]] = Registry("scanpath metric")

Paths = Sequence[np.ndarray]


class _MeanOfItems(Metric):
    """Keeps one row for each item; nan (a scanpath too short to be scored) is left out."""

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    items: list[Tensor]

    def __init__(self, names: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.names = names
        self.add_state("items", default=[], dist_reduce_fx="cat")

    def _add(self, values: np.ndarray) -> None:
        self.items.append(torch.as_tensor(values, dtype=torch.float64).reshape(-1, len(self.names)))

    def compute(self) -> dict[str, Tensor]:
        """Average everything taken in.

        Returns
        -------
        dict of str to Tensor
            A scalar for each name.
        """
        return dict(zip(self.names, dim_zero_cat(self.items).nanmean(dim=0)))


class PairMetric(_MeanOfItems):
    """Similarity of predicted and human scanpaths.

    Parameters
    ----------
    compare : callable
        Of human and predicted scanpaths and the sizes of the images: a function of
        `neurodecode.metrics.functional.scanpath`.
    names : tuple of str
        What its columns are called.
    options : mapping, optional
        Keyword arguments of `compare`.
    **kwargs
        Of `torchmetrics.Metric`.
    """

    def __init__(
        self,
        compare: Callable[..., np.ndarray],
        names: tuple[str, ...],
        options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(names, **kwargs)
        self.compare, self.options = compare, options or {}

    def update(self, predicted: Paths, human: Paths, size: Any) -> None:
        """Take in pairs.

        Parameters
        ----------
        predicted, human : sequence of n_pairs arrays of shape (n_fixations, 3)
            x, y in pixels and duration in ms.
        size : tuple of int, or array of shape (n_pairs, 2)
            Width and height of the images.
        """
        self._add(self.compare(human, predicted, size, **self.options))


class DensityMetric(_MeanOfItems):
    """What a density says of fixations, averaged over fixations.

    Parameters
    ----------
    score : {"nss", "information_gain_bits", "auc"}
        Which value of each fixation; the gain is over the uniform density.
    **kwargs
        Of `torchmetrics.Metric`.
    """

    def __init__(self, score: str, **kwargs: Any) -> None:
        super().__init__((score,), **kwargs)
        self.score = score

    def update(self, log_density: np.ndarray, row: np.ndarray, column: np.ndarray) -> None:
        """Take in the fixations of one scanpath or image.

        Parameters
        ----------
        log_density : array of shape (height, width), or (n_fixations, height, width)
            Natural log of densities over cells of equal area.
        row, column : array of int of shape (n_fixations,)
            Cell of each fixation.
        """
        if self.score == "information_gain_bits":
            n_cells = log_density.shape[-1] * log_density.shape[-2]
            mass = np.exp(log_density).sum(axis=(-2, -1))
            uniform = np.log(mass / n_cells)
            nats = fn.log_likelihood(log_density, row, column)
            self._add(fn.information_gain(nats, np.broadcast_to(uniform, nats.shape)))
        elif self.score == "nss":
            self._add(fn.nss(np.exp(log_density), row, column))
        else:
            self._add(fn.auc_placements(log_density, row, column))


def _pairs(name: str, compare: Callable[..., np.ndarray], names: tuple[str, ...]) -> None:
    def build(**options: Any) -> PairMetric:
        """Build the metric with keyword arguments of its function."""
        return PairMetric(compare, names, options)

    SCANPATH_METRICS.register(name)(build)


_pairs("scanmatch", fn.scanmatch, ("scanmatch",))
_pairs("multimatch", fn.multimatch, tuple(f"multimatch_{name}" for name in fn.MULTIMATCH))
_pairs("string_similarity", fn.string_similarity, ("string_similarity",))
_pairs("stde", fn.stde, ("stde",))
_pairs("sbtde", fn.sbtde, ("sbtde",))


@SCANPATH_METRICS.register("nss")
def _nss() -> DensityMetric:
    return DensityMetric("nss")


@SCANPATH_METRICS.register("information_gain_bits")
def _information_gain() -> DensityMetric:
    return DensityMetric("information_gain_bits")


@SCANPATH_METRICS.register("auc")
def _auc() -> DensityMetric:
    return DensityMetric("auc")


@SCANPATH_METRICS.register("sequence_score")
class SequenceScore(_MeanOfItems):
    """Sequence score of predictions against each viewer of an image.

    Clusters are those of the viewers given, whom the prediction must not have been made from.

    Parameters
    ----------
    bandwidth : float
        Of the mean shift, in pixels.
    **kwargs
        Of `torchmetrics.Metric`.
    """

    def __init__(self, bandwidth: float, **kwargs: Any) -> None:
        super().__init__(("sequence_score",), **kwargs)
        self.bandwidth = bandwidth

    def update(self, predicted: Paths, human: Paths) -> None:
        """Take in the scanpaths of one image.

        Parameters
        ----------
        predicted, human : sequence of arrays of shape (n_fixations, 2 or more)
            x, y in pixels; each prediction is compared with each viewer.
        """
        fixations = np.concatenate([np.asarray(path)[:, :2] for path in human])
        centres = fn.fixation_clusters(fixations, self.bandwidth)
        ours = [fn.cluster_labels(path, centres) for path in predicted]
        theirs = [fn.cluster_labels(path, centres) for path in human]
        self._add(fn.sequence_score([a for a in ours for _ in theirs], theirs * len(ours)))
