"""Temporal-spatial convolutions of NICE."""

from __future__ import annotations

from torch import Tensor, nn

from neurodecode.context import SensorArray
from neurodecode.errors import ConfigError
from neurodecode.nn.meeg.adapter import SensorAdapter, check_sensors

__all__ = ["NICEAdapter", "ResidualProjection", "TSConv"]


class TSConv(nn.Module):
    """Convolution over time, mean pooling, convolution over channels.

    Parameters
    ----------
    n_channels, n_times : int
        Shape of a trial.
    n_filters : int
        Of all convolutions; 40 as published.
    kernel, pool, stride : int
        Samples of the temporal convolution, of the pooling window and between two windows; 25, 51
        and 5 at 250 Hz as published (100 ms, 204 ms, 20 ms).
    dropout : float
        After the last activation.

    Raises
    ------
    ConfigError
        If a trial is shorter than the kernels.

    References
    ----------
    Song et al. 2024 (NICE).
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_filters: int = 40,
        kernel: int = 25,
        pool: int = 51,
        stride: int = 5,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if n_times < kernel + pool - 1:
            raise ConfigError(
                f"a trial has {n_times} samples, kernel {kernel} and pool {pool} need"
                f" {kernel + pool - 1}; choose shorter ones under the adapter's init_args"
            )
        #: Values that a trial leaves.
        self.n_out = n_filters * ((n_times - kernel + 1 - pool) // stride + 1)
        self.layers = nn.Sequential(
            nn.Conv2d(1, n_filters, (1, kernel)),
            nn.AvgPool2d((1, pool), (1, stride)),
            nn.BatchNorm2d(n_filters),
            nn.ELU(),
            nn.Conv2d(n_filters, n_filters, (n_channels, 1)),
            nn.BatchNorm2d(n_filters),
            nn.ELU(),
            nn.Dropout(dropout),
            nn.Conv2d(n_filters, n_filters, 1),
        )

    def forward(self, responses: Tensor) -> Tensor:
        """Convolve.

        Parameters
        ----------
        responses : Tensor of shape (n_trials, n_channels, n_times)
            Standardised responses.

        Returns
        -------
        Tensor of shape (n_trials, n_out)
            Features, window after window.
        """
        return self.layers(responses[:, None])[:, :, 0].transpose(1, 2).flatten(1)


class ResidualProjection(nn.Sequential):
    """Linear map, residual perceptron of one layer, layer norm.

    Parameters
    ----------
    n_in, n_out : int
        Sizes.
    dropout : float
        Inside the perceptron.
    """

    def __init__(self, n_in: int, n_out: int, dropout: float = 0.5) -> None:
        super().__init__(nn.Linear(n_in, n_out), _Residual(n_out, dropout), nn.LayerNorm(n_out))


class _Residual(nn.Sequential):
    """Add what a layer makes of its input."""

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__(nn.GELU(), nn.Linear(size, size), nn.Dropout(dropout))

    def forward(self, values: Tensor) -> Tensor:
        """Map (n, size) to (n, size)."""
        return values + super().forward(values)


class _Core(nn.Module):
    """Convolutions and projection; a subject has nothing of its own."""

    def __init__(self, conv: TSConv, width: int, dropout: float) -> None:
        super().__init__()
        self.conv, self.project = conv, ResidualProjection(conv.n_out, width, dropout)

    def forward(self, responses: Tensor, own: nn.Module) -> Tensor:
        """Map (n_trials, n_channels, n_times) to (n_trials, width)."""
        return self.project(self.conv(responses))


class NICEAdapter(SensorAdapter):
    """`TSConv`, then `ResidualProjection` to the shared width (768 as published).

    Parameters
    ----------
    inputs : SensorArray
        Sensors of the subject.
    width : int
        Width of the shared space.
    n_filters, kernel, pool, stride
        See `TSConv`.
    dropout : float
        Of convolutions and projection.
    share : bool
        One network for all subjects, who must then have the same channels; the published ones
        are trained for each subject alone.

    Raises
    ------
    ConfigError
        If responses have no time axis, or a trial is shorter than the kernels.

    References
    ----------
    Song et al. 2024, "Decoding natural images from EEG for object recognition".
    """

    def __init__(
        self,
        inputs: SensorArray,
        width: int,
        n_filters: int = 40,
        kernel: int = 25,
        pool: int = 51,
        stride: int = 5,
        dropout: float = 0.5,
        share: bool = True,
    ) -> None:
        sensors = check_sensors(inputs, "NICEAdapter")
        sizes = (sensors.n_channels, sensors.n_times)
        conv = TSConv(*sizes, n_filters, kernel, pool, stride, dropout)
        super().__init__(
            nn.Identity(),
            _Core(conv, width, dropout),
            {"channels": sizes[0], "samples": sizes[1]},
            share,
        )
