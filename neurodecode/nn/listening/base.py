"""What all listening networks have in common: two branches, and a comparison of the two."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ListeningNetwork", "pair_correlations"]

_SMALLEST = 1e-6


def pair_correlations(brain: Tensor, sound: Tensor) -> Tensor:
    """Pearson's r over time of every brain series with every sound series.

    Parameters
    ----------
    brain : Tensor of shape (n_batch, n_times, n_brain)
        Series of one side.
    sound : Tensor of shape (n_batch, n_candidates, n_times, n_sound)
        Series of each candidate.

    Returns
    -------
    Tensor of shape (n_batch, n_candidates, n_brain, n_sound)
        Correlations; 0 where a series is constant, as that of a silent talker.
    """
    brain, sound = (each - each.mean(-2, keepdim=True) for each in (brain, sound))
    brain = brain / brain.norm(dim=-2, keepdim=True).clamp_min(_SMALLEST)
    sound = sound / sound.norm(dim=-2, keepdim=True).clamp_min(_SMALLEST)
    return torch.einsum("btd,bktg->bkdg", brain, sound)


class ListeningNetwork(nn.Module, ABC):
    """Series made of the brain, series made of a sound, and a score of their correlations.

    The brain answers what was heard: its series at a moment read the `reach` samples that follow,
    those of a sound the samples that came before. Nothing else is read, so that a window, with
    `reach` samples of brain behind it, is all that its score depends on.

    Parameters
    ----------
    n_brain, n_sound : int
        Series of each side.
    reach : int
        Samples of brain after a moment that its series read.
    """

    def __init__(self, n_brain: int, n_sound: int, reach: int) -> None:
        super().__init__()
        self.n_brain, self.n_sound, self.reach = n_brain, n_sound, reach
        self.weight = nn.Parameter(torch.zeros(n_brain, n_sound))

    @abstractmethod
    def brain(self, eeg: Tensor) -> Tensor:
        """Series of the brain.

        Parameters
        ----------
        eeg : Tensor of shape (n_batch, n_times, n_channels)
            Recordings.

        Returns
        -------
        Tensor of shape (n_batch, n_times, n_brain)
            Series; the last `reach` samples read zeros after the end.
        """

    @abstractmethod
    def sound(self, candidates: Tensor) -> Tensor:
        """Series of each sound.

        Parameters
        ----------
        candidates : Tensor of shape (n_batch, n_candidates, n_times, n_features)
            Features of the sounds.

        Returns
        -------
        Tensor of shape (n_batch, n_candidates, n_times, n_sound)
            Series.
        """

    def compare(self, brain: Tensor, sound: Tensor) -> Tensor:
        """Score the candidates of windows.

        Parameters
        ----------
        brain : Tensor of shape (n_batch, n_times, n_brain)
            From `brain`, cut into windows.
        sound : Tensor of shape (n_batch, n_candidates, n_times, n_sound)
            From `sound`, cut into the same windows.

        Returns
        -------
        Tensor of shape (n_batch, n_candidates)
            Weighted sum of correlations, on the scale of logits.
        """
        return torch.einsum("bkdg,dg->bk", pair_correlations(brain, sound), self.weight)

    def forward(self, eeg: Tensor, candidates: Tensor) -> Tensor:
        """Score the candidates of whole excerpts.

        Parameters
        ----------
        eeg : Tensor of shape (n_batch, n_times, n_channels)
            Recordings.
        candidates : Tensor of shape (n_batch, n_candidates, n_times, n_features)
            Sounds.

        Returns
        -------
        Tensor of shape (n_batch, n_candidates)
            Logits. The last `reach` samples, whose answers are not there, are left out.
        """
        brain, sound = self.brain(eeg), self.sound(candidates)
        stop = eeg.shape[1] - self.reach
        return self.compare(brain[:, :stop], sound[:, :, :stop])


def ahead(series: Tensor, layer: nn.Conv1d) -> Tensor:
    """Convolve so that each moment reads those after it.

    Parameters
    ----------
    series : Tensor of shape (n, n_in, n_times)
        Input.
    layer : nn.Conv1d
        Without padding.

    Returns
    -------
    Tensor of shape (n, n_out, n_times)
        Output; zeros are read after the end.
    """
    return layer(F.pad(series, (0, span(layer))))


def behind(series: Tensor, layer: nn.Conv1d) -> Tensor:
    """Convolve so that each moment reads those before it.

    Parameters
    ----------
    series : Tensor of shape (n, n_in, n_times)
        Input.
    layer : nn.Conv1d
        Without padding.

    Returns
    -------
    Tensor of shape (n, n_out, n_times)
        Output; zeros are read before the beginning.
    """
    return layer(F.pad(series, (span(layer), 0)))


def span(layer: nn.Conv1d) -> int:
    """Samples besides its own that a convolution reads.

    Parameters
    ----------
    layer : nn.Conv1d
        Any.

    Returns
    -------
    int
        Samples.
    """
    return int(layer.dilation[0] * (layer.kernel_size[0] - 1))
