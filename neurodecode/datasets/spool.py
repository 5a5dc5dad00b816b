"""Epochs of one run after the other on a temporary file, as one lazily read array."""

from __future__ import annotations

from tempfile import TemporaryFile

import numpy as np

from neurodecode.errors import naming_full_disk

__all__ = ["Spool"]


class Spool:
    """Collects float32 blocks on disk; how many trials survive is known at the end only.

    A context: the file has no name, is closed at the end of it, and is gone from the disk with
    the last reference to what `finish` returned.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="neurodecode-")  # noqa: SIM115
        self._shape: tuple[int, ...] | None = None
        self._n_trials = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels and times of a trial; empty before the first block."""
        return self._shape or ()

    def append(self, block: np.ndarray) -> None:
        """Add trials.

        Parameters
        ----------
        block : array of float32 of shape (n, n_channels, n_times)
            Epochs; channels and times are the same in each block.

        Raises
        ------
        DataError
            If the folder for temporary files is full.
        """
        self._shape = block.shape[1:]
        self._n_trials += len(block)
        with naming_full_disk("(temporary file; set TMPDIR to a larger disk)"):
            self._file.write(np.ascontiguousarray(block, dtype=np.float32).data)

    def finish(self) -> np.ndarray:
        """Map what was collected.

        Returns
        -------
        array of float32 of shape (n_trials, n_channels, n_times)
            On disk until it is sliced.
        """
        self._file.flush()
        shape = (self._n_trials, *(self._shape or (0, 0)))
        if not self._n_trials:
            return np.empty(shape, dtype=np.float32)
        return np.memmap(self._file, dtype=np.float32, mode="r", shape=shape)
