"""Convolutional brain module of the real-time MEG paper."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurodecode.context import SensorArray
from neurodecode.errors import ConfigError
from neurodecode.nn.meeg.adapter import SensorAdapter, check_sensors
from neurodecode.nn.meeg.spatial import SensorPlaces, SpatialAttention

__all__ = ["ConvAdapter", "ConvBlock"]

_DILATION_PERIOD = 5


class ConvBlock(nn.Module):
    """Two residual dilated convolutions, then one that gates (GLU).

    Parameters
    ----------
    n_in, n_out : int
        Channels; a convolution that changes their number has no residual.
    number : int
        Of the block, from 0: its dilations are 2^(2k mod 5) and 2^(2k+1 mod 5).
    dropout : float
        After each activation.
    """

    def __init__(self, n_in: int, n_out: int, number: int, dropout: float = 0.0) -> None:
        super().__init__()
        dilations = [2 ** ((2 * number + k) % _DILATION_PERIOD) for k in (0, 1)]
        self.dilated = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(count, n_out, 3, padding=dilation, dilation=dilation),
                nn.BatchNorm1d(n_out),
                nn.GELU(),
                nn.Dropout(dropout),
            )
            for count, dilation in zip((n_in, n_out), dilations, strict=True)
        )
        self.gated = nn.Conv1d(n_out, 2 * n_out, 3, padding=1)

    def forward(self, series: Tensor) -> Tensor:
        """Convolve.

        Parameters
        ----------
        series : Tensor of shape (n_trials, n_in, n_times)
            Channels.

        Returns
        -------
        Tensor of shape (n_trials, n_out, n_times)
            Channels.
        """
        for layer in self.dilated:
            out = layer(series)
            series = series + out if out.shape == series.shape else out
        return F.glu(self.gated(series), dim=1)


class _Own(nn.Module):
    """Sensor positions and channel mixing of one subject."""

    def __init__(self, sensors: SensorArray, n_virtual: int, subject_layer: bool) -> None:
        super().__init__()
        self.places = SensorPlaces(sensors.positions)
        self.mix = nn.Conv1d(n_virtual, n_virtual, 1, bias=False) if subject_layer else None
        if self.mix is not None:
            # everybody begins alike
            with torch.no_grad():
                self.mix.weight.copy_(torch.eye(n_virtual)[:, :, None])


class _Core(nn.Module):
    """Everything between sensors and representation that subjects share."""

    def __init__(
        self, n_times: int, width: int, n_virtual: int, hidden: int, n_blocks: int,
        attention: SpatialAttention, dropout: float, pool: int, n_aggregates: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.attention, self.pool = attention, pool
        self.mix = nn.Conv1d(n_virtual, n_virtual, 1)
        self.blocks = nn.Sequential(
            *(ConvBlock(hidden if k else n_virtual, hidden, k, dropout) for k in range(n_blocks))
        )
        self.aggregate = nn.Linear(n_times // pool, n_aggregates)
        if n_aggregates == 1:
            self.project: nn.Module = nn.Conv1d(hidden, width, 1)
        else:
            self.project = nn.Sequential(
                nn.Flatten(), nn.Dropout(dropout), nn.Linear(hidden * n_aggregates, width)
            )

    def forward(self, responses: Tensor, own: _Own) -> Tensor:
        """Map (n_trials, n_channels, n_times) to (n_trials, width)."""
        if self.pool > 1:
            responses = F.avg_pool1d(responses, self.pool)
        series = self.mix(self.attention(responses, own.places))
        if own.mix is not None:
            series = own.mix(series)
        series = self.blocks(series)
        if self.aggregate.out_features > 1:
            return self.project(self.aggregate(series))
        return self.aggregate(self.project(series))[..., 0]


class ConvAdapter(SensorAdapter):
    """Spatial attention, subject layer, dilated convolutions, learned aggregation over time.

    Defaults are the published sizes; the published width is 2048. Give the decoder no trunk
    (``n_blocks: 0``), an `MLPTokenHead` for the squared error and another as ``retrieval_head``
    for the contrast, and `neurodecode.tasks.objectives.ClipMseError`.

    Parameters
    ----------
    inputs : SensorArray
        Sensors of the subject, with positions.
    width : int
        Width of the shared space.
    n_virtual : int
        Virtual channels that sensors are merged to.
    hidden : int
        Channels of the convolutions.
    n_blocks : int
        `ConvBlock` one after the other.
    n_harmonics, spatial_dropout, gain
        See `SpatialAttention`.
    subject_layer : bool
        Mix the virtual channels of each subject differently. Without, a subject that the model
        was not trained on can be decoded.
    dropout : float
        Inside the blocks.
    share : bool
        Whether subjects share all but that layer.
    pool : int
        Mean over so many samples first; what is left over at the end is not read.
    n_aggregates : int
        Weighted means over time of every channel, from all of which the representation is mapped.
        With 1, as published, one weighting serves all of it, so that early and late responses
        have to part in the convolutions.

    Raises
    ------
    ConfigError
        If responses have no time axis, no sensor has a known position, or a trial has fewer
        samples than `pool`.

    References
    ----------
    Benchetrit, Banville and King 2024, "Brain decoding: toward real-time reconstruction of
    visual perception", appendix A.
    """

    def __init__(
        self,
        inputs: SensorArray,
        width: int,
        n_virtual: int = 270,
        hidden: int = 320,
        n_blocks: int = 2,
        n_harmonics: int = 32,
        spatial_dropout: float = 0.2,
        gain: float = 1.0,
        subject_layer: bool = True,
        dropout: float = 0.0,
        share: bool = True,
        pool: int = 1,
        n_aggregates: int = 1,
    ) -> None:
        sensors = check_sensors(inputs, "ConvAdapter")
        if not 1 <= pool <= sensors.n_times or n_aggregates < 1:
            raise ConfigError(
                f"ConvAdapter: pool {pool} of {sensors.n_times} samples, n_aggregates"
                f" {n_aggregates}; both are at least 1, and a trial has `pool` samples or more"
            )
        attention = SpatialAttention(n_virtual, n_harmonics, spatial_dropout, gain=gain)
        core = _Core(
            sensors.n_times, width, n_virtual, hidden, n_blocks, attention, dropout, pool,
            n_aggregates,
        )  # fmt: skip
        own = _Own(sensors, n_virtual, subject_layer)
        super().__init__(own, core, {"samples": sensors.n_times}, share)
