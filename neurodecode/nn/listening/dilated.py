"""Match-mismatch by dilated convolutions."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from neurodecode.nn.listening.base import ListeningNetwork, ahead, behind, span

__all__ = ["DilatedMatch"]


class DilatedMatch(ListeningNetwork):
    """Few mixtures of channels, then dilated convolutions on both sides; all pairs are compared.

    Parameters
    ----------
    n_channels, n_features : int
        Channels of the brain and features of a sound.
    n_mixtures : int
        Mixtures of channels.
    n_filters : int
        Of each convolution, and series of each side.
    kernel, n_layers, base : int
        Layer k reads `kernel` samples, ``base ** k`` apart.
    dropout : float
        Share of channel mixtures that are silenced in training.

    References
    ----------
    Accou et al. (2021), J. Neural Eng. 18; the published network has 8 mixtures, 16 filters, three
    layers of kernel 3 and base 3 at 64 Hz.
    """

    def __init__(
        self,
        n_channels: int,
        n_features: int,
        *,
        n_mixtures: int = 8,
        n_filters: int = 16,
        kernel: int = 3,
        n_layers: int = 3,
        base: int = 2,
        dropout: float = 0.0,
    ) -> None:
        def tower(n_in: int) -> nn.ModuleList:
            """Layers of one side."""
            return nn.ModuleList(
                nn.Conv1d(n_filters if k else n_in, n_filters, kernel, dilation=base**k)
                for k in range(n_layers)
            )

        brain, sound = tower(n_mixtures), tower(n_features)
        super().__init__(n_filters, n_filters, sum(map(span, brain)))
        self.mix = nn.Conv1d(n_channels, n_mixtures, 1)
        self.dropout = nn.Dropout1d(dropout)
        self.brain_layers, self.sound_layers = brain, sound
        nn.init.normal_(self.weight, std=n_filters**-0.5)

    def brain(self, eeg: Tensor) -> Tensor:
        """See `ListeningNetwork.brain`."""
        series = self.dropout(self.mix(eeg.transpose(1, 2)))
        for layer in self.brain_layers:
            series = F.relu(ahead(series, layer))
        return series.transpose(1, 2)

    def sound(self, candidates: Tensor) -> Tensor:
        """See `ListeningNetwork.sound`."""
        series = candidates.flatten(0, 1).transpose(1, 2)
        for layer in self.sound_layers:
            series = F.relu(behind(series, layer))
        return series.transpose(1, 2).unflatten(0, candidates.shape[:2])
