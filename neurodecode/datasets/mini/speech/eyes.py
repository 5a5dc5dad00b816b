"""Where the miniature listeners look, and what their eyes do to electrodes.

Looking to a side tenses a muscle beside that eye: activity between 20 and 45 Hz at the temples,
which a decoder of direction takes for attention wherever people look at whom they listen to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import signal

__all__ = ["eye_channels", "gaze_side", "muscle", "tension"]

#: Share of the time at which somebody looks where they listen, if they do.
_FOLLOWS = 0.85
#: Seconds between two saccades to another side (exponential, at least one).
_DWELL = 4.0
_EOG_V, _EOG_NOISE_V, _MUSCLE_V = 60e-6, 15e-6, 4e-6
_MUSCLE_HZ = (20.0, 45.0)
#: Tonic activity of other muscles at an electrode, and how much it differs between trials (standard
#: deviation of its logarithm): by it a trial is told from all others.
_TENSION_V, _TENSION_SPREAD = 2e-6, 0.6
_LEFT, _RIGHT = {"F7", "FT7", "AF7", "T7"}, {"F8", "FT8", "AF8", "T8"}


def gaze_side(
    attended_side: np.ndarray, sfreq: float, follows: bool, rng: np.random.Generator
) -> np.ndarray:
    """Side to which somebody looks.

    Parameters
    ----------
    attended_side : array of int of shape (n_times,)
        -1 left, 1 right.
    sfreq : float
        In Hz.
    follows : bool
        Whether eyes follow attention; otherwise they look to both sides equally often, whatever
        is attended.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of int of shape (n_times,)
        -1 or 1.
    """
    n = len(attended_side)
    out = np.empty(n, dtype=int)
    at, side = 0, rng.choice([-1, 1])
    while at < n:
        stop = min(at + round((1 + rng.exponential(_DWELL)) * sfreq), n)
        if follows:
            side = 1 if rng.random() < _FOLLOWS else -1
            out[at:stop] = side * attended_side[at:stop]
        else:
            out[at:stop] = side
            side = -side
        at = stop
    return out


def eye_channels(side: np.ndarray, sfreq: float, rng: np.random.Generator) -> np.ndarray:
    """Horizontal and vertical electro-oculogram.

    Parameters
    ----------
    side : array of shape (n_times,)
        From `gaze_side`.
    sfreq : float
        In Hz.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of shape (n_times, 2)
        In V.
    """
    slow = signal.sosfiltfilt(
        signal.butter(2, 10.0, fs=sfreq, output="sos"), side.astype(float), padlen=0
    )
    noise = _EOG_NOISE_V * rng.standard_normal((len(side), 2))
    noise[:, 0] += _EOG_V * slow
    return noise


def muscle(
    side: np.ndarray, sfreq: float, channels: Sequence[str], rng: np.random.Generator
) -> np.ndarray:
    """Activity of the muscles beside the eyes.

    Parameters
    ----------
    side : array of shape (n_times,)
        From `gaze_side`.
    sfreq : float
        In Hz.
    channels : sequence of str of length n_channels
        Names.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of shape (n_channels, n_times)
        In V; larger on the side to which the eyes look.
    """
    sos = signal.butter(2, _MUSCLE_HZ, "bandpass", fs=sfreq, output="sos")
    out = np.zeros((len(channels), len(side)))
    for sign, names in ((-1, _LEFT), (1, _RIGHT)):
        activity = signal.sosfilt(sos, rng.standard_normal(len(side)))
        activity *= _MUSCLE_V / max(activity.std(), 1e-30) * (1 + 0.6 * sign * side)
        for number, name in enumerate(channels):
            if name in names:
                out[number] = activity * (1.0 if name[0] == "F" else 0.5)
    return out


def tension(n_times: int, sfreq: float, n_channels: int, rng: np.random.Generator) -> np.ndarray:
    """Tonic muscle activity, at a level that every trial and electrode has for itself.

    Parameters
    ----------
    n_times : int
        Samples.
    sfreq : float
        In Hz.
    n_channels : int
        Electrodes.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of shape (n_channels, n_times)
        In V.
    """
    sos = signal.butter(2, _MUSCLE_HZ, "bandpass", fs=sfreq, output="sos")
    activity = signal.sosfilt(sos, rng.standard_normal((n_channels, n_times)), axis=1)
    activity /= np.maximum(activity.std(axis=1, keepdims=True), 1e-30)
    return _TENSION_V * np.exp(_TENSION_SPREAD * rng.standard_normal((n_channels, 1))) * activity
