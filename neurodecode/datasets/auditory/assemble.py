"""Brain and sound of one trial, brought to one rate, one first sample and one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurodecode.auditory_trials import AuditoryTrial, sound_id
from neurodecode.errors import DataError
from neurodecode.preprocess.audio.causal import causal_start, causal_step, thinning
from neurodecode.preprocess.audio.features import SoundRecipe
from neurodecode.preprocess.audio.rates import band_limit, common_length, resample

__all__ = ["assemble", "mend_gaps", "prepare_brain"]

#: Longest run of missing samples that is bridged, in s.
_BRIDGED = 0.1


def mend_gaps(eeg: np.ndarray, sfreq: float, channels: Sequence[str]) -> tuple[np.ndarray, int]:
    """Bridge short bursts of missing samples by straight lines.

    Parameters
    ----------
    eeg : array of shape (n_samples, n_channels)
        With NaN or infinity where nothing was recorded.
    sfreq : float
        In Hz.
    channels : sequence of str of length n_channels
        Names, for the error.

    Returns
    -------
    eeg : array of shape (n_samples, n_channels)
        Finite.
    n_mended : int
        Samples that were bridged.

    Raises
    ------
    DataError
        If a burst is longer than a tenth of a second.
    """
    bad = ~np.isfinite(eeg)
    if not bad.any():
        return eeg, 0
    eeg = eeg.astype(np.float64, copy=True)
    for channel in np.flatnonzero(bad.any(axis=0)):
        edges = np.flatnonzero(np.diff(np.r_[False, bad[:, channel], False].astype(int)))
        starts, stops = edges[::2], edges[1::2]
        longest = int((stops - starts).argmax())
        length = int(stops[longest] - starts[longest])
        if length > _BRIDGED * sfreq:
            raise DataError(
                f"{length} samples in a row are not finite, from {starts[longest] / sfreq:.2f} s",
                field=f"channel {channels[channel]}",
                fix="interpolate the channel or leave the trial out",
            )
        good = np.flatnonzero(~bad[:, channel])
        eeg[:, channel] = np.interp(np.arange(len(eeg)), good, eeg[good, channel])
    return eeg, int(bad.sum())


def prepare_brain(
    eeg: np.ndarray, sfreq: float, channels: Sequence[str], recipe: SoundRecipe
) -> np.ndarray:
    """Reference, filter and resample what the sensors showed.

    Parameters
    ----------
    eeg : array of shape (n_samples, n_channels)
        Finite.
    sfreq : float
        In Hz.
    channels : sequence of str of length n_channels
        Names.
    recipe : SoundRecipe
        Rate, band and reference.

    Returns
    -------
    array of float32 of shape (n_times, n_channels)
        In units of its own spread over channels and time: units and amplifiers drop out, while
        channels keep their ratios.

    Raises
    ------
    DataError
        If the reference is no channel, or nothing varies.
    """
    eeg = np.asarray(eeg, dtype=np.float64)
    if recipe.reference == "average":
        eeg = eeg - eeg.mean(axis=1, keepdims=True)
    elif recipe.reference != "none":
        if recipe.reference not in channels:
            raise DataError(
                f"there is no channel {recipe.reference}", field="reference",
                fix=f"choose average, none or one of {', '.join(channels[:8])}, ...",
            )  # fmt: skip
        eeg = eeg - eeg[:, [list(channels).index(recipe.reference)]]
    if recipe.causal and thinning(sfreq, recipe) is not None:
        # exactly what a stream does
        found, _, _ = causal_step(eeg, causal_start(eeg.shape[1], sfreq, recipe), sfreq, recipe)
    else:
        slow = resample(eeg, sfreq, recipe.sfreq) if recipe.sfreq != sfreq else eeg
        found = band_limit(slow, recipe.sfreq, recipe.low_hz, recipe.high_hz, causal=recipe.causal)
    spread = float(found.std())
    if not spread > 0:
        raise DataError("nothing varies", field="eeg", fix="check the recording")
    return (found / spread).astype(np.float32)


def assemble(
    *,
    subject: str,
    trial: str,
    eeg: np.ndarray,
    sfreq: float,
    channels: Sequence[str],
    features: Sequence[np.ndarray],
    attended: np.ndarray | int,
    recipe: SoundRecipe,
    gaze: np.ndarray | None = None,
    **about: Any,
) -> AuditoryTrial:
    """Put a trial together.

    Parameters
    ----------
    subject, trial : str
        Names.
    eeg : array of shape (n_samples, n_channels)
        As recorded; its first sample is that of the sounds.
    sfreq : float
        Of the recording in Hz.
    channels : sequence of str of length n_channels
        Names.
    features : sequence of array of shape (n, n_features)
        Of each candidate at the rate of the recipe.
    attended : int or array of int of shape (n_samples,)
        Candidate that is attended, throughout or at each sample of the recording.
    recipe : SoundRecipe
        Rate, band, reference.
    gaze : array of shape (n_samples, n_gaze), optional
        Eye channels.
    **about
        Other fields of `AuditoryTrial`.

    Returns
    -------
    AuditoryTrial
        Cut to the common length; features in units of their own spread.

    Raises
    ------
    DataError
        If recording and sound do not belong together, or names are missing.
    """
    where = f"trial {trial}"
    if len(channels) != eeg.shape[1]:
        raise DataError(
            f"{len(channels)} channel names for {eeg.shape[1]} channels",
            subject=subject,
            field=where,
            fix="complete the list of channels",
        )
    eeg, n_mended = mend_gaps(eeg, sfreq, channels)
    brain = prepare_brain(eeg, sfreq, channels, recipe)
    n = min(
        common_length(len(brain), len(each), recipe.sfreq, subject=subject, field=where)
        for each in features
    )
    candidates = np.stack([_standard(each[:n]) for each in features]).astype(np.float32)
    at = np.minimum(np.arange(n) * sfreq / recipe.sfreq, len(eeg) - 1).astype(int)
    labels = np.full(n, attended) if np.ndim(attended) == 0 else np.asarray(attended)[at]
    if gaze is not None:
        plain = SoundRecipe(recipe.features, recipe.sfreq, None, None, reference="none")
        names = [f"gaze {number}" for number in range(gaze.shape[1])]
        gaze = prepare_brain(mend_gaps(gaze, sfreq, names)[0], sfreq, names, plain)[:n]
    info = {"n_mended": n_mended} if n_mended else {}
    return AuditoryTrial(
        subject=subject,
        trial=trial,
        eeg=brain[:n],
        candidates=candidates,
        attended=labels.astype(np.int16),
        sfreq=recipe.sfreq,
        channels=tuple(channels),
        sound=tuple(sound_id(each) for each in candidates),
        gaze=gaze,
        info=info,
        **about,
    )


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
