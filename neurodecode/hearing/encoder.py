"""A small speaker encoder: from a few seconds of a voice to a vector of unit length.

Layers over time with attentive statistics pooling, as in x-vectors and ECAPA-TDNN (Desplanques et
al. 2020, arXiv 2005.07143), a hundredth of their size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["SpeakerEncoder"]

#: 64 ms: the harmonics of every voice are apart, so pitch shows in single bins.
_WINDOW, _HOP = 512, 160


class SpeakerEncoder(nn.Module):
    """Embed voices.

    Parameters
    ----------
    width : int
        Channels.
    dim : int
        Length of the embedding.
    rate : int
        Sampling rate it is made for, in Hz.
    """

    def __init__(self, width: int = 48, dim: int = 32, rate: int = 8000) -> None:
        super().__init__()
        self.options = {"width": width, "dim": dim, "rate": rate}
        self.dim, self.rate = dim, rate
        n_bins = _WINDOW // 2 + 1
        self.register_buffer("window", torch.hann_window(_WINDOW), persistent=False)
        self.frames = nn.Sequential(
            nn.Conv1d(n_bins, width, 1),
            nn.ReLU(),
            nn.BatchNorm1d(width),
            nn.Conv1d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.BatchNorm1d(width),
            nn.Conv1d(width, width, 3, padding=2, dilation=2),
            nn.ReLU(),
            nn.BatchNorm1d(width),
        )
        self.importance = nn.Sequential(nn.Conv1d(width, 16, 1), nn.Tanh(), nn.Conv1d(16, width, 1))
        self.out = nn.Linear(2 * width, dim)

    def forward(self, sound: Tensor) -> Tensor:
        """Embed.

        Parameters
        ----------
        sound : Tensor of shape (n_batch, n_samples)
            One channel; its level does not matter.

        Returns
        -------
        Tensor of shape (n_batch, dim)
            Of unit length.
        """
        found = self.frames(self._log_power(sound))
        weight = self.importance(found).softmax(-1)
        mean = (weight * found).sum(-1)
        spread = ((weight * found**2).sum(-1) - mean**2).clamp_min(1e-6).sqrt()
        return F.normalize(self.out(torch.cat([mean, spread], 1)), dim=-1)

    def _log_power(self, sound: Tensor) -> Tensor:
        """Level of every bin over the loudest moment, cut off 60 dB below it."""
        # a window at least, or there is no frame
        short = max(_WINDOW - sound.shape[-1], 0)
        spectrum = torch.stft(F.pad(sound, (0, short)), _WINDOW, _HOP, window=self.window,
                              center=False, return_complex=True)  # fmt: skip
        level = 10 * spectrum.abs().square().clamp_min(1e-14).log10()
        top = level.amax((1, 2), keepdim=True)
        return (level - top).clamp_min(-60) / 20 + 1.5
