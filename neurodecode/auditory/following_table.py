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

    def together(least: int) -> Spectra:
        """Spectra over all trials, the envelope shifted unless `least` is 0."""
        found, weight = None, 0
        for envelope, brain in pairs:
            n = len(envelope)
            shift = (
                int(rng.integers(min(least, n // 2), n - min(least, n // 2) + 1)) if least else 0
            )
            one = spectra(np.roll(envelope, shift), brain, sfreq, segment)
            parts = [n * each for each in (one.xx, one.yy, one.xy)]
            found = parts if found is None else [a + b for a, b in zip(found, parts, strict=True)]
            weight += n
        assert found is not None
        return Spectra(one.frequency, *(each / weight for each in found))

    true = together(0)
    null = np.stack([coherence(together(round(_LEAST_SHIFT_S * sfreq))) for _ in range(n_shifts)])
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
