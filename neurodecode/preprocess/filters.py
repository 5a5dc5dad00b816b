"""Band-pass and notch filters of recordings: without phase shift, or as a live stream can."""

from __future__ import annotations

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.recipe import Recipe

__all__ = ["CausalFilter", "check_rate", "decimation", "filter_signals"]

_ORDER, _NOTCH_QUALITY = 4, 25.0
_WHOLE = 1e-6


def check_rate(recipe: Recipe, sfreq: float) -> None:
    """Refuse a recipe that a sampling rate does not allow.

    Parameters
    ----------
    recipe : Recipe
        What is asked for.
    sfreq : float
        Sampling rate of the recording in Hz.

    Raises
    ------
    DataError
        If a filter is at or above half the sampling rate, or the epochs would have a higher one.
    ConfigError
        If signal above half the rate of the epochs is not removed.
    """
    for name, edges in (
        ("low_hz", (recipe.low_hz,)), ("high_hz", (recipe.high_hz,)), ("notch_hz", recipe.notch_hz)
    ):  # fmt: skip
        for edge in edges:
            if edge is not None and edge >= sfreq / 2:
                raise DataError(
                    f"sampled at {sfreq:g} Hz, which holds nothing above {sfreq / 2:g} Hz; the"
                    f" recipe filters at {edge:g} Hz",
                    field=name,
                    fix="lower it in the recipe",
                )
    if recipe.sfreq_hz is None or recipe.sfreq_hz == sfreq:
        return
    if recipe.sfreq_hz > sfreq:
        raise DataError(
            f"sampled at {sfreq:g} Hz, the recipe asks for {recipe.sfreq_hz:g} Hz",
            field="sfreq_hz",
            fix="lower it in the recipe",
        )
    if recipe.high_hz is None or recipe.high_hz >= recipe.sfreq_hz / 2:
        raise ConfigError(
            f"recipe: sfreq_hz {recipe.sfreq_hz:g} needs high_hz below {recipe.sfreq_hz / 2:g},"
            " or higher frequencies fold down into the signal"
        )


def decimation(recipe: Recipe, sfreq: float) -> int | None:
    """Tell how many samples of the recording make one of the epochs.

    Parameters
    ----------
    recipe : Recipe
        What is asked for.
    sfreq : float
        Sampling rate of the recording in Hz.

    Returns
    -------
    int or None
        A whole number, or None if there is none and the recording has to be resampled.
    """
    ratio = sfreq / (recipe.sfreq_hz or sfreq)
    return round(ratio) if abs(ratio - round(ratio)) < _WHOLE else None


def filter_signals(signals: np.ndarray, sfreq: float, recipe: Recipe) -> np.ndarray:
    """Remove line noise and everything outside the pass band.

    Parameters
    ----------
    signals : array of float64 of shape (n_channels, n_samples)
        A whole run; overwritten.
    sfreq : float
        Sampling rate in Hz.
    recipe : Recipe
        ``notch_hz``, ``low_hz``, ``high_hz`` and ``causal``.

    Returns
    -------
    array of float64 of shape (n_channels, n_samples)
        Filtered: by MNE's FIR filters without phase shift (Hamming window; transition a quarter
        of the edge, 2 Hz or more), or by `CausalFilter`.

    Raises
    ------
    DataError
        If the run is shorter than the filter.
    """
    if recipe.causal:
        return CausalFilter(recipe, sfreq)(signals)
    from mne.filter import create_filter, filter_data, notch_filter

    if recipe.notch_hz:
        signals = notch_filter(signals, sfreq, list(recipe.notch_hz), copy=False, verbose="ERROR")
    low, high = recipe.low_hz, recipe.high_hz
    if low is None and high is None:
        return signals
    taps = len(create_filter(None, sfreq, low, high, verbose="ERROR"))
    if taps > signals.shape[1]:
        raise DataError(
            f"recording of {signals.shape[1] / sfreq:.1f} s is shorter than the filter of"
            f" {taps / sfreq:.1f} s that low_hz {low} and high_hz {high} need",
            field="low_hz",
            fix="raise low_hz in the recipe or set it to null",
        )
    return filter_data(signals, sfreq, low, high, copy=False, verbose="ERROR")


class CausalFilter:
    """Filters that go forwards and keep their state, so that blocks give what the whole gives.

    Butterworth of order 4 for the pass band, second-order notches for the line. The state starts
    as if the first sample had been there for ever.

    Parameters
    ----------
    recipe : Recipe
        ``notch_hz``, ``low_hz`` and ``high_hz``.
    sfreq : float
        Sampling rate in Hz.
    """

    def __init__(self, recipe: Recipe, sfreq: float) -> None:
        self.sections = _sections(recipe, sfreq)
        self._state: np.ndarray | None = None

    def __call__(self, signals: np.ndarray) -> np.ndarray:
        """Filter the next samples.

        Parameters
        ----------
        signals : array of shape (n_channels, n_samples)
            What follows the samples of the last call.

        Returns
        -------
        array of float64 of shape (n_channels, n_samples)
            Filtered.
        """
        from scipy.signal import sosfilt, sosfilt_zi

        if not len(self.sections) or not signals.shape[1]:
            return np.asarray(signals, dtype=np.float64)
        if self._state is None:
            # (n_sections, n_channels, 2)
            self._state = sosfilt_zi(self.sections)[:, None] * signals[None, :, :1]
        filtered, self._state = sosfilt(self.sections, signals, axis=1, zi=self._state)
        return filtered

    def reset(self) -> None:
        """Forget what came before."""
        self._state = None


def _sections(recipe: Recipe, sfreq: float) -> np.ndarray:
    from scipy.signal import butter, iirnotch, tf2sos

    parts = [tf2sos(*iirnotch(line, _NOTCH_QUALITY, fs=sfreq)) for line in recipe.notch_hz]
    if recipe.low_hz is not None:
        parts.append(butter(_ORDER, recipe.low_hz, "highpass", fs=sfreq, output="sos"))
    if recipe.high_hz is not None:
        parts.append(butter(_ORDER, recipe.high_hz, "lowpass", fs=sfreq, output="sos"))
    return np.concatenate(parts) if parts else np.empty((0, 6))
