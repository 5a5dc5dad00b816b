"""From raw gaze to fixations."""

from __future__ import annotations

import numpy as np

__all__ = ["fixations_by_dispersion"]


def fixations_by_dispersion(
    gaze: np.ndarray, sfreq: float, dispersion: float, shortest_ms: float
) -> np.ndarray:
    """Find fixations as stretches of gaze that stay within a small field (I-DT).

    Salvucci and Goldberg 2000 (ETRA, 71): a window of the shortest duration grows as long as
    (max x - min x) + (max y - min y) stays below the limit.

    Parameters
    ----------
    gaze : array of shape (n_samples, 2)
        x, y in pixels; not finite where the eye was lost (blinks), which ends a fixation.
    sfreq : float
        Hz.
    dispersion : float
        Limit in pixels.
    shortest_ms : float
        Shortest fixation.

    Returns
    -------
    array of shape (n_fixations, 3)
        Median x and y in pixels, duration in ms.
    """
    least = max(int(np.ceil(shortest_ms / 1000 * sfreq)), 1)
    start, found = 0, []
    while start + least <= len(gaze):
        window = gaze[start : start + least]
        if not np.isfinite(window).all() or np.ptp(window, axis=0).sum() > dispersion:
            start += 1
            continue
        low, high = window.min(axis=0), window.max(axis=0)
        stop = start + least
        while stop < len(gaze) and np.isfinite(gaze[stop]).all():
            low, high = np.minimum(low, gaze[stop]), np.maximum(high, gaze[stop])
            if (high - low).sum() > dispersion:
                break
            stop += 1
        found.append((*np.median(gaze[start:stop], axis=0), (stop - start) / sfreq * 1000))
        start = stop
    return np.array(found, np.float32).reshape(-1, 3)
