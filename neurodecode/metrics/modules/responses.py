"""Prediction of responses over batches."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from neurodecode.metrics.functional.correlation import pearson_r
from neurodecode.metrics.modules.registry import METRICS

__all__ = ["PearsonR"]


@METRICS.register("pearson_r")
class PearsonR(Metric):
    """Correlation over trials for each voxel, averaged over voxels.

    As input to ``update``: predicted and observed responses, (n_trials, n_voxels). As output of
    ``compute``: a dict with ``pearson_r``, in which constant voxels count as 0, and
    ``n_undefined``, their number.

    Parameters
    ----------
    **kwargs
        Of `torchmetrics.Metric`.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    predicted: list[Tensor]
    observed: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("predicted", default=[], dist_reduce_fx="cat")
        self.add_state("observed", default=[], dist_reduce_fx="cat")

    def update(self, predicted: Tensor, observed: Tensor) -> None:
        """Take in a batch.

        Parameters
        ----------
        predicted, observed : Tensor of shape (n_trials, n_voxels)
            Responses.
        """
        self.predicted.append(predicted.detach())
        self.observed.append(observed.detach())

    def compute(self) -> dict[str, Tensor]:
        """Score everything taken in.

        Returns
        -------
        dict of str to Tensor
            ``pearson_r`` and ``n_undefined``, scalars.
        """
        r = self.per_target()
        return {"pearson_r": r.nan_to_num(nan=0.0).mean(), "n_undefined": r.isnan().sum()}

    def per_target(self) -> Tensor:
        """Correlate each voxel, in this process.

        Returns
        -------
        Tensor of shape (n_voxels,)
            nan for constant voxels.
        """
        return pearson_r(dim_zero_cat(self.predicted), dim_zero_cat(self.observed))
