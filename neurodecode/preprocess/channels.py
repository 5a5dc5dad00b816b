"""Channels of MEG and EEG: which are used, where they are, which are bad."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import ConfigError, DataError

if TYPE_CHECKING:
    import mne

__all__ = ["bad_channels", "channel_features", "choose_channels", "interpolate", "set_montage"]

_HEAD_CENTRE = (0.0, 0.0, 0.04)  # of MNE's default sphere, in metres


def choose_channels(info: mne.Info, pattern: str | None = None) -> np.ndarray:
    """Find the channels to be decoded from.

    Parameters
    ----------
    info : mne.Info
        Of the recording.
    pattern : str, optional
        Regular expression that their names have to match.

    Returns
    -------
    array of int
        Numbers of MEG and EEG channels, bad ones included, reference sensors not.

    Raises
    ------
    DataError
        If there is none.
    ConfigError
        If the pattern is no regular expression.
    """
    import mne

    picks = mne.pick_types(info, meg=True, eeg=True, ref_meg=False, exclude=())
    try:
        wanted = re.compile(pattern or "")
    except re.error as error:
        raise ConfigError(f"recipe: channels {pattern!r} is no regular expression") from error
    chosen = np.array([n for n in picks if wanted.search(info["ch_names"][n])], dtype=np.int64)
    if not len(chosen):
        matching = f" whose name matches {pattern!r}" if pattern else ""
        raise DataError(
            f"no MEG or EEG channel{matching} among {len(info['ch_names'])} channels",
            field="channels",
            fix="check the types of the channels and the recipe",
        )
    return chosen


def channel_features(info: mne.Info) -> dict[str, np.ndarray]:
    """Describe channels for a store.

    Parameters
    ----------
    info : mne.Info
        Of the channels that are used.

    Returns
    -------
    dict of str to array
        ``name`` and ``type`` (``eeg``, ``mag`` or ``grad``) of shape (n_channels,), ``position``
        of shape (n_channels, 3): metres in head coordinates, NaN where unknown.
    """
    import mne

    place = np.array([channel["loc"][:3] for channel in info["chs"]], dtype=np.float64)
    types = np.array(info.get_channel_types())
    sensors = types != "eeg"
    if sensors.any() and info["dev_head_t"] is not None:
        place[sensors] = mne.transforms.apply_trans(info["dev_head_t"], place[sensors])
    place[~np.isfinite(place).all(axis=1) | (place == 0).all(axis=1)] = np.nan
    return {"name": np.array(info["ch_names"]), "position": place, "type": types}


def set_montage(raw: mne.io.BaseRaw, montage: str) -> None:
    """Give electrodes their standard places.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        Recording, changed in place.
    montage : str
        Name of one of MNE's montages, e.g. ``colin27_1020``.

    Raises
    ------
    DataError
        If an EEG channel is unknown to the montage.
    ConfigError
        If the montage is.
    """
    import mne

    try:
        places = mne.channels.make_standard_montage(montage)
    except ValueError as error:
        raise ConfigError(f"unknown montage {montage!r}; see mne.channels") from error
    known = {name.lower() for name in places.ch_names}
    picks = mne.pick_types(raw.info, eeg=True, exclude=())
    names = [raw.ch_names[number] for number in picks]
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        raise DataError(
            f"{len(unknown)} of {len(names)} channel names are unknown to the montage {montage}:"
            f" {', '.join(unknown[:5])}",
            field="montage",
            fix="name another montage, leave the channels out (recipe: channels), or set their"
            " type to misc",
        )
    raw.set_montage(places, match_case=False, on_missing="ignore", verbose="ERROR")


def bad_channels(deviation: np.ndarray, threshold: float | None) -> np.ndarray:
    """Find channels that are flat or much noisier or quieter than the others.

    Parameters
    ----------
    deviation : array of shape (n_channels,)
        Standard deviation of each channel over a run; of one type of sensor.
    threshold : float or None
        Robust standard deviations of its logarithm; None finds none.

    Returns
    -------
    array of bool of shape (n_channels,)
        True for bad ones.
    """
    if threshold is None:
        return np.zeros(len(deviation), dtype=bool)
    flat = ~(deviation > 0)
    if flat.all():
        return flat
    logs = np.log(np.where(flat, 1.0, deviation))
    centre = np.median(logs[~flat])
    # 1.4826 makes the median absolute deviation of a Gaussian its standard deviation
    spread = 1.4826 * np.median(np.abs(logs[~flat] - centre))
    return flat | (np.abs(logs - centre) > threshold * max(spread, 1e-12))


def interpolate(epochs: np.ndarray, info: mne.Info, bad: list[str], tmin: float) -> np.ndarray:
    """Replace bad channels by what the others say.

    Parameters
    ----------
    epochs : array of shape (n_trials, n_channels, n_times)
        Epochs.
    info : mne.Info
        Of these channels, with the sampling rate of the epochs.
    bad : list of str
        Names of bad channels.
    tmin : float
        Time of the first sample in seconds.

    Returns
    -------
    array of shape (n_trials, n_channels, n_times)
        With spherical splines (EEG) or minimum-norm field maps (MEG) in their place.

    Raises
    ------
    DataError
        If a bad channel has no known position, or all channels of a type are bad.
    """
    import mne

    info = info.copy()
    features = channel_features(info)
    row = {name: number for number, name in enumerate(info["ch_names"])}
    lost = [name for name in bad if not np.isfinite(features["position"][row[name]]).all()]
    if lost:
        raise DataError(
            f"bad channel {lost[0]} has no position and cannot be interpolated",
            field="bad_channels",
            fix="give the montage, or bad_channels: drop",
        )
    for kind in set(features["type"]):
        names = features["name"][features["type"] == kind]
        if set(names) <= set(bad):
            raise DataError(f"all {len(names)} {kind} channels are bad", field="bad_channels")
    info["bads"] = bad
    with mne.use_log_level("ERROR"):
        filled = mne.EpochsArray(epochs, info, tmin=tmin, baseline=None, proj=False)
        filled.interpolate_bads(origin=_HEAD_CENTRE)
        return filled.get_data(copy=False)
