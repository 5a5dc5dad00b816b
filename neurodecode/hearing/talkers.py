"""Many synthetic talkers: pitch, vocal tract, rate, breath and timbre drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from neurodecode.datasets.mini.speech.voices import Voice, speak
from neurodecode.preprocess.audio.rates import resample

__all__ = ["RATE", "Talker", "draw_talker", "utter"]

#: Of everything here, in Hz. Half of the usual 16 kHz: the network then has half as many
#: frequencies for every 8 ms, and of the synthetic voices only the noise of consonants lies above.
RATE = 8000
_MADE_AT = 16000

#: Mean pitch in Hz, its spread in natural logarithms, and length of the vocal tract (as formants
#: over those of a male talker) of low and of high voices: Peterson and Barney 1952; Hillenbrand
#: et al. 1995, J. Acoust. Soc. Am. 97.
_KINDS = ((120.0, 0.15, 1.00), (205.0, 0.13, 1.15))
_TRACT_SPREAD = 0.04
_RATES = (3.6, 5.6)
_BREATHS = (0.004, 0.05)
_TILT = 0.5
#: Resonances of a talker's own: two, in Hz, by up to so many dB.
_PEAKS, _PEAK_DB = (700.0, 3600.0), 9.0


@dataclass(frozen=True)
class Talker:
    """One talker.

    Parameters
    ----------
    voice : Voice
        Pitch, tract, rate and breath.
    tilt : float
        Zero of a filter of first order; above 0 the voice is bright, below dull.
    peaks : tuple of (float, float)
        Frequency in Hz and gain in dB of resonances of the talker's own.
    """

    voice: Voice
    tilt: float
    peaks: tuple[tuple[float, float], ...]


def draw_talker(name: str, rng: np.random.Generator) -> Talker:
    """Draw somebody from the population; half of it are low voices.

    Parameters
    ----------
    name : str
        Of the talker.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Talker
        The same for the same state of `rng`.
    """
    pitch, spread, tract = _KINDS[rng.integers(len(_KINDS))]
    voice = Voice(
        name,
        pitch=float(pitch * np.exp(spread * rng.standard_normal())),
        tract=float(tract * np.exp(_TRACT_SPREAD * rng.standard_normal())),
        rate=float(rng.uniform(*_RATES)),
        breath=float(np.exp(rng.uniform(*np.log(_BREATHS)))),
    )
    peaks = tuple(
        (float(np.exp(rng.uniform(*np.log(_PEAKS)))), float(rng.uniform(-_PEAK_DB, _PEAK_DB)))
        for _ in range(2)
    )
    return Talker(voice, float(rng.uniform(-_TILT, _TILT)), peaks)


def utter(talker: Talker, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Let a talker talk.

    Parameters
    ----------
    talker : Talker
        Who.
    seconds : float
        How long.
    rng : numpy.random.Generator
        What is said.

    Returns
    -------
    array of shape (n_samples,)
        At `RATE`; root mean square .05, below 1.
    """
    sound = resample(speak(talker.voice, seconds, _MADE_AT, rng), _MADE_AT, RATE)
    sound = signal.lfilter([1.0, -talker.tilt], [1.0], sound)
    for hz, gain_db in talker.peaks:
        sound = signal.lfilter(*_peak(hz, gain_db), sound)
    sound *= 0.05 / max(float(np.sqrt(np.mean(sound**2))), 1e-12)
    return np.clip(sound, -0.99, 0.99)


def _peak(hz: float, gain_db: float, q: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Peaking equaliser of second order, by the bilinear transform of its analogue prototype."""
    size = 10 ** (gain_db / 40)
    # prototype (s^2 + s A/Q + 1) / (s^2 + s/(A Q) + 1), moved to `hz`
    warped = 2 * RATE * np.tan(np.pi * hz / RATE)
    top = [1.0, warped * size / q, warped**2]
    below = [1.0, warped / (size * q), warped**2]
    return signal.bilinear(top, below, RATE)
