"""From the voxels of each subject to a space that all subjects share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurodecode.context import SensorArray, input_size
from neurodecode.nn.bottleneck import Bottleneck
from neurodecode.nn.subjects import AdapterFactory, SubjectAdapters

__all__ = ["AdapterFactory", "LinearAdapter", "MLPAdapter", "SubjectAdapters"]


class LinearAdapter(nn.Module):
    """A single linear map; with weight decay, a ridge regression learned by gradient (MindEye2).

    Parameters
    ----------
    n_features : int or SensorArray
        Voxels, neurons or channels of the subject; a time series is flattened.
    width : int
        Width of the shared space.
    input_dropout : float
        Share of features that is dropped while training.
    noise : float
        Standard deviation of Gaussian noise added while training, in units of the
        standardised responses.
    """

    def __init__(
        self,
        n_features: int | SensorArray,
        width: int,
        input_dropout: float = 0.0,
        noise: float = 0.0,
    ) -> None:
        super().__init__()
        self.noise = noise
        self.dropout = nn.Dropout(input_dropout)
        self.linear = nn.Linear(input_size(n_features), width)

    def forward(self, responses: Tensor) -> Tensor:
        """Map responses of one subject.

        Parameters
        ----------
        responses : Tensor of shape (n_trials, n_features[, n_times])
            Standardised responses.

        Returns
        -------
        Tensor of shape (n_trials, width)
            Shared representation.
        """
        if self.training and self.noise:
            responses = responses + self.noise * torch.randn_like(responses)
        return self.linear(self.dropout(responses.flatten(1)))


class MLPAdapter(nn.Module):
    """Linear layer, normalisation, GELU, and one residual block (STTM's shallow adapter).

    Without the block it is the first layer of MindEye's perceptron, and with a bottleneck before
    it MindBridge's embedder.

    Parameters
    ----------
    n_features : int or SensorArray
        Voxels, neurons or channels of the subject; a time series is flattened.
    width : int
        Width of the shared space.
    dropout : float
        After the first layer.
    residual_dropout : float
        Inside the residual block.
    input_dropout, noise : float
        As for `LinearAdapter`.
    residual : bool
        Whether there is a residual block.
    bottleneck : int
        Inner width of a `Bottleneck` on the responses; 0 for none.
    """

    def __init__(
        self,
        n_features: int | SensorArray,
        width: int,
        dropout: float = 0.5,
        residual_dropout: float = 0.15,
        input_dropout: float = 0.0,
        noise: float = 0.0,
        residual: bool = True,
        bottleneck: int = 0,
    ) -> None:
        super().__init__()
        count = input_size(n_features)
        self.bottleneck = Bottleneck(count, bottleneck) if bottleneck else None
        self.first = LinearAdapter(count, width, input_dropout, noise)
        self.activation = nn.Sequential(nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout))
        self.residual = (
            nn.Sequential(
                nn.Linear(width, width),
                nn.LayerNorm(width),
                nn.GELU(),
                nn.Dropout(residual_dropout),
            )
            if residual
            else None
        )

    def forward(self, responses: Tensor) -> Tensor:
        """Map responses of one subject.

        Parameters
        ----------
        responses : Tensor of shape (n_trials, n_features[, n_times])
            Standardised responses.

        Returns
        -------
        Tensor of shape (n_trials, width)
            Shared representation.
        """
        if self.bottleneck is not None:
            responses = self.bottleneck(responses.flatten(1))
        hidden = self.activation(self.first(responses))
        return hidden if self.residual is None else hidden + self.residual(hidden)
