"""The last samples of a stream."""

from __future__ import annotations

import numpy as np

__all__ = ["FILLED", "HELD", "RingBuffer"]

#: What was done to a sample: lost and filled in; not a number, and the last value held.
FILLED, HELD = 1, 2


class RingBuffer:
    """Samples by their number in the stream, as long as they are kept.

    Parameters
    ----------
    n_channels : int
        Channels.
    capacity : int
        How many samples are kept at least.
    """

    def __init__(self, n_channels: int, capacity: int) -> None:
        self.capacity = capacity
        # twice as long, so that what is kept is contiguous and seldom moved
        self._samples = np.empty((n_channels, 2 * capacity))
        self._marks = np.zeros(2 * capacity, dtype=np.uint8)
        self._first = self._used = 0

    @property
    def start(self) -> int:
        """Number of the first sample that is kept."""
        return self._first

    @property
    def stop(self) -> int:
        """Number of the sample that comes next."""
        return self._first + self._used

    def append(self, samples: np.ndarray, marks: np.ndarray) -> None:
        """Take samples; old ones are forgotten.

        Parameters
        ----------
        samples : array of float64 of shape (n_channels, n_times)
            The next ones.
        marks : array of uint8 of shape (n_times,)
            0, or `FILLED` and `HELD` together.
        """
        for start in range(0, samples.shape[1], self.capacity):
            part = slice(start, start + self.capacity)
            self._append(samples[:, part], marks[part])

    def _append(self, samples: np.ndarray, marks: np.ndarray) -> None:
        count, room = samples.shape[1], self._samples.shape[1]
        if self._used + count > room:
            gone = self._used - self.capacity
            kept = slice(gone, self._used)
            # the two halves may overlap
            self._samples[:, : self.capacity] = self._samples[:, kept].copy()
            self._marks[: self.capacity] = self._marks[kept].copy()
            self._first, self._used = self._first + gone, self.capacity
        here = slice(self._used, self._used + count)
        self._samples[:, here], self._marks[here] = samples, marks
        self._used += count

    def restart(self, number: int) -> None:
        """Forget everything.

        Parameters
        ----------
        number : int
            Of the sample that comes next.
        """
        self._first, self._used = number, 0

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Look at samples.

        Parameters
        ----------
        start, stop : int
            Number of the first, and of the one after the last.

        Returns
        -------
        samples : array of float64 of shape (n_channels, stop - start)
            A view.
        marks : array of uint8 of shape (stop - start,)
            A view.

        Raises
        ------
        IndexError
            If they are not there any more, or not yet.
        """
        if not self.start <= start <= stop <= self.stop:
            raise IndexError(f"samples {start}..{stop} of {self.start}..{self.stop}")
        here = slice(start - self._first, stop - self._first)
        return self._samples[:, here], self._marks[here]
