"""Inception branches and local attention on both sides of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurodecode.errors import ConfigError
from neurodecode.nn.attention import make_attention
from neurodecode.nn.listening.base import ListeningNetwork, ahead, behind

__all__ = ["InceptionAttention"]


class InceptionAttention(ListeningNetwork):
    """Convolutions of several lengths on either side, all pairs of series compared.

    The brain's series are corrected by what attention finds in the samples that follow: a block
    of the shared registry, whose output begins at zero. With `canonical` filters as a beginning
    (`begin`), training starts from the linear decoder and can only leave it where that helps.

    Parameters
    ----------
    n_channels, n_features : int
        Channels of the brain and features of a sound.
    brain_kernels, sound_kernels : sequence of int
        Lengths of the convolutions in samples.
    n_filters : int
        Series of each convolution.
    attention : str or None
        Mechanism of `neurodecode.nn.attention`; None for none.
    attention_options : mapping, optional
        Of the mechanism.
    n_heads : int
        Heads; they share the series of the brain evenly.
    attention_reach : int
        Samples ahead that attention may read.
    dropout : float
        Of the channels in training.

    References
    ----------
    After AADNet (Nguyen et al. 2024), which has kernels of .3 to .6 s on the brain and of 1 to
    1.3 s on the sound, and no attention.
    """

    def __init__(
        self,
        n_channels: int,
        n_features: int,
        *,
        brain_kernels: Sequence[int] = (5, 9, 13),
        sound_kernels: Sequence[int] = (9, 17),
        n_filters: int = 6,
        attention: str | None = "softmax",
        attention_options: Mapping[str, Any] | None = None,
        n_heads: int = 2,
        attention_reach: int = 8,
        dropout: float = 0.0,
    ) -> None:
        n_brain, n_sound = n_filters * len(brain_kernels), n_filters * len(sound_kernels)
        more = attention_reach if attention else 0
        super().__init__(n_brain, n_sound, max(brain_kernels) - 1 + more)
        if attention and n_brain % n_heads:
            raise ConfigError(f"{n_brain} series of the brain cannot be shared by {n_heads} heads")
        self.n_filters, self.attention_reach = n_filters, more
        self.brain_layers = nn.ModuleList(
            nn.Conv1d(n_channels, n_filters, each, bias=False) for each in brain_kernels
        )
        self.sound_layers = nn.ModuleList(
            nn.Conv1d(n_features, n_filters, each, bias=False) for each in sound_kernels
        )
        self.dropout = nn.Dropout1d(dropout)
        self.mechanism = None
        if attention:
            self.n_heads = n_heads
            self.inwards = nn.Linear(n_brain, 3 * n_brain)
            self.outwards = nn.Linear(n_brain, n_brain, bias=False)
            nn.init.zeros_(self.outwards.weight)
            self.mechanism = make_attention(
                attention, n_heads, n_brain // n_heads, attention_options
            )
        nn.init.normal_(self.weight, std=n_brain**-0.5)

    def brain(self, eeg: Tensor) -> Tensor:
        """See `ListeningNetwork.brain`."""
        series = self.dropout(eeg.transpose(1, 2))
        series = torch.cat([ahead(series, layer) for layer in self.brain_layers], 1).transpose(1, 2)
        if self.mechanism is None:
            return series
        return series + self.outwards(self._look(series))

    def _look(self, series: Tensor) -> Tensor:
        """What attention reads: (n_batch, n_times, n_brain)."""
        n_batch, n_times, width = series.shape
        # in units of their spread, which canonical filters bring to 1 and others do not
        unit = F.layer_norm(series, (width,))
        q, k, v = self.inwards(unit).chunk(3, -1)
        # every moment is an item of its own, with its neighbours as keys: linear in time
        keys, values = (
            F.pad(each, (0, 0, 0, self.attention_reach))
            .unfold(1, self.attention_reach + 1, 1)
            .unflatten(2, (self.n_heads, -1))
            .flatten(0, 1)
            .transpose(2, 3)
            for each in (k, v)
        )
        place = torch.arange(n_times, device=series.device)[:, None]
        there = place + torch.arange(self.attention_reach + 1, device=series.device) < n_times
        mask = there[:, None, None].repeat(n_batch, 1, 1, 1)
        queries = q.reshape(n_batch * n_times, self.n_heads, 1, -1)
        assert self.mechanism is not None
        return self.mechanism(queries, keys, values, mask=mask).reshape(n_batch, n_times, width)

    def sound(self, candidates: Tensor) -> Tensor:
        """See `ListeningNetwork.sound`."""
        series = candidates.flatten(0, 1).transpose(1, 2)
        series = torch.cat([behind(series, layer) for layer in self.sound_layers], 1)
        return series.transpose(1, 2).unflatten(0, candidates.shape[:2])

    @torch.no_grad()
    def begin(self, brain: Tensor, sound: Tensor, weight: Tensor) -> None:
        """Begin with linear filters; what is over keeps its random beginning and counts nothing.

        Parameters
        ----------
        brain : Tensor of shape (n_lags, n_channels, n_components)
            Filters of the brain; lag k reads k samples ahead.
        sound : Tensor of shape (n_lags, n_features, n_components)
            Filters of a sound; lag k reads k samples back.
        weight : Tensor of shape (n_components,)
            What the correlation of each pair of components counts.

        Raises
        ------
        ConfigError
            If no convolution is long enough or there are too many components.
        """
        count = len(weight)
        layers = [
            next((each for each in some if each.kernel_size[0] >= len(lags)), None)
            for some, lags in ((self.brain_layers, brain), (self.sound_layers, sound))
        ]
        if None in layers or count > self.n_filters:
            raise ConfigError(
                f"{len(brain)} and {len(sound)} lags and {count} components do not fit into the"
                " network; give longer kernels or more filters"
            )
        self.weight.zero_()
        rows = []
        sides = ((layers[0], self.brain_layers, brain), (layers[1], self.sound_layers, sound))
        for number, (layer, layers_of, lags) in enumerate(sides):
            layer.weight[:count].zero_()
            taps = lags.permute(2, 1, 0)
            if number == 0:
                layer.weight[:count, :, : len(lags)] = taps
            else:
                layer.weight[:count, :, layer.kernel_size[0] - len(lags) :] = taps.flip(-1)
            rows.append(list(layers_of).index(layer) * self.n_filters + torch.arange(count))
        self.weight[rows[0], rows[1]] = weight.to(self.weight)
