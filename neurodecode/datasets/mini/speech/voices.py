"""Two talkers made of nothing: glottal pulses and noise through resonances of a vocal tract.

Source and filter as in Klatt (1980), J. Acoust. Soc. Am. 67, much simplified: syllables of a
consonant and a vowel, pauses between phrases, and a pitch that falls over a phrase. Nobody would
take it for a language; loudness, pitch and spectrum move as those of speech do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

__all__ = ["VOICES", "Voice", "speak"]

#: Formants of a male talker in Hz (Peterson and Barney 1952).
_VOWELS = np.array(
    [[730, 1090, 2440], [530, 1840, 2480], [270, 2290, 3010], [570, 840, 2410], [300, 870, 2240],
     [660, 1720, 2410], [490, 1350, 1690]]
)  # fmt: skip
_BANDWIDTHS = np.array([60.0, 90.0, 150.0])
#: Centre and width of the noise of consonants in Hz, their length in s and level; of the last,
#: a nasal, the level is that of the voice.
_NOISE = ((5200.0, 2000.0, 0.09, 0.12), (3200.0, 1200.0, 0.08, 0.14), (1600.0, 900.0, 0.02, 0.3))
_SILENCE_BEFORE_BURST = 0.05


@dataclass(frozen=True)
class Voice:
    """What tells two talkers apart.

    Parameters
    ----------
    name : str
        Of the talker.
    pitch : float
        Mean fundamental in Hz.
    tract : float
        Formants over those of the table; a shorter tract has higher ones.
    rate : float
        Syllables a second.
    breath : float
        Level of noise in the voice.
    """

    name: str
    pitch: float
    tract: float
    rate: float
    breath: float


VOICES = (Voice("low", 105.0, 1.0, 4.2, 0.01), Voice("high", 205.0, 1.17, 4.8, 0.03))


def speak(voice: Voice, seconds: float, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Let a voice talk.

    Parameters
    ----------
    voice : Voice
        Who.
    seconds : float
        How long.
    rate : float
        Sampling rate in Hz, 16000 say.
    rng : numpy.random.Generator
        What is said.

    Returns
    -------
    array of shape (n_samples,)
        Root mean square .05, full scale 1; the loudest samples stay below 1.
    """
    out = np.zeros(round(seconds * rate))
    at = rng.uniform(0.0, 0.2)
    while at < seconds:
        n_syllables = rng.integers(5, 12)
        for place in range(n_syllables):
            length = rng.gamma(16.0, 1 / 16.0) / voice.rate
            # pitch falls by a fifth over a phrase, and every syllable has an accent of its own
            pitch = voice.pitch * (1.1 - 0.2 * place / n_syllables) * np.exp(rng.normal(0, 0.06))
            sound = _syllable(voice, length, pitch, rate, rng)
            start = int(at * rate)
            stop = min(start + len(sound), len(out))
            if stop > start:
                out[start:stop] += sound[: stop - start]
            at += length
        at += rng.uniform(0.2, 0.6)
    out *= 0.05 / max(np.sqrt(np.mean(out**2)), 1e-12)
    return np.clip(out, -0.99, 0.99)


def _syllable(
    voice: Voice, length: float, pitch: float, rate: float, rng: np.random.Generator
) -> np.ndarray:
    """Consonant, then vowel: (n_samples,)."""
    consonant = int(rng.integers(0, len(_NOISE) + 1))
    level = np.exp(rng.normal(0, 0.3))
    head = np.zeros(0)
    if consonant < len(_NOISE):
        head = _fricative(*_NOISE[consonant], rate, rng)
    tail_s = max(length - len(head) / rate, 0.06)
    formants = voice.tract * _VOWELS[rng.integers(len(_VOWELS))]
    vowel = _voiced(voice, tail_s, pitch, formants, rate, rng)
    if consonant == len(_NOISE):
        # a nasal: the same voice through a low resonance, before the mouth opens
        n = min(round(0.06 * rate), len(vowel))
        vowel[:n] = 0.4 * signal.lfilter([0.15], [1, -0.85], vowel[:n])
    return level * np.concatenate([head, vowel])


def _fricative(
    centre: float, width: float, seconds: float, level: float, rate: float, rng: np.random.Generator
) -> np.ndarray:
    edges = [centre - width / 2, min(centre + width / 2, 0.49 * rate)]
    n = max(round(seconds * rate), 8)
    sos = signal.butter(2, edges, "bandpass", fs=rate, output="sos")
    noise = signal.sosfilt(sos, rng.standard_normal(n + 200))[200:] * np.hanning(n)
    noise *= level / max(np.abs(noise).max(), 1e-12)
    burst = seconds < 0.05  # a stop: silence, then a burst
    return (
        np.concatenate([np.zeros(round(_SILENCE_BEFORE_BURST * rate)), noise]) if burst else noise
    )


def _voiced(
    voice: Voice, seconds: float, pitch: float, formants: np.ndarray, rate: float,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    n = round(seconds * rate)
    jitter = 1 + 0.01 * rng.standard_normal(n).cumsum() / np.sqrt(np.arange(1, n + 1))
    phase = np.cumsum(pitch * np.linspace(1.05, 0.95, n) * jitter / rate)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    # glottal flow falls by 12 dB an octave, and lips add 6
    source = signal.lfilter([1.0, -1.0], np.poly([0.97, 0.97]), pulses)
    source += voice.breath * rng.standard_normal(n)
    for formant, width in zip(formants, _BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * width / rate)
        poles = [1, -2 * radius * np.cos(2 * np.pi * formant / rate), radius**2]
        source = signal.lfilter([sum(poles)], poles, source)
    rise = np.minimum(np.arange(n) / (0.04 * rate), 1)
    fall = np.minimum(np.arange(n)[::-1] / (0.08 * rate), 1)
    return source * np.sin(np.pi / 2 * rise) * np.sin(np.pi / 2 * fall)
