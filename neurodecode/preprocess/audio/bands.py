"""Filterbanks of hearing: gammatone and mel."""

from __future__ import annotations

import numpy as np
from scipy import signal

from neurodecode.errors import ConfigError

__all__ = ["erb_frequencies", "gammatone_bands", "mel_bands", "mel_matrix"]


def erb_frequencies(low_hz: float, high_hz: float, spacing: float) -> np.ndarray:
    r"""Centre frequencies at equal distance on the scale of equivalent rectangular bandwidths.

    .. math:: E(f) = 21.4 \log_{10}(1 + .00437 f)

    Parameters
    ----------
    low_hz, high_hz : float
        First centre, and the frequency that no centre exceeds.
    spacing : float
        Distance in bandwidths.

    Returns
    -------
    array of shape (n_bands,)
        In Hz.

    References
    ----------
    Glasberg and Moore (1990), Hearing Research 47.
    """
    if not 0 < low_hz < high_hz or spacing <= 0:
        raise ConfigError(f"no bands from {low_hz:g} to {high_hz:g} Hz every {spacing:g} ERB")
    low, high = (21.4 * np.log10(1 + 0.00437 * each) for each in (low_hz, high_hz))
    return (10 ** (np.arange(low, high + 1e-9, spacing) / 21.4) - 1) / 0.00437


def gammatone_bands(sound: np.ndarray, rate: float, centres: np.ndarray) -> np.ndarray:
    """Filter a sound by fourth-order gammatone filters of unit gain at their centres.

    Parameters
    ----------
    sound : array of shape (n_samples,)
        Mono.
    rate : float
        In Hz; centres at or above half of it are refused.
    centres : array of shape (n_bands,)
        In Hz.

    Returns
    -------
    array of shape (n_bands, n_samples)
        Each band.

    References
    ----------
    Slaney (1993), Apple Computer Technical Report 35 (`scipy.signal.gammatone`).
    """
    if centres[-1] >= rate / 2:
        raise ConfigError(f"a band at {centres[-1]:g} Hz does not fit a rate of {rate:g} Hz")
    return np.stack(
        [signal.lfilter(*signal.gammatone(centre, "iir", fs=rate), sound) for centre in centres]
    )


def mel_matrix(frequencies: np.ndarray, n_bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    r"""Triangular bands at equal distances in mel, :math:`2595 \log_{10}(1 + f / 700)`.

    Parameters
    ----------
    frequencies : array of shape (n_frequencies,)
        Of a spectrum, in Hz.
    n_bands : int
        Bands.
    low_hz, high_hz : float
        Where the first triangle begins and the last one ends.

    Returns
    -------
    array of shape (n_bands, n_frequencies)
        Weights that sum to 1 in each band.
    """
    mel = 2595 * np.log10(1 + np.array([low_hz, high_hz]) / 700)
    edges = 700 * (10 ** (np.linspace(*mel, n_bands + 2) / 2595) - 1)
    rows = [np.interp(frequencies, edges[k : k + 3], [0, 1, 0]) for k in range(n_bands)]
    matrix = np.array(rows)
    if (matrix.sum(axis=1) == 0).any():
        raise ConfigError(f"{n_bands} mel bands are more than the spectrum resolves; ask for fewer")
    return matrix / matrix.sum(axis=1, keepdims=True)


def mel_bands(
    sound: np.ndarray, rate: float, n_bands: int = 10, window_s: float = 0.025, hop_s: float = 0.01
) -> tuple[np.ndarray, float]:
    """Power of a sound in mel bands.

    Parameters
    ----------
    sound : array of shape (n_samples,)
        Mono.
    rate : float
        In Hz.
    n_bands : int
        Bands between 0 Hz and half the rate.
    window_s, hop_s : float
        Hann window and its step in s.

    Returns
    -------
    power : array of shape (n_bands, n_frames)
        Frame k is centred at ``k / frame_rate``.
    frame_rate : float
        In Hz.
    """
    hop = max(round(hop_s * rate), 1)
    transform = signal.ShortTimeFFT(
        signal.windows.hann(round(window_s * rate), sym=False), hop, rate, scale_to="psd"
    )
    power = transform.spectrogram(sound, p0=0, p1=len(sound) // hop + 1)
    return mel_matrix(transform.f, n_bands, 0.0, rate / 2) @ power, rate / hop
