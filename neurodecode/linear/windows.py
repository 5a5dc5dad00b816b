"""Windows of time within a trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.errors import ConfigError

__all__ = ["EpochTimes", "Window", "growing_windows", "sliding_windows"]


@dataclass(frozen=True)
class EpochTimes:
    """When the samples of a trial were taken.

    Parameters
    ----------
    tmin : float
        Time of the first sample in seconds after the onset of the stimulus.
    sfreq : float
        Sampling rate in Hz.
    n_times : int
        Samples.
    """

    tmin: float
    sfreq: float
    n_times: int


@dataclass(frozen=True)
class Window:
    """Samples of a trial that are decoded together.

    Parameters
    ----------
    first, last : int
        Samples, `last` not included.
    t_start_s : float
        Time of the first sample, in seconds after the onset of the stimulus.
    t_stop_s : float
        Time of the last sample: nothing later is known to what is decoded.
    """

    first: int
    last: int
    t_start_s: float
    t_stop_s: float

    def cut(self, series: np.ndarray) -> np.ndarray:
        """Take the window out of trials.

        Parameters
        ----------
        series : array of shape (n_trials, n_channels, n_times)
            Whole trials.

        Returns
        -------
        array of shape (n_trials, n_channels * n_samples)
            Flattened windows.
        """
        return series[:, :, self.first : self.last].reshape(len(series), -1)


def sliding_windows(
    times: EpochTimes, width_s: float, step_s: float, limits: tuple[float, float] | None = None
) -> list[Window]:
    """Windows of one width.

    Parameters
    ----------
    times : EpochTimes
        Of the trials.
    width_s, step_s : float
        Width, and distance between beginnings, in seconds; rounded to samples.
    limits : tuple of float, optional
        Times between which all windows lie; by default the whole trial.

    Returns
    -------
    list of Window
        In order of time.

    Raises
    ------
    ConfigError
        If width or step is shorter than a sample, or no window fits.
    """
    width, step = _samples(width_s, times, "window"), _samples(step_s, times, "step")
    low, high = _bounds(times, limits)
    found = [_window(times, first, first + width) for first in range(low, high - width + 1, step)]
    if not found:
        begin, end = (times.tmin + k / times.sfreq for k in (low, high - 1))
        raise ConfigError(
            f"no window of {1000 * width_s:g} ms fits between {begin:g} and {end:g} s; choose a"
            " shorter --window"
        )
    return found


def growing_windows(
    times: EpochTimes, step_s: float, limits: tuple[float, float] | None = None
) -> list[Window]:
    """Windows with one beginning: all that is known up to some time.

    Parameters
    ----------
    times : EpochTimes
        Of the trials.
    step_s : float
        By how much each is longer than the one before, in seconds.
    limits : tuple of float, optional
        Beginning of all windows, and latest end; by default the whole trial.

    Returns
    -------
    list of Window
        In order of length.

    Raises
    ------
    ConfigError
        If the step is shorter than a sample, or no window fits.
    """
    step, (low, high) = _samples(step_s, times, "step"), _bounds(times, limits)
    found = [_window(times, low, last) for last in range(low + step, high + 1, step)]
    if not found:
        raise ConfigError(f"no window fits: --step {1000 * step_s:g} ms is longer than the trial")
    return found


def _window(times: EpochTimes, first: int, last: int) -> Window:
    start, stop = (round(times.tmin + k / times.sfreq, 6) for k in (first, last - 1))
    return Window(first, last, start, stop)


def _samples(seconds: float, times: EpochTimes, name: str) -> int:
    count = round(seconds * times.sfreq)
    if count < 1:
        raise ConfigError(
            f"--{name} {1000 * seconds:g} ms is less than a sample at {times.sfreq:g} Hz"
        )
    return count


def _bounds(times: EpochTimes, limits: tuple[float, float] | None) -> tuple[int, int]:
    if limits is None:
        return 0, times.n_times
    low, high = (round((limit - times.tmin) * times.sfreq) for limit in limits)
    return max(low, 0), min(high + 1, times.n_times)
