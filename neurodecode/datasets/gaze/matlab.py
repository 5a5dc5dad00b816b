"""MATLAB files of gaze data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neurodecode.errors import DataError

__all__ = ["read_mat"]


def read_mat(path: Path, key: str | None = None) -> Any:
    """Read a variable of a MATLAB file (up to version 7); structures become dicts.

    Parameters
    ----------
    path : Path
        File.
    key : str, optional
        Name of the variable; by default the only one.

    Returns
    -------
    object
        Numbers, texts, dicts, or arrays of them.

    Raises
    ------
    DataError
        If the file is missing or broken, or has no such variable.
    """
    from scipy.io import loadmat

    try:
        content = loadmat(path, simplify_cells=True)
    except FileNotFoundError as error:
        raise DataError("file is missing", file=path, fix="download it") from error
    # scipy raises a different error for every place at which a file can end
    except Exception as error:
        raise DataError(
            "file is truncated or is not a MATLAB file", file=path, fix="download it again"
        ) from error
    known = [name for name in content if not name.startswith("__")]
    if key is None and len(known) == 1:
        return content[known[0]]
    if key not in content:
        raise DataError(
            f"variable is missing (found: {', '.join(known) or 'none'})", file=path,
            field=key or "variable", fix="download it again",
        )  # fmt: skip
    return content[key]
