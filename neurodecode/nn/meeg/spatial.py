"""Attention over sensors by where they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from neurodecode.context import Place
from neurodecode.errors import ConfigError

__all__ = ["SensorPlaces", "SpatialAttention", "flat_positions"]


def flat_positions(places: Sequence[Place]) -> Tensor:
    """Lay sensor positions out on a unit square, seen from above.

    Parameters
    ----------
    places : sequence of Place of length n_channels
        Head coordinates in metres.

    Returns
    -------
    Tensor of float32 of shape (n_channels, 2)
        Azimuthal equidistant projection from the vertex, scaled to 0 to 1 on both axes; NaN for
        sensors whose position is unknown.
    """
    nan = (math.nan,) * 3
    x, y, z = torch.tensor([nan if p is None else p for p in places], dtype=torch.float64).T
    radius = torch.sqrt(x**2 + y**2 + z**2).clamp(min=1e-9)
    angle = torch.arccos((z / radius).clamp(-1, 1))
    azimuth = torch.atan2(y, x)
    flat = torch.stack([angle * torch.cos(azimuth), angle * torch.sin(azimuth)], dim=1)
    known = flat[flat.isfinite().all(dim=1)]
    low, high = known.min(dim=0).values, known.max(dim=0).values
    return ((flat - low) / (high - low).clamp(min=1e-9)).float()


class SensorPlaces(nn.Module):
    """Where the sensors of one subject are, and whether they are known.

    Parameters
    ----------
    places : sequence of Place of length n_channels
        Head coordinates in metres.

    Raises
    ------
    ConfigError
        If no position is known.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        if not any(places):
            raise ConfigError(
                "spatial attention needs sensor positions and a subject has none; prepare its"
                " recording with a montage, or choose an adapter without (NICEAdapter, ...)"
            )
        flat = flat_positions(places)
        # follow from the data, like the sizes: not in the checkpoint
        self.register_buffer("known", flat.isfinite().all(dim=1), persistent=False)
        self.register_buffer("flat", flat.nan_to_num(0.0), persistent=False)


class SpatialAttention(nn.Module):
    r"""Virtual channels, each a mean of the sensors weighted by a learned map of the head.

    With :math:`\phi_{kl}(x, y) = 2\pi (k x + l y) / (1 + 2 m)` for k, l = 0..K-1 and a margin m,

    .. math:: a_j(x, y) = \sum_{kl} z^c_{jkl} \cos\phi_{kl} + z^s_{jkl} \sin\phi_{kl}, \qquad
              o_j = \sum_i \mathrm{softmax}_i\, a_j(x_i, y_i)\; s_i

    Parameters
    ----------
    n_out : int
        Virtual channels; 270 as published.
    n_harmonics : int
        K of each axis; 32 as published, 2048 terms.
    dropout : float
        While training, sensors within this distance of a random place are left out of the
        softmax, in units of the square that they are laid out on; 0.2 as published.
    margin : float
        Of the square, so that its opposite edges are not the same place.
    gain : float
        Standard deviation of the first maps is about .7 times this: with 1, as published, every
        virtual channel begins as nearly the same mean of all sensors; with 5 each begins at few
        neighbours.

    References
    ----------
    Défossez et al. 2023, "Decoding speech perception from non-invasive brain recordings",
    equations 3 and 4; Benchetrit, Banville and King 2024.
    """

    def __init__(
        self,
        n_out: int = 270,
        n_harmonics: int = 32,
        dropout: float = 0.2,
        margin: float = 0.1,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.n_harmonics, self.dropout, self.margin = n_harmonics, dropout, margin
        n_terms = 2 * n_harmonics**2
        self.maps = nn.Parameter(gain * torch.randn(n_out, n_terms) / n_terms**0.5)
        self._last: tuple[tuple[int, int, int], Tensor] | None = None

    def terms(self, flat: Tensor) -> Tensor:
        """Fourier terms of places.

        Parameters
        ----------
        flat : Tensor of shape (n_channels, 2)
            Places on the unit square.

        Returns
        -------
        Tensor of shape (n_channels, 2 * n_harmonics ** 2)
            Cosines, then sines.
        """
        k = torch.arange(self.n_harmonics, device=flat.device, dtype=flat.dtype)
        x, y = ((flat + self.margin) / (1 + 2 * self.margin)).unbind(dim=1)
        phase = 2 * math.pi * (x[:, None, None] * k[:, None] + y[:, None, None] * k)
        phase = phase.flatten(1)
        return torch.cat([phase.cos(), phase.sin()], dim=1)

    def weights(self, places: SensorPlaces) -> Tensor:
        """Share of each sensor in each virtual channel.

        Parameters
        ----------
        places : SensorPlaces
            Where the sensors are.

        Returns
        -------
        Tensor of shape (n_out, n_channels)
            Rows sum to one; nothing for sensors whose position is unknown.
        """
        # the same for every window of a stream, and at published size a third of its time
        key = (self.maps.data_ptr(), self.maps._version, places.flat.data_ptr())
        fixed = not (self.training or torch.is_grad_enabled())
        if fixed and self._last is not None and self._last[0] == key:
            return self._last[1]
        found = self._weights(places)
        if fixed:
            self._last = (key, found)
        return found

    def _weights(self, places: SensorPlaces) -> Tensor:
        scores = self.maps @ self.terms(places.flat).T
        kept = places.known
        if self.training and self.dropout:
            centre = torch.rand(2, device=scores.device)
            far = (places.flat - centre).norm(dim=1) > self.dropout
            # of a few sensors in a corner all may be close: then none is left out
            kept = torch.where((kept & far).any(), kept & far, kept)
        return scores.masked_fill(~kept, -math.inf).softmax(dim=1)

    def forward(self, responses: Tensor, places: SensorPlaces) -> Tensor:
        """Merge sensors.

        Parameters
        ----------
        responses : Tensor of shape (n_trials, n_channels, n_times)
            Standardised responses.
        places : SensorPlaces
            Where the sensors are.

        Returns
        -------
        Tensor of shape (n_trials, n_out, n_times)
            Virtual channels.
        """
        return self.weights(places) @ responses
