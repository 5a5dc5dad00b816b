"""Recordings as if they came in now: from memory, or from a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import DataError
from neurodecode.preprocess.reading import legible
from neurodecode.realtime.types import Chunk, Description

if TYPE_CHECKING:
    import mne

__all__ = ["Replay", "open_recording"]

_CHUNK_S = 0.01


class Replay:
    """A recording, chunk by chunk.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        The recording, in V, T or T/m; need not be loaded.
    name : str
        For people.
    speed : float
        1 for the pace of the recording; 0 for as fast as it goes.
    chunk_s : float
        Seconds of a chunk.
    """

    def __init__(
        self, raw: mne.io.BaseRaw, name: str, speed: float = 1.0, chunk_s: float = _CHUNK_S
    ) -> None:
        sfreq = float(raw.info["sfreq"])
        bads = tuple(raw.info["bads"])
        self.description = Description(name, tuple(raw.ch_names), sfreq, bads=bads)
        self.generation, self.ended = 1, False
        self._raw, self._speed = raw, speed
        self._step, self._next = max(1, round(chunk_s * sfreq)), 0
        self._began: float | None = None

    def pull(self, timeout_s: float) -> Chunk | None:
        """Give the next chunk, at its time.

        Parameters
        ----------
        timeout_s : float
            Longest wait.

        Returns
        -------
        Chunk or None
            Samples; None if their time has not come, or at the end.
        """
        total, sfreq = len(self._raw.times), self.description.sfreq
        stop = min(self._next + self._step, total)
        if self._next >= total:
            self.ended = True
            return None
        if not self._in_time(stop / sfreq, timeout_s):
            return None
        with legible(self.description.name):
            samples = self._raw[:, self._next : stop][0].T
        stamps = np.arange(self._next, stop) / sfreq
        self._next = stop
        return Chunk(samples, stamps, time.perf_counter())

    def _in_time(self, due_s: float, timeout_s: float) -> bool:
        """Wait until the last sample of a chunk would have been recorded."""
        if self._speed <= 0:
            return True
        now = time.perf_counter()
        self._began = now if self._began is None else self._began
        rest = self._began + due_s / self._speed - now
        time.sleep(min(max(rest, 0.0), timeout_s))
        return rest <= timeout_s

    def clock(self) -> float | None:
        """Stamps are not of now."""
        return None

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()


def open_recording(path: str | Path) -> mne.io.BaseRaw:
    """Open a recording of any format that MNE knows.

    Parameters
    ----------
    path : path-like
        The file or folder.

    Returns
    -------
    mne.io.BaseRaw
        Not loaded.

    Raises
    ------
    DataError
        If it is missing or cannot be read.
    """
    import mne

    if not Path(path).exists():
        raise DataError("file is missing", file=path, field="--replay", fix="check the path")
    try:
        return mne.io.read_raw(path, verbose="ERROR")
    # a file that is no FIF ends in an AttributeError of MNE's
    except (
        ValueError, OSError, RuntimeError, EOFError, KeyError, TypeError, AttributeError
    ) as error:  # fmt: skip
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"not a readable recording ({reason})",
            file=path,
            field="--replay",
            fix="give continuous MEG or EEG in a format that MNE reads",
        ) from error
