"""Decision windows: where they lie, and correlations within them."""

from __future__ import annotations

import numpy as np

from neurodecode.errors import ConfigError

__all__ = ["correlations", "window_starts", "windowed"]


def window_starts(n_times: int, length: int, step: int | None = None) -> np.ndarray:
    """First samples of the windows that fit into a trial.

    Parameters
    ----------
    n_times : int
        Samples of the trial.
    length : int
        Of a window.
    step : int, optional
        From window to window (default: the length, so that windows do not overlap).

    Returns
    -------
    array of int of shape (n_windows,)
        Starts.

    Raises
    ------
    ConfigError
        If a window is longer than the trial, or has fewer than three samples.
    """
    if length < 3:
        raise ConfigError(f"a window of {length} samples is too short to correlate anything")
    if length > n_times:
        raise ConfigError(
            f"a window of {length} samples is longer than the trial of {n_times}; give shorter"
            " windows"
        )
    return np.arange(0, n_times - length + 1, step or length)


def windowed(values: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Cut windows.

    Parameters
    ----------
    values : array of shape (..., n_times, n_features)
        Time next to last.
    starts : array of int of shape (n_windows,)
        First samples.
    length : int
        Samples.

    Returns
    -------
    array of shape (..., n_windows, length, n_features)
        Copies.
    """
    return values[..., starts[:, None] + np.arange(length), :]


def correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pearson's r over the next to last axis; broadcasts; 0 where a side is constant.

    Parameters
    ----------
    one, other : array of shape (..., n_times, n_features)
        Signals.

    Returns
    -------
    array of shape (..., n_features)
        Correlations.
    """
    one = one - one.mean(axis=-2, keepdims=True)
    other = other - other.mean(axis=-2, keepdims=True)
    scale = np.sqrt((one**2).sum(axis=-2) * (other**2).sum(axis=-2))
    shared = (one * other).sum(axis=-2)
    return np.divide(shared, scale, out=np.zeros_like(shared), where=scale > 0)
