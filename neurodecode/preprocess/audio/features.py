"""Features of speech that the brain follows, one function and one name each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import signal

from neurodecode.errors import ConfigError
from neurodecode.preprocess.audio.bands import erb_frequencies, gammatone_bands, mel_bands
from neurodecode.preprocess.audio.rates import band_limit, resample
from neurodecode.preprocess.audio.wave import check_sound, mono
from neurodecode.registry import Registry

__all__ = ["FEATURES", "SoundRecipe", "sound_features"]

#: Rates at which sound is filtered, and at which bands are taken on. 8 kHz hold what matters of
#: speech, and the narrow low bands are well conditioned there.
_SOUND_RATE, _BAND_RATE = 8000.0, 400.0
_LOW_HZ, _HIGH_HZ, _SPACING, _POWER = 150.0, 4000.0, 1.5, 0.6
_PHONEME_HZ = (8.0, 16.0)

Feature = Callable[[np.ndarray, float], tuple[np.ndarray, float]]
FEATURES: Registry[Feature] = Registry("feature of sound")


@dataclass(frozen=True)
class SoundRecipe:
    """How sound and brain are brought together.

    Parameters
    ----------
    features : tuple of str
        Keys of `FEATURES`; their columns are put side by side.
    sfreq : float
        Common rate in Hz.
    low_hz, high_hz : float or None
        Band to which both are limited.
    causal : bool
        Whether filters may look back only.
    reference : {"average", "none"} or str
        Of the EEG: mean of all channels, as it is, or the name of a channel.
    """

    features: tuple[str, ...] = ("gammatone",)
    sfreq: float = 64.0
    low_hz: float | None = 1.0
    high_hz: float | None = 9.0
    causal: bool = False
    reference: str = "average"

    def __post_init__(self) -> None:
        for name in self.features:
            FEATURES[name]
        if not self.features or self.sfreq <= 0:
            raise ConfigError("a recipe needs features and a positive rate")


def _gammatone(sound: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """Compressed gammatone bands at 400 Hz: (n_bands, n_samples)."""
    sound = resample(sound, rate, _SOUND_RATE)
    centres = erb_frequencies(_LOW_HZ, _HIGH_HZ * (1 - 1e-6), _SPACING)
    bands = np.abs(gammatone_bands(sound, _SOUND_RATE, centres)) ** _POWER
    return np.maximum(resample(bands.T, _SOUND_RATE, _BAND_RATE).T, 0), _BAND_RATE


@FEATURES.register("gammatone")
def gammatone_envelope(sound: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """Sum of gammatone bands, 150 to 4000 Hz every 1.5 ERB, each to the power .6.

    Parameters
    ----------
    sound : array of shape (n_samples,)
        Mono.
    rate : float
        In Hz.

    Returns
    -------
    feature : array of shape (n, 1)
        Envelope.
    rate : float
        Its rate in Hz.

    References
    ----------
    Biesmans et al. (2017), IEEE Trans. Neural Syst. Rehabil. Eng. 25.
    """
    bands, rate = _gammatone(sound, rate)
    return bands.sum(axis=0)[:, None], rate


@FEATURES.register("gammatone_bands")
def gammatone_spectrum(sound: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """Give the same bands one by one: (n, n_bands), and their rate."""
    bands, rate = _gammatone(sound, rate)
    return bands.T, rate


@FEATURES.register("broadband")
def broadband_envelope(sound: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """Magnitude of the analytic signal, to the power .6: (n, 1), and its rate."""
    sound = resample(sound, rate, _SOUND_RATE)
    envelope = np.abs(signal.hilbert(sound)) ** _POWER
    return np.maximum(resample(envelope, _SOUND_RATE, _BAND_RATE), 0)[:, None], _BAND_RATE


@FEATURES.register("onset")
def onsets(sound: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """Rises of the gammatone envelope below 20 Hz, per second; falls are zero: (n, 1), and rate."""
    envelope, rate = gammatone_envelope(sound, rate)
    slow = band_limit(envelope, rate, None, 20.0)
    return np.maximum(np.gradient(slow, axis=0) * rate, 0), rate


@FEATURES.register("mel")
def mel_spectrum(sound: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """Power in 10 mel bands up to 4 kHz, to the power .6: (n, 10), and its rate."""
    power, rate = mel_bands(resample(sound, rate, _SOUND_RATE), _SOUND_RATE)
    return np.maximum(power, 0).T ** _POWER, rate


@FEATURES.register("phoneme_rate")
def phoneme_rate(sound: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """Strength of the envelope's modulations at the rate of phonemes, 8 to 16 Hz: (n, 1), rate."""
    envelope, rate = gammatone_envelope(sound, rate)
    fast = band_limit(envelope, rate, *_PHONEME_HZ)
    return np.abs(signal.hilbert(fast, axis=0)), rate


def sound_features(sound: np.ndarray, rate: float, recipe: SoundRecipe) -> np.ndarray:
    """Compute the features of a recipe at its rate.

    Parameters
    ----------
    sound : array of shape (n_samples,) or (n_samples, n_channels)
        Channels are averaged.
    rate : float
        In Hz.
    recipe : SoundRecipe
        What is asked for.

    Returns
    -------
    array of shape (n_times, n_features)
        Band-limited; sample 0 is that of the sound.

    Raises
    ------
    DataError
        If the sound is silent, clipped or not finite.
    """
    sound = mono(np.asarray(sound, dtype=np.float64))
    check_sound(sound)
    parts = []
    for name in recipe.features:
        values, own = FEATURES[name](sound, rate)
        parts.append(resample(values, own, recipe.sfreq))
    n = min(len(part) for part in parts)
    values = np.hstack([part[:n] for part in parts])
    return band_limit(values, recipe.sfreq, recipe.low_hz, recipe.high_hz, causal=recipe.causal)
