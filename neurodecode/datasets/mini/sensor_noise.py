"""What MEG and EEG pick up besides the pictures: brain, sensors, hum, drift and blinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.datasets.mini.sensors import BRAIN_RADIUS, HEAD_CENTRE, gain

if TYPE_CHECKING:
    import mne

    from neurodecode.datasets.mini.viewers import Levels

__all__ = ["NoiseField", "make_noise_field", "noise"]

_N_BACKGROUND, _N_ALPHA = 300, 6
_BAND = (1.0, 40.0)  # of the background's root mean square
_EXPONENT, _KNEE = 1.0, 0.5  # power falls as 1 / f above the knee (Donoghue et al. 2020: 1 to 1.5)
_ALPHA_HZ, _ALPHA_WIDTH = 10.0, 1.0
_LINE_HZ, _DRIFT_BELOW_HZ = 50.0, 0.1
#: blinks a minute while looking at pictures, and seconds that one takes
_BLINKS, _BLINK_SECONDS = 10.0, 0.35
#: where the eyes are, in metres from the centre of the head, and which way their dipoles point
_EYES = np.array([[-0.030, 0.070, -0.022], [0.030, 0.070, -0.022]])
_EYE_DIPOLE = np.array([0.0, 0.5, 0.866])


@dataclass(frozen=True)
class NoiseField:
    """How noise is spread over the sensors of one viewer, in T or V.

    Parameters
    ----------
    background : array of shape (n_channels, n_channels)
        Turns independent unit noise into noise with the covariance of 300 random dipoles.
    alpha : array of shape (n_channels, n_sources)
        Topographies of posterior rhythms.
    line, blink : array of shape (n_channels,)
        Amplitude of the hum (root mean square), peak of a blink.
    density, drift : float
        Of each sensor for itself: white noise per root hertz, root mean square of slow drift.
    """

    background: np.ndarray
    alpha: np.ndarray
    line: np.ndarray
    blink: np.ndarray
    density: float
    drift: float


def make_noise_field(info: mne.Info, levels: Levels, rng: np.random.Generator) -> NoiseField:
    """Place the sources of noise in a head.

    Parameters
    ----------
    info : mne.Info
        Sensors.
    levels : Levels
        Scales.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    NoiseField
        Of one viewer.
    """
    place = _inside(_N_BACKGROUND, rng)
    lead = gain(info, place, _random_directions(_N_BACKGROUND, rng))
    covariance = lead @ lead.T
    covariance *= (levels.background / np.sqrt(np.median(np.diag(covariance)))) ** 2
    values, vectors = np.linalg.eigh(covariance)
    behind = _inside(50 * _N_ALPHA, rng)
    behind = behind[np.argsort(behind[:, 1])[: _N_ALPHA * 8 : 8]]
    alpha = gain(info, behind, _random_directions(_N_ALPHA, rng))
    eyes = gain(info, HEAD_CENTRE + _EYES, np.tile(_EYE_DIPOLE, (2, 1))).sum(axis=1)
    n = len(lead)
    return NoiseField(
        background=vectors * np.sqrt(np.maximum(values, 0)),
        alpha=alpha * (levels.alpha / np.sqrt((alpha**2).sum(axis=1).max())),
        line=levels.line * np.exp(0.5 * rng.standard_normal(n)) * rng.choice([-1, 1], n),
        blink=eyes * (levels.blink / eyes[np.argmax(np.abs(eyes))]),
        density=levels.density,
        drift=levels.drift,
    )


def _inside(n: int, rng: np.random.Generator) -> np.ndarray:
    """Random places in the outer part of the brain, above its base."""
    direction = _random_directions(4 * n, rng)
    direction = direction[direction[:, 2] > -0.4][:n]
    return HEAD_CENTRE + direction * BRAIN_RADIUS * rng.uniform(0.4, 1.0, (n, 1))


def _random_directions(n: int, rng: np.random.Generator) -> np.ndarray:
    vectors = rng.standard_normal((n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def noise(
    field: NoiseField, n_samples: int, sfreq: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate everything that a run holds besides responses to pictures.

    Parameters
    ----------
    field : NoiseField
        The viewer.
    n_samples : int
        Length of the run.
    sfreq : float
        Sampling rate in Hz.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    noise : array of shape (n_channels, n_samples)
        In T or V.
    blinks : array of int
        Samples at which the eyes are closed most.
    """
    n_channels = len(field.line)
    frequency = np.fft.rfftfreq(_fast_length(n_samples), 1 / sfreq)
    band = (frequency >= _BAND[0]) & (frequency <= _BAND[1])
    pink = 1 / np.maximum(frequency, _KNEE) ** _EXPONENT
    pink /= pink[band].mean() * band.sum() / len(frequency)
    rhythm = np.exp(-((frequency - _ALPHA_HZ) ** 2) / (2 * _ALPHA_WIDTH**2))
    rhythm /= rhythm.mean()
    slow = np.where(frequency < _DRIFT_BELOW_HZ, 1.0, 0.0)
    slow[0] = 0
    slow *= field.drift**2 / max(slow.mean(), 1e-12)
    own = slow + field.density**2 * sfreq / 2
    out = field.background @ _shaped(pink, n_channels, n_samples, rng)
    out += field.alpha @ _shaped(rhythm, field.alpha.shape[1], n_samples, rng)
    out += _shaped(own, n_channels, n_samples, rng)
    out += np.outer(field.line, _hum(n_samples, sfreq, rng))
    course, blinks = _blinks(n_samples, sfreq, rng)
    return out + np.outer(field.blink, course), blinks


def _fast_length(n: int) -> int:
    from scipy.fft import next_fast_len

    return next_fast_len(n, real=True)


def _shaped(
    power: np.ndarray, n_signals: int, n_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Gaussian noise with a given power spectrum; power 1 everywhere gives unit variance."""
    from scipy.fft import irfft

    shape = (n_signals, len(power))
    spectrum = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    length = _fast_length(n_samples)
    return irfft(spectrum * np.sqrt(power * length / 2), length)[:, :n_samples]


def _hum(n_samples: int, sfreq: float, rng: np.random.Generator) -> np.ndarray:
    """50 Hz of unit root mean square whose amplitude drifts by a tenth."""
    seconds = np.arange(n_samples) / sfreq
    slow = 1 + 0.1 * np.cos(2 * np.pi * seconds / 60 + rng.uniform(0, 2 * np.pi))
    return np.sqrt(2) * slow * np.sin(2 * np.pi * _LINE_HZ * seconds + rng.uniform(0, 2 * np.pi))


def _blinks(
    n_samples: int, sfreq: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Bell-shaped blinks at random times, of unit median height."""
    n = rng.poisson(_BLINKS * n_samples / sfreq / 60)
    at = np.sort(rng.integers(0, n_samples, n))
    length = round(_BLINK_SECONDS * sfreq)
    shape = np.hanning(length + 2)[1:-1]
    course = np.zeros(n_samples + length)
    for start, height in zip(at, np.exp(0.25 * rng.standard_normal(n)), strict=True):
        course[start : start + length] += height * shape
    half = length // 2
    return course[half : half + n_samples], at
