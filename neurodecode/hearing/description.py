"""What the attended voice is like: pitch, rate of syllables and timbre, measured from the sound."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy import signal

from neurodecode.errors import DataError

__all__ = ["VoiceDescription", "describe_voice", "envelope", "pitch_track"]

_FRAME_S, _HOP_S = 0.04, 0.01
_PITCH_HZ = (60.0, 400.0)
#: Frames whose autocorrelation peaks lower are not voiced; those so far below the loudest are
#: pauses.
_VOICED, _PAUSE_DB = 0.5, 30.0
_ENVELOPE_HZ, _SYLLABLES_HZ = 100.0, (2.0, 8.0)
#: Words for pitch: the middle between the means of men and women (Hillenbrand et al. 1995).
_HIGH_HZ = 160.0


@dataclass(frozen=True)
class VoiceDescription:
    """Measures of one voice.

    Parameters
    ----------
    pitch_hz : float
        Median fundamental of voiced frames.
    pitch_spread : float
        Interquartile range of its logarithm in semitones.
    syllables_hz : float
        Peaks of loudness a second, while there is speech.
    centroid_hz : float
        Centre of gravity of the spectrum.
    voiced : float
        Share of voiced frames among those that are no pause.
    """

    pitch_hz: float
    pitch_spread: float
    syllables_hz: float
    centroid_hz: float
    voiced: float

    def as_dict(self) -> dict[str, float]:
        """Give plain values.

        Returns
        -------
        dict of str to float
            By name.
        """
        return {name: round(float(value), 3) for name, value in asdict(self).items()}

    def sentence(self) -> str:
        """Say it in words.

        Returns
        -------
        str
            One sentence.
        """
        kind = "high" if self.pitch_hz > _HIGH_HZ else "low"
        return (
            f"a {kind} voice of {self.pitch_hz:.0f} Hz, {self.syllables_hz:.1f} syllables a second,"
            f" its spectrum centred at {self.centroid_hz:.0f} Hz"
        )


def describe_voice(sound: np.ndarray, rate: float) -> VoiceDescription:
    """Measure a voice.

    Parameters
    ----------
    sound : array of shape (n_samples,)
        One talker, or what was extracted.
    rate : float
        In Hz.

    Returns
    -------
    VoiceDescription
        Its measures.

    Raises
    ------
    DataError
        If nothing in it is voiced.
    """
    pitch, loud = pitch_track(sound, rate)
    voiced = np.isfinite(pitch)
    if not voiced.any():
        raise DataError("nothing voiced in it: no pitch to describe", field="sound",
                        fix="give a second of speech or more")  # fmt: skip
    known = pitch[voiced]
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / rate)
    return VoiceDescription(
        pitch_hz=float(middle),
        pitch_spread=float(12 * np.log2(high / low)),
        syllables_hz=_syllables_hz(sound, rate, float(loud.sum() * _HOP_S)),
        centroid_hz=float((hz * power).sum() / power.sum()),
        voiced=float(voiced.sum() / max(loud.sum(), 1)),
    )


def pitch_track(sound: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the fundamental of every frame by its normalised autocorrelation (Boersma 1993).

    Parameters
    ----------
    sound : array of shape (n_samples,)
        Sound.
    rate : float
        In Hz.

    Returns
    -------
    pitch : array of shape (n_frames,)
        In Hz, NaN where a frame is not voiced.
    loud : array of bool of shape (n_frames,)
        Frames that are no pause.
    """
    length, hop = round(_FRAME_S * rate), round(_HOP_S * rate)
    padded = np.pad(sound, (0, max(length - len(sound), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    frames = frames - frames.mean(1, keepdims=True)
    energy = (frames**2).mean(1)
    loud = energy > energy.max() * 10 ** (-_PAUSE_DB / 10)
    window = np.hanning(length)
    size = 2 * length
    found = np.fft.irfft(np.abs(np.fft.rfft(frames * window, size)) ** 2)[:, :length]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)[:length]
    # the window alone correlates less at long lags: that is divided out
    usable = int(rate / _PITCH_HZ[0]) + 2
    found = found[:, :usable] / np.maximum(found[:, :1], 1e-20) / (own[:usable] / own[0])
    first = int(rate / _PITCH_HZ[1])
    # a shorter lag wins over its multiples
    lags = np.arange(first, usable - 1)
    penalty = 0.03 * np.log2(lags / first)
    peaks = (found[:, lags] >= found[:, lags - 1]) & (found[:, lags] >= found[:, lags + 1])
    score = np.where(peaks, found[:, lags] - penalty, -1)
    best = lags[score.argmax(1)]
    rows = np.arange(len(best))
    before, at, after = (found[rows, best + step] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.where(np.abs(bend) > 1e-12, 0.5 * (before - after) / np.where(bend, bend, 1), 0)
    pitch = rate / (best + np.clip(shift, -0.5, 0.5))
    return np.where(loud & (at > _VOICED), pitch, np.nan), loud


def envelope(sound: np.ndarray, rate: float) -> np.ndarray:
    """Loudness over time.

    Parameters
    ----------
    sound : array of shape (n_samples,)
        Sound.
    rate : float
        In Hz, a multiple of 100.

    Returns
    -------
    array of shape (n,)
        At 100 Hz, below 10 Hz; the power .6 presses loud moments (Biesmans et al. 2017).
    """
    step = round(rate / _ENVELOPE_HZ)
    n = len(sound) // step
    power = (np.asarray(sound[: n * step], float).reshape(n, step) ** 2).mean(1) ** 0.3
    sos = signal.butter(2, 10.0, fs=_ENVELOPE_HZ, output="sos")
    return signal.sosfiltfilt(sos, power, padlen=min(27, max(n - 1, 0)))


def _syllables_hz(sound: np.ndarray, rate: float, speech_s: float) -> float:
    """Peaks of the envelope a second of speech."""
    level = envelope(sound, rate)
    apart = round(_ENVELOPE_HZ / _SYLLABLES_HZ[1])
    peaks, _ = signal.find_peaks(level, prominence=0.15 * level.max(), distance=apart)
    return len(peaks) / max(speech_s, 1e-3)
