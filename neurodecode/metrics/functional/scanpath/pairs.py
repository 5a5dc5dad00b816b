"""Pairs of scanpaths as padded arrays, so that a thousand pairs are scored at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Padded", "chunks", "pad", "sizes_of"]


@dataclass(frozen=True)
class Padded:
    """Sequences of different lengths in one array.

    Parameters
    ----------
    values : array of shape (n_sequences, longest, n_columns) or (n_sequences, longest)
        Padding is 0.
    length : array of int of shape (n_sequences,)
        How much of each row counts.
    """

    values: np.ndarray
    length: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """What is not padding, (n_sequences, longest)."""
        return np.arange(self.values.shape[1]) < self.length[:, None]


def pad(sequences: Sequence[np.ndarray]) -> Padded:
    """Pad sequences with zeros.

    Parameters
    ----------
    sequences : sequence of array of shape (length, ...)
        All with the same number of columns.

    Returns
    -------
    Padded
        The same in one array.
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    length = np.array([len(array) for array in arrays], np.int64)
    shape = (len(arrays), int(length.max(initial=0)), *(arrays[0].shape[1:] if arrays else ()))
    dtype = np.result_type(*(array.dtype for array in arrays)) if arrays else np.float64
    values = np.zeros(shape, np.float64 if dtype.kind == "f" else dtype)
    if arrays:
        values[np.arange(shape[1]) < length[:, None]] = np.concatenate(arrays)
    return Padded(values, length)


def sizes_of(size: Sequence[int] | np.ndarray, n_pairs: int) -> np.ndarray:
    """Give each pair a width and height.

    Parameters
    ----------
    size : tuple of int, or array of shape (n_pairs, 2)
        Width and height in pixels, of all or of each.
    n_pairs : int
        How many.

    Returns
    -------
    array of shape (n_pairs, 2)
        Width and height.
    """
    return np.broadcast_to(np.asarray(size, np.float64), (n_pairs, 2))


def chunks(n_pairs: int, at_once: int = 512) -> Iterator[slice]:
    """Cut many pairs into parts, to bound memory.

    Parameters
    ----------
    n_pairs : int
        How many there are.
    at_once : int
        How many are scored together.

    Yields
    ------
    slice
        The next ones.
    """
    for start in range(0, n_pairs, at_once):
        yield slice(start, min(start + at_once, n_pairs))
