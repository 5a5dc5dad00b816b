"""When a curve rises."""

from __future__ import annotations

import numpy as np

__all__ = ["half_peak_latency"]


def half_peak_latency(curves: np.ndarray, times: np.ndarray, chance: float) -> np.ndarray:
    """Time at which a curve on the way to its peak was half way there from chance.

    Sought backwards from the peak, so that noise before the rise counts for nothing.

    Parameters
    ----------
    curves : array of shape (..., n_times)
        Scores.
    times : array of shape (n_times,)
        Increasing times in seconds.
    chance : float
        Level of a curve that knows nothing.

    Returns
    -------
    array of shape (...)
        Seconds, interpolated linearly between two points; nan for a curve that is nowhere above
        chance.

    References
    ----------
    Kiesel et al. 2008, "Measurement of ERP latency differences" (fractional peak latency).

    Examples
    --------
    >>> half_peak_latency(np.array([0.5, 0.5, 0.9, 0.9]), np.array([0.0, 0.1, 0.2, 0.3]), 0.5)
    array(0.15)
    """
    above = np.asarray(curves, dtype=np.float64) - chance
    times = np.asarray(times, dtype=np.float64)
    peak = above.argmax(axis=-1)[..., None]
    half = np.take_along_axis(above, peak, axis=-1) / 2
    index = np.arange(len(times))
    # the last point below half before the peak; -1 if there is none
    before = np.where((above < half) & (index < peak), index, -1).max(axis=-1)[..., None]
    after, before = before + 1, np.maximum(before, 0)
    low, high = (np.take_along_axis(above, each, axis=-1) for each in (before, after))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(after > before, (half - low) / (high - low), 0.0)
    found = times[before] + share * (times[after] - times[before])
    return np.where(half > 0, found, np.nan)[..., 0]
