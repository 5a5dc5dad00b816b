"""Sound and brain at one rate, from one first sample, and of one length."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy import signal

from neurodecode.errors import ConfigError, DataError

__all__ = ["band_limit", "common_length", "resample"]

_LARGEST, _DRIFT = 50_000, 1e-7
_ORDER = 4


def resample(values: np.ndarray, rate: float, target: float) -> np.ndarray:
    """Change the sampling rate without moving anything in time.

    Parameters
    ----------
    values : array of shape (n_samples, ...)
        Time first; sample 0 stays sample 0.
    rate, target : float
        In Hz; they need not divide each other (44100 to 64 is 16 / 11025).

    Returns
    -------
    array of shape (n, ...)
        ``n = ceil(n_samples * target / rate)``; low-passed before, without phase shift.

    Raises
    ------
    ConfigError
        If a rate is not positive, or the two are in no ratio of whole numbers, so that sound and
        brain would drift apart.
    """
    if rate <= 0 or target <= 0:
        raise ConfigError(f"cannot resample from {rate:g} to {target:g} Hz")
    if rate == target:
        return np.asarray(values, dtype=np.float64)
    ratio = Fraction(target / rate).limit_denominator(_LARGEST)
    if ratio == 0 or abs(float(ratio) * rate / target - 1) > _DRIFT:
        raise ConfigError(
            f"{rate:.9g} and {target:.9g} Hz are in no ratio of whole numbers up to {_LARGEST};"
            " give the nominal rates"
        )
    return signal.resample_poly(
        np.asarray(values, dtype=np.float64), ratio.numerator, ratio.denominator, axis=0,
        padtype="line",
    )  # fmt: skip


def band_limit(
    values: np.ndarray, rate: float, low_hz: float | None, high_hz: float | None,
    *, causal: bool = False,
) -> np.ndarray:  # fmt: skip
    """Band-pass by a Butterworth filter of fourth order.

    Parameters
    ----------
    values : array of shape (n_samples, ...)
        Time first.
    rate : float
        In Hz.
    low_hz, high_hz : float or None
        Edges; None leaves that side open.
    causal : bool
        Forwards only, as a stream has to; otherwise there and back, without phase shift. Sound
        and brain have to be filtered alike, then they are delayed alike.

    Returns
    -------
    array of shape (n_samples, ...)
        Filtered.

    Raises
    ------
    ConfigError
        If an edge does not fit the rate.
    """
    edges = [edge for edge in (low_hz, high_hz) if edge is not None]
    if not edges:
        return np.asarray(values, dtype=np.float64)
    if sorted(set(edges)) != edges or edges[0] <= 0 or edges[-1] >= rate / 2:
        raise ConfigError(f"no filter from {low_hz} to {high_hz} Hz at {rate:g} Hz")
    kind = {2: "bandpass"}.get(len(edges), "lowpass" if low_hz is None else "highpass")
    sos = signal.butter(_ORDER, edges if len(edges) == 2 else edges[0], kind, fs=rate, output="sos")
    if causal:
        return signal.sosfilt(sos, values, axis=0)
    pad = min(int(3 * rate / edges[0]), len(values) - 1)
    return signal.sosfiltfilt(sos, values, axis=0, padlen=pad)


def common_length(
    n_brain: int, n_sound: int, sfreq: float, *, tolerance_s: float = 1.0,
    subject: str | None = None, field: str | None = None,
) -> int:  # fmt: skip
    """Length to which sound and brain are cut.

    Parameters
    ----------
    n_brain, n_sound : int
        Samples of each at the same rate.
    sfreq : float
        In Hz.
    tolerance_s : float
        By how much the recording may outlast the sound. Sound that goes on after the recording
        is cut: it was not recorded.
    subject, field : str, optional
        For the error.

    Returns
    -------
    int
        Samples.

    Raises
    ------
    DataError
        If the recording is longer by more than that: then they do not belong together.
    """
    if n_brain - n_sound > tolerance_s * sfreq:
        raise DataError(
            f"{n_brain / sfreq:.2f} s of recording and {n_sound / sfreq:.2f} s of sound",
            subject=subject,
            field=field,
            fix="check which sound belongs to the trial, or cut the recording",
        )
    return min(n_brain, n_sound)
