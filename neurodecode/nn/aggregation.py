"""From any number of voxels to the same number for everybody, without a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from neurodecode.errors import ConfigError

__all__ = ["AdaptivePool", "AggregationFactory"]

#: Makes the aggregation of one subject from its feature count; it has the attribute ``n_out``.
AggregationFactory = Callable[[int], nn.Module]


class AdaptivePool(nn.Module):
    """Maximum or mean over as many runs of neighbouring voxels as outputs are wanted (MindBridge).

    Neighbours in the order of the store; for voxels of a mask these are neighbours along an axis
    of the volume.

    Parameters
    ----------
    n_features : int
        Voxels, neurons or channels of the subject.
    n_out : int
        How many values are left; 8192 in MindBridge.
    mode : {"max", "mean"}
        What is taken of each run.

    Raises
    ------
    ConfigError
        If there are fewer features than outputs.

    References
    ----------
    Wang et al. 2024 (MindBridge).
    """

    def __init__(
        self, n_features: int, n_out: int = 8192, mode: Literal["max", "mean"] = "max"
    ) -> None:
        super().__init__()
        if n_features < n_out:
            raise ConfigError(
                f"a subject has {n_features} features, fewer than aggregate.n_out {n_out};"
                " pooling would only repeat them, choose a smaller n_out"
            )
        self.n_out, self.mode = n_out, mode

    def forward(self, responses: Tensor) -> Tensor:
        """Pool responses of one subject.

        Parameters
        ----------
        responses : Tensor of shape (n_trials, n_features)
            Standardised responses.

        Returns
        -------
        Tensor of shape (n_trials, n_out)
            Pooled responses.
        """
        pool = F.adaptive_max_pool1d if self.mode == "max" else F.adaptive_avg_pool1d
        return pool(responses[:, None], self.n_out)[:, 0]
