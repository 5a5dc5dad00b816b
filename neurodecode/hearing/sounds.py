"""Sound files of steered hearing: both ears, a voice to be enrolled, and a posterior over time."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from neurodecode.errors import ConfigError, DataError, about
from neurodecode.files import atomic_path
from neurodecode.hearing.talkers import RATE
from neurodecode.preprocess.audio.rates import resample
from neurodecode.preprocess.audio.wave import check_sound, mono, read_wave, require_binaural

__all__ = ["read_binaural", "read_posterior", "read_voice", "write_sound"]

_LOG = logging.getLogger(__name__)
#: Seconds of a voice without which no embedding can be trusted.
_SHORTEST_S = 1.0
_ROUNDING = 1e-3


def read_binaural(path: str | Path) -> np.ndarray:
    """Read what both ears hear.

    Parameters
    ----------
    path : path-like
        WAV file with two channels, left and right.

    Returns
    -------
    array of shape (2, n_samples)
        At `RATE`; what lies above half of it is gone.

    Raises
    ------
    DataError
        If it is mono, silent at an ear, clipped, not finite, or slower than `RATE`.
    """
    samples, rate = read_wave(path)
    ears = require_binaural(samples, path)
    for name, ear in zip(("left", "right"), ears.T, strict=True):
        try:
            check_sound(ear, path)
        except DataError as error:
            raise DataError(f"{name} ear: {error.problem}", file=path, fix=error.fix) from error
    return _at_rate(ears, rate, path).T


def read_voice(path: str | Path) -> np.ndarray:
    """Read a recording of one voice, to enrol it.

    Parameters
    ----------
    path : path-like
        WAV file; channels are averaged.

    Returns
    -------
    array of shape (n_samples,)
        At `RATE`.

    Raises
    ------
    DataError
        If it is silent, clipped, too short, not finite, or slower than `RATE`.
    """
    samples, rate = read_wave(path)
    voice = mono(samples)
    check_sound(voice, path)
    if len(voice) < _SHORTEST_S * rate:
        raise DataError(
            f"{len(voice) / rate:.2f} s of a voice; {_SHORTEST_S:g} s are needed", file=path,
            fix="give a longer recording",
        )  # fmt: skip
    return _at_rate(voice, rate, path)


def _at_rate(samples: np.ndarray, rate: float, path: str | Path) -> np.ndarray:
    if rate < RATE:
        raise DataError(
            f"{rate:g} Hz; {RATE} Hz at least are needed", file=path,
            fix="use the original recording",
        )  # fmt: skip
    if rate > RATE:
        _LOG.info("%s: %g Hz brought to %d Hz", path, rate, RATE)
    try:
        with about(file=path):
            return resample(samples, rate, RATE)
    except ConfigError as error:
        raise DataError(str(error), file=path, field="rate") from error


def write_sound(path: str | Path, sound: np.ndarray) -> None:
    """Write a WAV file of 16 bits at `RATE`.

    Parameters
    ----------
    path : path-like
        Target; complete or not at all.
    sound : array of shape (n_samples,) or (2, n_samples)
        Full scale is 1. What is louder is turned down as a whole.
    """
    from scipy.io import wavfile

    peak = float(np.abs(sound).max(initial=0.0))
    if peak > 0.99:
        _LOG.info("%s: turned down by %.1f dB to fit", path, 20 * np.log10(peak / 0.99))
        sound = sound * (0.99 / peak)
    with atomic_path(path) as temporary:
        wavfile.write(temporary, RATE, np.round(32767 * sound.T).astype(np.int16))


def read_posterior(path: str | Path, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read who is how likely attended, over time.

    Parameters
    ----------
    path : path-like
        CSV file: ``second`` (end of a window) and a column for each talker.
    names : list of str
        Talkers.

    Returns
    -------
    ends_s : array of shape (n_windows,)
        Ends of the windows.
    posterior : array of shape (n_windows, n_talkers)
        Rows sum to 1.

    Raises
    ------
    DataError
        If a column is missing, time does not go on, or a row is no distribution.
    """
    import pandas as pd

    if not Path(path).is_file():
        raise DataError("the posterior is missing", file=path, fix="check the name of the file")
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"not a CSV file ({error})", file=path) from error
    for name in ("second", *names):
        if name not in table or not pd.api.types.is_numeric_dtype(table[name]):
            raise DataError(
                f"no column of numbers {name!r}; there are: {', '.join(map(str, table))}",
                file=path, fix="name columns as the voices are named: --voice NAME=FILE",
            )  # fmt: skip
    ends, shares = table["second"].to_numpy(float), table[names].to_numpy(float)
    if not len(ends) or not np.isfinite(ends).all() or (np.diff(ends) <= 0).any() or ends[0] <= 0:
        raise DataError("seconds do not go on", file=path, field="second",
                        fix="give the end of every window, in order")  # fmt: skip
    bad = ~np.isfinite(shares).all(1) | (shares < 0).any(1)
    bad |= np.abs(np.nan_to_num(shares).sum(1) - 1) > _ROUNDING
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"at {ends[row]:g} s the probabilities are {', '.join(f'{x:g}' for x in shares[row])}",
            file=path, fix="give shares of 0 to 1 that add up to 1",
        )  # fmt: skip
    return ends, shares
