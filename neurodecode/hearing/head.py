"""Where a talker is, as both ears hear it: a spherical head, and a room.

Delays by Woodworth's formula, shadow by one pole and one zero: Brown and Duda 1998, A structural
model for binaural sound synthesis, IEEE Trans. Speech Audio Process. 6, equations 3 and 4.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

__all__ = ["add_room", "at_ears", "ear_delay_s"]

_RADIUS_M, _SOUND_M_S = 0.0875, 343.0
_SHADOW_MIN, _SHADOW_DEG = 0.1, 150.0
#: So much that no ear hears anything before the sound begins.
_BASE_S = _RADIUS_M / _SOUND_M_S


def _incidence(azimuth_deg: float) -> np.ndarray:
    """Angle between source and left, right ear in rad: (2,)."""
    away = np.abs(np.array([azimuth_deg + 90.0, azimuth_deg - 90.0]))
    return np.deg2rad(np.minimum(away, 360 - away))


def ear_delay_s(azimuth_deg: float) -> np.ndarray:
    """When sound arrives at the ears, from when it would at the middle of the head.

    Parameters
    ----------
    azimuth_deg : float
        0 in front, 90 at the right.

    Returns
    -------
    array of shape (2,)
        Left and right, in s; negative for an ear that is turned towards the source.
    """
    angle = _incidence(azimuth_deg)
    near = -_BASE_S * np.cos(angle)
    return np.where(angle < np.pi / 2, near, _BASE_S * (angle - np.pi / 2))


def at_ears(sound: np.ndarray, rate: float, azimuth_deg: float) -> np.ndarray:
    """Sound of a far source at both ears.

    Parameters
    ----------
    sound : array of shape (n_samples,)
        What is said.
    rate : float
        In Hz.
    azimuth_deg : float
        0 in front, 90 at the right.

    Returns
    -------
    array of shape (2, n_samples)
        Left and right ear.
    """
    n = len(sound)
    length = next_fast_len(n + round(0.01 * rate), real=True)
    angular = 2 * np.pi * rfftfreq(length, 1 / rate)
    delay = ear_delay_s(azimuth_deg) + _BASE_S
    degrees = np.rad2deg(_incidence(azimuth_deg))
    alpha = 1 + _SHADOW_MIN / 2 + (1 - _SHADOW_MIN / 2) * np.cos(np.pi * degrees / _SHADOW_DEG)
    place = 1j * angular * _RADIUS_M / (2 * _SOUND_M_S)
    transfer = (1 + alpha[:, None] * place) / (1 + place) * np.exp(-1j * np.outer(delay, angular))
    return irfft(transfer * rfft(sound, length), length)[:, :n]


def add_room(
    ears: np.ndarray, rate: float, decay_s: float, direct_db: float, rng: np.random.Generator
) -> np.ndarray:
    """Add diffuse reverberation: noise that decays, of its own at each ear (Polack 1988).

    Parameters
    ----------
    ears : array of shape (2, n_samples)
        Direct sound.
    rate : float
        In Hz.
    decay_s : float
        Time in which reverberation falls by 60 dB.
    direct_db : float
        Energy of the direct sound over that of the reverberation.
    rng : numpy.random.Generator
        The room.

    Returns
    -------
    array of shape (2, n_samples)
        Direct and reverberant sound.
    """
    seconds = np.arange(round(decay_s * rate)) / rate
    tail = rng.standard_normal((2, len(seconds))) * 10 ** (-3 * seconds / decay_s)
    tail[:, : round(0.003 * rate)] = 0
    length = next_fast_len(ears.shape[1] + len(seconds), real=True)
    diffuse = irfft(rfft(ears.mean(0), length) * rfft(tail, length), length)[:, : ears.shape[1]]
    power = np.mean(ears**2) / max(float(np.mean(diffuse**2)), 1e-20)
    return ears + np.sqrt(power) * 10 ** (-direct_db / 20) * diffuse
