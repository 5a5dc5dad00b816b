"""What MNE's readers trip over, as one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import DataError, NeurodecodeError

if TYPE_CHECKING:
    import mne

__all__ = ["legible", "read_signals"]


@contextmanager
def legible(file: str | Path | None = None) -> Iterator[None]:
    """Say in one line that a recording is broken, whatever the reader raised.

    A damaged file is read up to the damage: MNE raises KeyError, AttributeError, plain Exception
    and many others from the middle of a parser, and samples are read long after the file was
    opened.

    Parameters
    ----------
    file : path-like, optional
        The recording, where the caller knows it.

    Raises
    ------
    DataError
        If the file, or a part of a split file, is missing or unreadable.
    """
    try:
        yield
    except (NeurodecodeError, MemoryError):
        raise
    except Exception as error:
        if "split" in str(error).lower():
            raise DataError(
                f"a part of this split recording is absent ({_first_line(error)})",
                file=file,
                fix="put all parts into the same folder under their own names",
            ) from error
        raise DataError(
            f"not a readable recording ({_first_line(error)})", file=file, fix="download it again"
        ) from error


def read_signals(raw: mne.io.BaseRaw, picks: Sequence[int] | np.ndarray) -> np.ndarray:
    """Read the samples of some channels.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        Recording; need not be loaded.
    picks : sequence of int
        Numbers of the channels.

    Returns
    -------
    array of float64 of shape (n_picks, n_samples)
        In V, T or T/m.

    Raises
    ------
    DataError
        If the recording ends early or is damaged.
    """
    with legible():
        return raw.get_data(picks=picks)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
