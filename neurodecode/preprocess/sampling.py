"""Which samples of a recording make an epoch, when no later sample may be waited for long."""

from __future__ import annotations

import numpy as np

from neurodecode.preprocess.filters import decimation
from neurodecode.preprocess.recipe import Recipe

__all__ = ["Sampler"]

#: Samples between which is interpolated: 8 leave an error of .1 % at a sixth of the sampling rate
#: and far less below, and the last of them is 4 samples late.
_POINTS = 8


class Sampler:
    """Takes the samples of an epoch out of a recording that was filtered forwards.

    If the rate of the epochs divides that of the recording, these are every n-th sample, counted
    from the event. Otherwise values between samples are read from the polynomial through the 8
    nearest (Lagrange): what a polyphase resampler does, started anew at each event, so that an
    epoch begins exactly at its event, and a stream needs no state besides its last samples. The
    low-pass of the recipe has removed what could fold.

    Parameters
    ----------
    recipe : Recipe
        ``sfreq_hz``, ``tmin_s`` and ``tmax_s``.
    sfreq : float
        Sampling rate of the recording in Hz.

    Attributes
    ----------
    sfreq : float
        Sampling rate of the epochs in Hz.
    n_times : int
        Samples of an epoch.
    first, last : int
        First and last sample of the recording that an epoch needs, relative to its event.
    """

    def __init__(self, recipe: Recipe, sfreq: float) -> None:
        factor = decimation(recipe, sfreq)
        self.sfreq = float(sfreq / factor if factor else recipe.sfreq_hz or sfreq)
        start, stop = round(recipe.tmin_s * self.sfreq), round(recipe.tmax_s * self.sfreq)
        steps = np.arange(start, stop + 1)
        self.n_times = len(steps)
        if factor:
            self.places = (steps * factor)[:, None]
            self.weights = np.ones((1, self.n_times))
        else:
            exact = steps * (sfreq / self.sfreq)
            whole = np.floor(exact).astype(np.int64)
            self.places = whole[:, None] + np.arange(_POINTS) - (_POINTS // 2 - 1)
            self.weights = _lagrange(exact - whole)
        self.first, self.last = int(self.places[0, 0]), int(self.places[-1, -1])

    def __call__(self, signals: np.ndarray, onset: int) -> np.ndarray:
        """Take one epoch.

        Parameters
        ----------
        signals : array of shape (n_channels, n_samples)
            Filtered recording, or the part from ``onset + first`` to ``onset + last``.
        onset : int
            Sample of the event in `signals`.

        Returns
        -------
        array of shape (n_channels, n_times)
            The epoch. Point by point in a fixed order, so that the part of a stream gives the
            same numbers as the whole run.
        """
        places = onset + self.places
        if places.shape[1] == 1:
            return signals[:, places[:, 0]]
        out = signals[:, places[:, 0]] * self.weights[0]
        for point in range(1, places.shape[1]):
            out += signals[:, places[:, point]] * self.weights[point]
        return out

    def epochs(self, signals: np.ndarray, onset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take the epochs of a run.

        Parameters
        ----------
        signals : array of shape (n_channels, n_samples)
            Filtered run.
        onset : array of int of shape (n_events,)
            Samples of the events.

        Returns
        -------
        epochs : array of shape (n_inside, n_channels, n_times)
            Of the events whose samples all lie inside the run.
        inside : array of bool of shape (n_events,)
            Which those are.
        """
        onset = np.asarray(onset, dtype=np.int64)
        inside = (onset + self.first >= 0) & (onset + self.last < signals.shape[1])
        parts = [self(signals, int(each)) for each in onset[inside]]
        shape = (0, len(signals), self.n_times)
        return np.stack(parts) if parts else np.empty(shape), inside


def _lagrange(fraction: np.ndarray) -> np.ndarray:
    """Weights (n_points, n) of the points around places `fraction` after the middle left one."""
    nodes = np.arange(_POINTS) - (_POINTS // 2 - 1)
    weights = np.ones((_POINTS, len(fraction)))
    for number, node in enumerate(nodes):
        for other in nodes[nodes != node]:
            weights[number] *= (fraction - other) / (node - other)
    return weights
