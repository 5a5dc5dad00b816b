"""Envelope following of one subject, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from neurodecode.auditory.following import (
    Spectra,
    coherence,
    lagged_correlation,
    spectra,
    surrogate_p,
    transfer_function,
)
from neurodecode.auditory_trials import AuditoryTrial, one_rate

__all__ = ["following_table"]

_LEAST_SHIFT_S = 3.0


def following_table(
    trials: Sequence[AuditoryTrial],
    bands: Mapping[str, tuple[float, float]],
    *,
    segment_s: float,
    method: str,
    longest_lag_s: float,
    n_shifts: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Coherence, gain and lag of every channel with the attended envelope (first feature).

    Parameters
    ----------
    trials : sequence of AuditoryTrial
        Of one subject; spectra are averaged over them.
    bands : mapping of str to tuple of float
        Edges in Hz.
    segment_s : float
        Windows of the spectra in s.
    method : {"H1", "H2", "Hv"}
        Of the transfer function.
    longest_lag_s : float
        Of the lagged correlation in s.
    n_shifts : int
        Surrogates: the envelope of every trial turned around by a random time.
    rng : numpy.random.Generator
        Of the shifts.

    Returns
    -------
    pandas.DataFrame
        ``subject``, ``channel``, ``band``, ``coherence``, ``null`` (mean of the surrogates),
        ``p``, ``gain``, ``best_lag_s`` and ``best_r`` (over all bands, the extreme one).
    """
    sfreq = one_rate(trials)
    segment = round(segment_s * sfreq)
    pairs = [(trial.heard()[:, 0], np.asarray(trial.eeg[:]).T) for trial in trials]

    brains = [_segments(brain, segment) for _, brain in pairs]
    true = _average([spectra(x, y, sfreq, segment) for x, y in pairs], [len(x) for x, _ in pairs])
    least = round(_LEAST_SHIFT_S * sfreq)
    null = np.stack([_surrogate(pairs, brains, segment, least, rng) for _ in range(n_shifts)])
    seen, gain = coherence(true), np.abs(transfer_function(true, method))
    reach = round(longest_lag_s * sfreq)
    lags = range(-reach, reach + 1)
    r = np.mean([lagged_correlation(envelope, brain, lags) for envelope, brain in pairs], axis=0)
    best = np.abs(r).argmax(axis=1)
    rows = []
    for name, (low, high) in bands.items():
        inside = (true.frequency >= low) & (true.frequency <= high)
        if not inside.any():
            continue
        observed, surrogates = seen[:, inside].mean(axis=1), null[..., inside].mean(axis=-1)
        rows.append(
            pd.DataFrame(
                {
                    "subject": trials[0].subject,
                    "channel": trials[0].channels,
                    "band": name,
                    "coherence": observed,
                    "null": surrogates.mean(axis=0),
                    "p": surrogate_p(observed, surrogates),
                    "gain": gain[:, inside].mean(axis=1),
                    "best_lag_s": np.array(lags)[best] / sfreq,
                    "best_r": r[np.arange(len(r)), best],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _average(parts: Sequence[Spectra], weights: Sequence[int]) -> Spectra:
    def mean(name: str) -> np.ndarray:
        """Of one kind of spectrum."""
        return np.average([getattr(part, name) for part in parts], axis=0, weights=weights)

    return Spectra(parts[0].frequency, mean("xx"), mean("yy"), mean("xy"))


def _segments(values: np.ndarray, length: int) -> np.ndarray:
    """Fourier transforms of the segments that Welch's method averages: (..., n_segments, n)."""
    starts = np.arange(0, values.shape[-1] - length + 1, length - length // 2)
    cut = values[..., starts[:, None] + np.arange(length)]
    cut = cut - cut.mean(axis=-1, keepdims=True)
    return np.fft.rfft(cut * np.hanning(length + 1)[:-1])


def _surrogate(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], brains: Sequence[np.ndarray], segment: int,
    least: int, rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Coherence with envelopes turned around by random times: (n_channels, n_frequencies).

    The spectra of the brain stay as they are: only those of the envelope are made again.
    """
    xx = yy = xy = 0.0
    for (envelope, _), brain in zip(pairs, brains, strict=True):
        n = len(envelope)
        low = min(least, n // 2)
        sound = _segments(np.roll(envelope, int(rng.integers(low, n - low + 1))), segment)
        weight = n / len(sound)
        xx = xx + weight * (np.abs(sound) ** 2).sum(axis=0)
        yy = yy + weight * (np.abs(brain) ** 2).sum(axis=-2)
        xy = xy + weight * (np.conj(sound) * brain).sum(axis=-2)
    return np.abs(xy) ** 2 / (xx * yy)
