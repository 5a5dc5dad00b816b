"""Reading ``.npy`` files that others wrote, without ever unpickling them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurodecode.errors import DataError

__all__ = ["read_npy"]


def read_npy(path: str | Path, *, ndim: int, lazy: bool = False) -> np.ndarray:
    """Read a numeric array.

    Parameters
    ----------
    path : path-like
        A ``.npy`` file.
    ndim : int
        Number of axes it must have.
    lazy : bool
        Map the file instead of loading it.

    Returns
    -------
    array
        The numbers.

    Raises
    ------
    DataError
        If the file is missing, truncated, pickled, or has another number of axes.
    """
    try:
        values = np.load(path, mmap_mode="r" if lazy else None, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError("file is missing", file=path, fix="download it") from error
    except (ValueError, OSError, EOFError) as error:
        if any(word in str(error).lower() for word in ("pickle", "python objects")):
            problem = "file holds pickled Python objects, which can run code and are refused"
            fix = "save it as a plain numeric array"
        else:
            problem, fix = "file is truncated or is not a .npy file", "download it again"
        raise DataError(problem, file=path, fix=fix) from error
    if values.ndim != ndim or values.dtype.kind not in "biuf":
        raise DataError(
            f"expected {ndim} axes of numbers, found shape {values.shape} of {values.dtype}",
            file=path,
        )
    return values
