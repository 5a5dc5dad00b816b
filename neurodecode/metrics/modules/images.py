"""Likeness of images over batches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from neurodecode.metrics.feature_nets import FeatureNet
from neurodecode.metrics.functional.correlation import correlation_distance
from neurodecode.metrics.functional.pixels import PUBLISHED_SIZE, pixcorr, ssim
from neurodecode.metrics.modules.registry import METRICS
from neurodecode.metrics.modules.retrieval import TwoWayIdentification

__all__ = ["FeatureDistance", "FeatureTwoWay", "PixCorr", "StructuralSimilarity"]


class _MeanOverPairs(Metric):
    """Mean of a score over pairs; an undefined score counts as the worst plausible one."""

    is_differentiable = False
    full_state_update = False
    undefined_counts_as = 0.0
    total: Tensor
    n_pairs: Tensor
    n_undefined: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("n_pairs", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("n_undefined", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    @abstractmethod
    def score(self, truth: Tensor, reconstruction: Tensor) -> Tensor:
        """Score each pair: images (n, ...) twice to (n,)."""

    def update(self, truth: Tensor, reconstruction: Tensor) -> None:
        """Take in a batch.

        Parameters
        ----------
        truth, reconstruction : Tensor of shape (n_images, height, width, 3)
            Or channels first; uint8, or floating point in [0, 1].
        """
        scores = self.score(truth, reconstruction).double().to(self.total.device)
        self.total += scores.nan_to_num(nan=self.undefined_counts_as).sum()
        self.n_pairs += len(scores)
        self.n_undefined += scores.isnan().sum()

    def compute(self) -> Tensor:
        """Average over all pairs.

        Returns
        -------
        Tensor
            Scalar; `n_undefined` says how many pairs had no score of their own.
        """
        return self.total / self.n_pairs


class _PixelScore(_MeanOverPairs):
    """Mean of a score of pixels.

    Parameters
    ----------
    size : int or None
        Side to which both images are resized first; None leaves them alone.
    **kwargs
        Of `torchmetrics.Metric`.
    """

    higher_is_better = True
    function: Callable[..., Tensor]

    def __init__(self, size: int | None = PUBLISHED_SIZE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def score(self, truth: Tensor, reconstruction: Tensor) -> Tensor:
        """Compare each pair.

        Parameters
        ----------
        truth, reconstruction : Tensor of shape (n_images, height, width, 3)
            Images.

        Returns
        -------
        Tensor of shape (n_images,)
            What the function of the same name gives.
        """
        return self.function(truth, reconstruction, size=self.size)


@METRICS.register("pixcorr")
class PixCorr(_PixelScore):
    """Mean correlation of pixel values.

    A uniform image correlates with nothing and counts as 0. See
    `neurodecode.metrics.functional.pixcorr`.
    """

    function = staticmethod(pixcorr)


@METRICS.register("ssim")
class StructuralSimilarity(_PixelScore):
    """Mean structural similarity of the gray images, as scikit-image computes it.

    See `neurodecode.metrics.functional.ssim`.
    """

    function = staticmethod(ssim)


@METRICS.register("feature_distance")
class FeatureDistance(_MeanOverPairs):
    """Mean correlation distance between features of true and reconstructed images.

    A constant feature vector counts as distance 1, that of unrelated features.

    Parameters
    ----------
    net : FeatureNet
        E.g. ``build_feature_net("effnet")``.
    **kwargs
        Of `torchmetrics.Metric`.
    """

    higher_is_better = False
    undefined_counts_as = 1.0

    def __init__(self, net: FeatureNet, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.net = net

    def score(self, truth: Tensor, reconstruction: Tensor) -> Tensor:
        """Compare the features of each pair.

        Parameters
        ----------
        truth, reconstruction : Tensor of shape (n_images, height, width, 3)
            Images.

        Returns
        -------
        Tensor of shape (n_images,)
            Distances between 0 and 2.
        """
        return correlation_distance(self.net(truth), self.net(reconstruction))


@METRICS.register("feature_two_way")
class FeatureTwoWay(TwoWayIdentification):
    """Two-way identification of reconstructions in the feature space of a network.

    As input to ``update``: true and reconstructed images. As output of ``compute``: the mean
    score, chance .5.

    Parameters
    ----------
    net : FeatureNet
        E.g. ``build_feature_net("alexnet2")``, or a `CallableNet` around the bundled CLIP.
    **kwargs
        Of `TwoWayIdentification`.
    """

    def __init__(self, net: FeatureNet, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.net = net

    def update(self, real: Tensor, predicted: Tensor) -> None:
        """Take in a batch.

        Parameters
        ----------
        real, predicted : Tensor of shape (n_images, height, width, 3)
            True images and reconstructions.
        """
        super().update(self.net(real).to(self.device), self.net(predicted).to(self.device))
