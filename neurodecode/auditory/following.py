"""How sensors follow an envelope, frequency by frequency and lag by lag.

Spectra are Welch's; a cross-spectrum is the mean of conj(X) Y, so that a transfer function maps x
to y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import signal

from neurodecode.errors import ConfigError, DataError

__all__ = [
    "Spectra",
    "channel_coherency",
    "coherence",
    "lagged_correlation",
    "shift_null",
    "spectra",
    "surrogate_p",
    "transfer_function",
]


@dataclass(frozen=True)
class Spectra:
    """Spectra of two signals.

    Parameters
    ----------
    frequency : array of shape (n_frequencies,)
        In Hz.
    xx, yy : array of shape (..., n_frequencies)
        Power of each.
    xy : array of complex of shape (..., n_frequencies)
        Cross-spectrum.
    """

    frequency: np.ndarray
    xx: np.ndarray
    yy: np.ndarray
    xy: np.ndarray


def spectra(
    x: np.ndarray, y: np.ndarray, sfreq: float, segment: int, overlap: int | None = None
) -> Spectra:
    """Estimate spectra over the last axis.

    Parameters
    ----------
    x, y : array of shape (..., n_times)
        Signals; broadcast.
    sfreq : float
        In Hz.
    segment : int
        Samples of a Hann window.
    overlap : int, optional
        Samples that neighbours share (default: half).

    Returns
    -------
    Spectra
        Of both.

    Raises
    ------
    DataError
        If the lengths differ or fewer than two segments fit.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape[-1] != y.shape[-1]:
        raise DataError(f"{x.shape[-1]} samples of one signal and {y.shape[-1]} of the other")
    overlap = segment // 2 if overlap is None else overlap
    if x.shape[-1] < 2 * segment - overlap:
        raise DataError(
            f"{x.shape[-1]} samples hold fewer than two segments of {segment}",
            fix="use shorter segments: coherence of one segment is 1, whatever the signals",
        )
    x, y = np.broadcast_arrays(x, y)
    options = {"fs": sfreq, "nperseg": segment, "noverlap": overlap}
    frequency, xy = signal.csd(x, y, **options)
    return Spectra(frequency, signal.welch(x, **options)[1], signal.welch(y, **options)[1], xy)


def transfer_function(found: Spectra, method: Literal["H1", "H2", "Hv"] = "H1") -> np.ndarray:
    r"""Estimate by what x has to be multiplied to become y.

    ``H1`` takes all noise to be in y (:math:`S_{xy} / S_{xx}`), ``H2`` in x
    (:math:`S_{yy} / S_{xy}^*`), ``Hv`` equally in both (total least squares; standardise first,
    as it depends on the scales). :math:`|H_1| \le |H_v| \le |H_2|`.

    Parameters
    ----------
    found : Spectra
        Of x and y.
    method : {"H1", "H2", "Hv"}
        Which.

    Returns
    -------
    array of complex of shape (..., n_frequencies)
        Gain and phase.

    References
    ----------
    Rocklin, Crowley and Vold (1985), Proc. IMAC 3 (Hv).
    """
    if method == "H1":
        return found.xy / found.xx
    if method == "H2":
        return found.yy / np.conj(found.xy)
    if method != "Hv":
        raise ConfigError(f"unknown transfer function {method!r}; known: H1, H2, Hv")
    apart, size = found.yy - found.xx, np.abs(found.xy)
    gain = (apart + np.sqrt(apart**2 + 4 * size**2)) / (2 * size)
    return gain * found.xy / size


def coherence(found: Spectra) -> np.ndarray:
    """Share of the power of y at each frequency that x explains linearly; biased by 1 / segments.

    Parameters
    ----------
    found : Spectra
        Of x and y.

    Returns
    -------
    array of shape (..., n_frequencies)
        Magnitude squared, 0 to 1.
    """
    power = found.xx * found.yy
    squared = np.abs(found.xy) ** 2
    return np.divide(squared, power, out=np.zeros_like(power), where=power > 0)


def channel_coherency(
    channels: np.ndarray, sfreq: float, segment: int, band: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-spectral density of every pair of channels, mean over a band.

    Parameters
    ----------
    channels : array of shape (n_channels, n_times)
        Signals.
    sfreq : float
        In Hz.
    segment : int
        Samples of a window.
    band : tuple of float
        Edges in Hz, both included.

    Returns
    -------
    density : array of complex of shape (n_channels, n_channels)
        Cross-spectral density; row conjugated.
    coherency : array of complex of shape (n_channels, n_channels)
        Divided by the powers, before the mean.
    """
    every = spectra(channels[:, None], channels[None], sfreq, segment)
    inside = _inside(every.frequency, band)
    ratio = every.xy / np.sqrt(every.xx * every.yy)
    return every.xy[..., inside].mean(axis=-1), ratio[..., inside].mean(axis=-1)


def _inside(frequency: np.ndarray, band: tuple[float, float]) -> np.ndarray:
    inside = (frequency >= band[0]) & (frequency <= band[1])
    if not inside.any():
        raise ConfigError(f"no frequency between {band[0]:g} and {band[1]:g} Hz")
    return inside


def lagged_correlation(x: np.ndarray, y: np.ndarray, lags: range) -> np.ndarray:
    """Correlate y with x some samples earlier.

    Parameters
    ----------
    x : array of shape (n_times,)
        Envelope.
    y : array of shape (..., n_times)
        Sensors.
    lags : range
        Samples by which y follows x; negative where it precedes.

    Returns
    -------
    array of shape (..., n_lags)
        Pearson's r over the samples that both have at that lag.
    """
    n, columns = len(x), []
    for lag in lags:
        a, b = x[max(-lag, 0) : n - max(lag, 0)], y[..., max(lag, 0) : n - max(-lag, 0)]
        a, b = a - a.mean(), b - b.mean(axis=-1, keepdims=True)
        columns.append((b @ a) / np.sqrt((a @ a) * (b**2).sum(axis=-1)))
    return np.stack(columns, axis=-1)


def shift_null(
    x: np.ndarray, y: np.ndarray, sfreq: float, segment: int, shifts: np.ndarray
) -> np.ndarray:
    """Coherence with y turned around by some samples: what spectra alone make of chance.

    Parameters
    ----------
    x, y : array of shape (..., n_times)
        Signals.
    sfreq : float
        In Hz.
    segment : int
        Samples of a window.
    shifts : array of int of shape (n_shifts,)
        Larger than signals remember themselves.

    Returns
    -------
    array of shape (n_shifts, ..., n_frequencies)
        Coherence of each surrogate.
    """
    return np.stack(
        [coherence(spectra(x, np.roll(y, int(shift), -1), sfreq, segment)) for shift in shifts]
    )


def surrogate_p(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """One-sided p of what was seen among surrogates.

    Parameters
    ----------
    observed : array of shape (...)
        Statistic.
    null : array of shape (n_surrogates, ...)
        The same of surrogates.

    Returns
    -------
    array of shape (...)
        ``(1 + #{null >= observed}) / (1 + n)``.
    """
    return (1 + (null >= observed).sum(axis=0)) / (1 + len(null))
