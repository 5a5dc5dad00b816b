"""Time stamps of a stream: which samples were lost, and where a moment lies among the samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Piece", "Timeline"]

#: The line through the stamps follows a clock that drifts within this time.
_FOLLOW_S = 5.0
#: Stamps that go back further are of a clock that was set.
_SET_BACK_S = 1.0


class Piece(NamedTuple):
    """Part of a chunk without a gap.

    Parameters
    ----------
    start, stop : int
        Samples of the chunk.
    lost : int or None
        How many were lost before the first of them; None if nobody can tell.
    """

    start: int
    stop: int
    lost: int | None


class Timeline:
    """A straight line through the stamps, number of the sample against time.

    Stamps jitter, and a lost sample shows only in the stamps after it. A stamp that is later than
    the line by more than `jitter_s` means that samples were lost; fewer cannot be told from
    jitter. One that is earlier by as much moves the line: a chunk before it was late.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    jitter_s : float
        See above.
    """

    def __init__(self, sfreq: float, jitter_s: float = 0.02) -> None:
        self.sfreq, self.jitter_s = sfreq, max(jitter_s, 1.5 / sfreq)
        self._zero: float | None = None
        self.next = 0

    def pieces(self, stamps: np.ndarray) -> list[Piece]:
        """Divide a chunk where samples are missing.

        Parameters
        ----------
        stamps : array of float64 of shape (n_times,)
            Of the next samples.

        Returns
        -------
        list of Piece
            In order; `next` counts what they hold and what was lost.
        """
        found, start = [], 0
        if self._zero is None and len(stamps):
            self._zero = float(stamps[0]) - self.next / self.sfreq
        lost: int | None = 0
        while start < len(stamps):
            late = self._deviation(stamps[start:])
            if abs(late[0]) > self.jitter_s:
                lost = self._jump(float(late[0]))
                late = self._deviation(stamps[start:])
            off = np.flatnonzero(np.abs(late) > self.jitter_s)
            off = off[off > 0]
            stop = start + int(off[0]) if len(off) else len(stamps)
            self._follow(late[: stop - start])
            self.next += stop - start
            found.append(Piece(start, stop, lost))
            start, lost = stop, 0
        return found

    def _deviation(self, stamps: np.ndarray) -> np.ndarray:
        assert self._zero is not None
        return stamps - (self._zero + (self.next + np.arange(len(stamps))) / self.sfreq)

    def _jump(self, late: float) -> int | None:
        """Take a stamp off the line: samples were lost, or the line has to move."""
        assert self._zero is not None
        if late > 0:
            lost = round(late * self.sfreq)
            self.next += lost
            # what is left is less than a sample
            self._zero += late - lost / self.sfreq
            return lost
        self._zero += late
        return None if late < -_SET_BACK_S else 0

    def _follow(self, late: np.ndarray) -> None:
        assert self._zero is not None
        share = 1.0 - np.exp(-len(late) / (self.sfreq * _FOLLOW_S))
        self._zero += float(share * late.mean())

    def seconds(self, sample: int) -> float:
        """Tell when a sample was recorded.

        Parameters
        ----------
        sample : int
            Its number; lost ones count.

        Returns
        -------
        float
            Seconds of the stream's clock.
        """
        return (self._zero or 0.0) + sample / self.sfreq

    def sample(self, seconds: float) -> int | None:
        """Find the sample nearest to a moment.

        Parameters
        ----------
        seconds : float
            Of the stream's clock.

        Returns
        -------
        int or None
            Number of the sample; None before the first has come.
        """
        return None if self._zero is None else round((seconds - self._zero) * self.sfreq)
