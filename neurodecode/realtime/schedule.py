"""When to decode: all the time, or after every marker."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, Protocol

import numpy as np

__all__ = ["Due", "OnMarkers", "Schedule", "Sliding", "TriggerChannel"]

#: Markers that wait for their samples; more come from a stream that has none.
_MOST_WAITING = 10_000


class Due(NamedTuple):
    """A window whose samples are all there, or will never be.

    Parameters
    ----------
    onset : int
        Number of the sample that counts as the onset of a stimulus.
    label : str
        Of the marker; empty for sliding windows.
    complete : bool
        Whether all samples are there.
    """

    onset: int
    label: str
    complete: bool


class Schedule(Protocol):
    """Chooses windows."""

    def due(self, start: int, stop: int) -> list[Due]:
        """Windows that can be cut from samples `start` to before `stop`, each once."""


class Sliding:
    """A window every `hop` samples, the first at the beginning of the stream.

    Parameters
    ----------
    hop : int
        Samples between the beginnings of two windows.
    first, last : int
        First and last sample of a window, relative to its onset.
    """

    def __init__(self, hop: int, first: int, last: int) -> None:
        self._hop, self._first, self._length = hop, first, last - first + 1
        self._next = 0

    def due(self, start: int, stop: int) -> list[Due]:
        """Choose windows; what a gap took is passed over.

        Parameters
        ----------
        start, stop : int
            Number of the first sample that is kept, and of the one that comes next.

        Returns
        -------
        list of Due
            In order.
        """
        begin = max(self._next, -(-start // self._hop) * self._hop)
        found = np.arange(begin, stop - self._length + 1, self._hop)
        if len(found):
            self._next = int(found[-1]) + self._hop
        return [Due(int(each) - self._first, "", True) for each in found]


class OnMarkers:
    """A window for every marker.

    Parameters
    ----------
    first, last : int
        First and last sample of a window, relative to its onset.
    """

    def __init__(self, first: int, last: int) -> None:
        self._first, self._last = first, last
        self._waiting: deque[tuple[int, str]] = deque(maxlen=_MOST_WAITING)

    def add(self, onset: int, label: str) -> None:
        """Take a marker.

        Parameters
        ----------
        onset : int
            Its sample.
        label : str
            What it says.
        """
        self._waiting.append((onset, label))

    def due(self, start: int, stop: int) -> list[Due]:
        """Choose windows; see `Sliding.due`.

        Parameters
        ----------
        start, stop : int
            Number of the first sample that is kept, and of the one that comes next.

        Returns
        -------
        list of Due
            In order of the markers; not complete where samples before `start` would be needed.
        """
        found, rest = [], []
        for onset, label in self._waiting:
            if onset + self._last >= stop:
                rest.append((onset, label))
            else:
                found.append(Due(onset, label, onset + self._first >= start))
        self._waiting = deque(rest, maxlen=_MOST_WAITING)
        return found


class TriggerChannel:
    """Onsets in a trigger channel, as `datasets.triggers.find_triggers` finds them in a file.

    An onset is a sample at which the channel leaves zero or changes to another value.
    """

    def __init__(self) -> None:
        self._value = 0

    def __call__(self, samples: np.ndarray) -> list[tuple[int, int]]:
        """Find the onsets in the next samples.

        Parameters
        ----------
        samples : array of shape (n_times,)
            Of the channel.

        Returns
        -------
        list of (int, int)
            Sample and value of each.
        """
        if not len(samples):
            return []
        # a trigger that cannot be read is none
        values = np.rint(np.nan_to_num(samples)).astype(np.int64)
        onset = np.flatnonzero((np.diff(values, prepend=self._value) != 0) & (values != 0))
        self._value = int(values[-1])
        return [(int(each), int(values[each])) for each in onset]
