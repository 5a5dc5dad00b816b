"""From tuned responses to single-trial betas with known reliability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.datasets.mini.anatomy import Anatomy

__all__ = [
    "MEDIAN_NCSNR", "Reliability", "low_level_share", "make_reliability", "mix_signal",
    "session_betas", "standardised",
]  # fmt: skip

MEDIAN_NCSNR = 0.4
"""Median over voxels of sd(signal) / sd(noise of one trial). Allen et al. (2022) find a third
of the variance of three-trial averages explainable in visual cortex, which is this:
0.4^2 / (0.4^2 + 1/3) = 0.32. It is set here, once."""

_NCSNR_SPREAD, _SUBJECT_SPREAD = 0.45, 0.12  # sd of log ncsnr over voxels and over subjects
_NCSNR_RANGE = (0.03, 1.6)
_TOTAL_PERCENT, _MEAN_PERCENT = 2.0, 1.0
_NOISE_CORRELATED, _NOISE_LENGTH = 0.5, 1.5  # share, and length in voxels, of shared noise
_DRIFT_SHARE, _DRIFT_WAVES = 0.15, 4
_GAIN_SPREAD, _LEVEL_SPREAD, _OFFSET_PERCENT = 0.08, 0.10, 0.3


@dataclass(frozen=True)
class Reliability:
    """How much signal and noise each voxel has, in percent signal change.

    Parameters
    ----------
    ncsnr : array of shape (n_voxels,)
        sd(signal) / sd(noise of one trial); exact.
    signal_sd, noise_sd, mean : array of shape (n_voxels,)
        In percent signal change.
    gain, level : array of shape (n_sessions,)
        Factor on everything, and on the noise; the mean square of the latter is one.
    offset : array of shape (n_sessions, n_voxels)
        Shift of the mean in each session, in percent signal change.
    mixing : array of shape (n_voxels, n_voxels)
        Turns white noise into spatially correlated noise of unit variance.
    """

    ncsnr: np.ndarray
    signal_sd: np.ndarray
    noise_sd: np.ndarray
    mean: np.ndarray
    gain: np.ndarray
    level: np.ndarray
    offset: np.ndarray
    mixing: np.ndarray


def standardised(values: np.ndarray) -> np.ndarray:
    """Give each voxel zero mean and unit variance over pictures.

    Parameters
    ----------
    values : array of shape (n_images, n_voxels)
        Responses.

    Returns
    -------
    array of the same shape
        Constant voxels become 0.
    """
    centred = values - values.mean(axis=0)
    return centred / np.maximum(centred.std(axis=0), 1e-9)


def mix_signal(
    early: np.ndarray, late: np.ndarray, anatomy: Anatomy, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Combine low-level and high-level responses.

    Early areas see energy only; voxels of the middle streams take 30 to 70 % of their signal
    (in weight) from energy, those of the high streams up to 30 %.

    Parameters
    ----------
    early, late : array of shape (n_images, n_voxels)
        Responses of the two models.
    anatomy : Anatomy
        The brain.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    signal : array of float32 of shape (n_images, n_voxels)
        Zero mean and unit variance over the pictures.
    share : array of shape (n_voxels,)
        Weight of the low-level response.
    """
    share = low_level_share(anatomy, rng)
    mixed = share * standardised(early) + (1 - share) * standardised(late)
    return standardised(mixed).astype(np.float32), share


def low_level_share(anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Draw how much of its signal each voxel takes from local energy.

    Parameters
    ----------
    anatomy : Anatomy
        The brain.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of shape (n_voxels,)
        1 in early areas, .3 to .7 in the middle streams, up to .3 elsewhere.
    """
    share = rng.uniform(0.0, 0.3, anatomy.n_voxels)
    middle = np.char.startswith(anatomy.streams, "mid")
    share[middle] = rng.uniform(0.3, 0.7, int(middle.sum()))
    share[anatomy.area != ""] = 1.0
    return share


def make_reliability(
    anatomy: Anatomy, n_sessions: int, subject_gain: float, rng: np.random.Generator
) -> Reliability:
    """Draw signal, noise and session effects of a subject.

    Parameters
    ----------
    anatomy : Anatomy
        The brain.
    n_sessions : int
        Sessions attended.
    subject_gain : float
        Factor on the median ncsnr: some subjects hold stiller than others.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Reliability
        Everything known about the noise.
    """
    n = anatomy.n_voxels
    spread = np.exp(_NCSNR_SPREAD * rng.standard_normal(n))
    ncsnr = np.clip(MEDIAN_NCSNR * subject_gain * spread, *_NCSNR_RANGE)
    total = _TOTAL_PERCENT * np.exp(0.3 * rng.standard_normal(n))
    noise_sd = total / np.sqrt(1 + ncsnr**2)
    level = np.exp(_LEVEL_SPREAD * rng.standard_normal(n_sessions))
    distance = np.linalg.norm(anatomy.xyz[:, None] - anatomy.xyz[None], axis=-1)
    covariance = _NOISE_CORRELATED * np.exp(-(distance**2) / (2 * _NOISE_LENGTH**2))
    covariance += (1 - _NOISE_CORRELATED) * np.eye(n)
    return Reliability(
        ncsnr=ncsnr,
        signal_sd=ncsnr * noise_sd,
        noise_sd=noise_sd,
        mean=_MEAN_PERCENT + 0.5 * rng.standard_normal(n),
        gain=np.exp(_GAIN_SPREAD * rng.standard_normal(n_sessions)),
        level=level / np.sqrt(np.mean(level**2)),
        offset=_OFFSET_PERCENT * rng.standard_normal((n_sessions, n)),
        mixing=np.linalg.cholesky(covariance),
    )


def subject_gains(n_subjects: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the subjects' factors on the median ncsnr; their geometric mean is one.

    Parameters
    ----------
    n_subjects : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of shape (n_subjects,)
        Factors.
    """
    logs = _SUBJECT_SPREAD * rng.standard_normal(n_subjects)
    return np.exp(logs - logs.mean())


def session_betas(
    signal: np.ndarray, session: int, known: Reliability, rng: np.random.Generator
) -> np.ndarray:
    """Simulate the betas of one session.

    ``beta = gain (mean + offset + signal + level noise)``; the noise of a voxel is white and
    spatially correlated, except for a share of slow drift (four cosines over the session, with
    spatially correlated amplitudes).

    Parameters
    ----------
    signal : array of shape (n_trials, n_voxels)
        Noise-free response of each trial, zero mean and unit variance.
    session : int
        Number from 0.
    known : Reliability
        Signal and noise of each voxel.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array of shape (n_trials, n_voxels)
        Percent signal change.
    """
    n_trials, n_voxels = signal.shape
    white = rng.standard_normal((n_trials, n_voxels)) @ known.mixing.T
    amplitudes = rng.standard_normal((_DRIFT_WAVES, n_voxels)) @ known.mixing.T
    time = (np.arange(n_trials) + 0.5) / n_trials
    waves = np.cos(np.pi * np.outer(time, np.arange(1, _DRIFT_WAVES + 1)))
    drift = waves @ amplitudes * np.sqrt(2 / _DRIFT_WAVES)
    noise = np.sqrt(1 - _DRIFT_SHARE) * white + np.sqrt(_DRIFT_SHARE) * drift
    beta = known.mean + known.offset[session] + signal * known.signal_sd
    beta += known.level[session] * known.noise_sd * noise
    return known.gain[session] * beta
