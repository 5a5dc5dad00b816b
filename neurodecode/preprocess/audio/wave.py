"""Sound files, and what makes a sound useless."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from neurodecode.errors import DataError

__all__ = ["check_sound", "mono", "read_wave", "require_binaural"]

#: Largest share of samples in runs at the extreme value, and length of such a run.
_CLIPPED, _RUN = 1e-3, 3
_SILENT = 1e-6


def read_wave(path: str | Path) -> tuple[np.ndarray, float]:
    """Read a WAV file.

    Parameters
    ----------
    path : path-like
        File.

    Returns
    -------
    samples : array of float64 of shape (n_samples, n_channels)
        Full scale is 1.
    rate : float
        In Hz.

    Raises
    ------
    DataError
        If the file is missing or cannot be read.
    """
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            # chunks that are not sound (names, cue points) are skipped, and that is right
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            rate, samples = wavfile.read(path)
    except FileNotFoundError as error:
        raise DataError("the sound is missing", file=path, fix="copy the stimuli there") from error
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"not a readable WAV file ({error})", file=path) from error
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.dtype == np.uint8:
        return (samples.astype(np.float64) - 128) / 128, float(rate)
    if np.issubdtype(samples.dtype, np.integer):
        return samples / float(np.iinfo(samples.dtype).max + 1), float(rate)
    return samples.astype(np.float64), float(rate)


def require_binaural(samples: np.ndarray, file: str | Path | None = None) -> np.ndarray:
    """Insist on two channels.

    Parameters
    ----------
    samples : array of shape (n_samples, n_channels)
        Sound.
    file : path-like, optional
        For the error.

    Returns
    -------
    array of shape (n_samples, 2)
        The same.

    Raises
    ------
    DataError
        If it is mono, or has more channels.
    """
    if samples.ndim != 2 or samples.shape[1] != 2:
        count = 1 if samples.ndim == 1 else samples.shape[1]
        raise DataError(
            f"{count} channel{'s' * (count != 1)} where both ears are needed",
            file=file,
            fix="give the binaural (hrtf) version of the sound",
        )
    return samples


def mono(samples: np.ndarray) -> np.ndarray:
    """Average channels.

    Parameters
    ----------
    samples : array of shape (n_samples, n_channels) or (n_samples,)
        Sound.

    Returns
    -------
    array of shape (n_samples,)
        One channel.
    """
    return samples if samples.ndim == 1 else samples.mean(axis=1)


def check_sound(samples: np.ndarray, file: str | Path | None = None) -> None:
    """Refuse sound from which no envelope can be trusted.

    Parameters
    ----------
    samples : array of shape (n_samples,) or (n_samples, n_channels)
        Sound, full scale 1.
    file : path-like, optional
        For the error.

    Raises
    ------
    DataError
        If it is empty, silent, not finite or clipped.
    """
    flat = mono(np.asarray(samples, dtype=np.float64))
    if not flat.size or not np.isfinite(flat).all():
        raise DataError("the sound is empty or not finite", file=file, fix="restore the file")
    peak = float(np.abs(flat).max())
    if peak < _SILENT:
        raise DataError("the talker is silent", file=file, fix="check which file belongs here")
    top = np.abs(flat) >= peak * (1 - 1e-9)
    # a loud sample touches the peak once; clipping holds it there
    held = np.convolve(top, np.ones(_RUN), "valid") >= _RUN
    share = float(held.mean())
    if share > _CLIPPED:
        raise DataError(
            f"the sound is clipped: {share:.1%} of it stays at {peak:.3g}",
            file=file,
            fix="use the recording before clipping",
        )
