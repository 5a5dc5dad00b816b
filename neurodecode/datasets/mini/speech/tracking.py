"""How the miniature listeners' brains follow what is attended and what is ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.mini.sensors import BRAIN_RADIUS, HEAD_CENTRE, gain

if TYPE_CHECKING:
    import mne

__all__ = ["ATTENDED_V", "IGNORED_V", "follow", "response_functions", "topographies"]

#: Root mean square of what follows a talker at the best electrode, in V. Forward models of
#: continuous speech reach r of .05 to .1 at the best electrodes (Di Liberto et al. 2015; Crosse et
#: al. 2016); .05 of a background of 7.5 uV between 1 and 9 Hz are .4 uV. The first value, .6 uV,
#: gave reconstructions of r .18 to .30, more than the .05 to .2 that are published; that was the
#: one change. Responses to an ignored talker are about half as large (Ding and Simon 2012;
#: O'Sullivan et al. 2015).
ATTENDED_V, IGNORED_V = 0.4e-6, 0.2e-6

#: Peaks in s, widths in s and signs of responses to an attended and to an ignored talker: the late
#: ones are what attention changes most (Ding and Simon 2012).
_ATTENDED = ((0.055, 0.020, 0.6), (0.110, 0.028, -1.0), (0.190, 0.040, 0.8))
_IGNORED = ((0.055, 0.020, 0.6), (0.120, 0.030, -0.5), (0.210, 0.045, 0.25))
_LONGEST = 0.4
#: Auditory cortex left and right, and which way it points, on the unit sphere of the brain.
_PLACE = np.array([[-0.72, 0.05, 0.10], [0.72, 0.05, 0.10]])
_UP = np.array([[0.25, 0.35, 0.90], [-0.25, 0.35, 0.90]])


def response_functions(sfreq: float, rng: np.random.Generator) -> np.ndarray:
    """Temporal response functions of one listener.

    Parameters
    ----------
    sfreq : float
        In Hz.
    rng : numpy.random.Generator
        Latencies vary between people by a tenth.

    Returns
    -------
    array of shape (2, 3, n_lags)
        Attended and ignored talker; three components, from lag 0 on.
    """
    seconds = np.arange(round(_LONGEST * sfreq) + 1) / sfreq
    slower = np.exp(0.1 * rng.standard_normal())
    return np.array(
        [
            [
                size * np.exp(-0.5 * ((seconds - slower * peak) / width) ** 2)
                for peak, width, size in kind
            ]
            for kind in (_ATTENDED, _IGNORED)
        ]
    )


def topographies(info: mne.Info, rng: np.random.Generator) -> np.ndarray:
    """Where the three components show on the head.

    Parameters
    ----------
    info : mne.Info
        Electrodes.
    rng : numpy.random.Generator
        Places and directions vary between people.

    Returns
    -------
    array of shape (3, n_channels)
        Largest value 1.
    """
    patterns = []
    for _ in range(3):
        place = HEAD_CENTRE + BRAIN_RADIUS * (_PLACE + 0.06 * rng.standard_normal((2, 3)))
        direction = _UP + 0.25 * rng.standard_normal((2, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        pattern = gain(info, place, direction) @ np.exp(0.3 * rng.standard_normal(2))
        pattern -= pattern.mean()
        patterns.append(pattern / np.abs(pattern).max())
    return np.array(patterns)


def follow(
    envelopes: np.ndarray, attended: np.ndarray, functions: np.ndarray, patterns: np.ndarray
) -> np.ndarray:
    """Responses to two talkers.

    Parameters
    ----------
    envelopes : array of shape (2, n_times)
        Of the talkers, mean 0 and variance 1.
    attended : array of int of shape (n_times,)
        Which one is attended.
    functions : array of shape (2, 3, n_lags)
        From `response_functions`.
    patterns : array of shape (3, n_channels)
        From `topographies`.

    Returns
    -------
    array of shape (n_channels, n_times)
        In V: at its best electrode an attended talker has `ATTENDED_V`, an ignored one
        `IGNORED_V` (root mean square).
    """
    n = envelopes.shape[1]
    out = np.zeros((patterns.shape[1], n))
    for kind, size in enumerate((ATTENDED_V, IGNORED_V)):
        courses = [
            np.array([np.convolve(envelope, one)[:n] for one in functions[kind]])
            for envelope in envelopes
        ]
        unit = max(float((patterns.T @ course).std(axis=1).max()) for course in courses)
        for talker, course in enumerate(courses):
            # a talker counts as attended or ignored at the time the response is made
            on = (attended == talker) if kind == 0 else (attended != talker)
            out += size / unit * (patterns.T @ course) * on
    return out
