"""Events of a recording: from its trigger channel, from a table, and whether the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import DataError, about
from neurodecode.preprocess.reading import read_signals

if TYPE_CHECKING:
    import mne

__all__ = ["check_triggers", "find_triggers"]


def find_triggers(
    raw: mne.io.BaseRaw, channel: str, file: str | Path
) -> tuple[np.ndarray, np.ndarray]:
    """Read the triggers of a run.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        The run.
    channel : str
        Name of the trigger channel.
    file : path-like
        Of the run, for the error message.

    Returns
    -------
    onset : array of int of shape (n_events,)
        Samples from the first of the run, at which the channel leaves zero or changes.
    value : array of int of shape (n_events,)
        What it changes to.

    Raises
    ------
    DataError
        If the channel is not there or never leaves zero.
    """
    if channel not in raw.ch_names:
        likely = [name for name in raw.ch_names if "STI" in name or name.startswith("UPPT")]
        raise DataError(
            f"recording has no trigger channel {channel}"
            + (f" (found: {', '.join(likely)})" if likely else ""),
            file=file,
            field="stim_channel",
            fix="name it with --option stim_channel=NAME",
        )
    with about(file=file):
        signal = read_signals(raw, [raw.ch_names.index(channel)])[0]
    values = np.rint(signal).astype(np.int64)
    onset = np.flatnonzero((np.diff(values, prepend=0) != 0) & (values != 0))
    if not len(onset):
        raise DataError(
            f"recording has no triggers: channel {channel} is zero throughout",
            file=file,
            field="stim_channel",
            fix="check that the trigger cable was connected, or name another channel",
        )
    return onset, values[onset]


def check_triggers(
    found: np.ndarray,
    expected: Sequence[int] | np.ndarray,
    file: str | Path,
    table: str | Path,
) -> None:
    """Refuse a recording whose triggers are not those of its table of events.

    Parameters
    ----------
    found : array of int of shape (n_found,)
        Values of the triggers, in order.
    expected : sequence of int of length n_expected
        Values that the table lists.
    file, table : path-like
        Recording and table, for the error message.

    Raises
    ------
    DataError
        With both counts and the first place where they differ.
    """
    expected = np.asarray(expected, dtype=np.int64)
    common = min(len(found), len(expected))
    differ = np.flatnonzero(found[:common] != expected[:common])
    if not len(differ) and len(found) == len(expected):
        return
    if len(differ):
        place = int(differ[0])
        first = f"event {place + 1} is {found[place]}, the table says {expected[place]}"
    else:
        first = (
            f"event {common + 1} is only in the {'recording' if len(found) > common else 'table'}"
        )
    raise DataError(
        f"{len(found)} triggers for {len(expected)} events in {Path(table).name}; first"
        f" mismatch: {first}",
        file=file,
        field="triggers",
        fix="check that table and recording belong to the same run",
    )
