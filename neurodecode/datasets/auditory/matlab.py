"""MATLAB files of listening experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.errors import DataError

__all__ = ["cells", "fields_of", "get", "load_mat", "rows"]


def load_mat(path: str | Path, variable: str) -> Any:
    """Read one variable; structs become objects with attributes.

    Parameters
    ----------
    path : path-like
        MATLAB file up to version 7.
    variable : str
        Its name.

    Returns
    -------
    object
        As `scipy.io.loadmat` gives it, squeezed.

    Raises
    ------
    DataError
        If the file is missing, of version 7.3, broken, or has no such variable.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not Path(path).is_file():
        raise DataError("file is missing", file=path, fix="download it again")
    try:
        content = loadmat(path, squeeze_me=True, struct_as_record=False)
    except NotImplementedError as error:
        raise DataError(
            "MATLAB version 7.3 is not read", file=path, fix="save it with `save(..., '-v7')`"
        ) from error
    except (MatReadError, ValueError, TypeError, OSError, EOFError) as error:
        raise DataError(f"not a readable MATLAB file ({error})", file=path) from error
    if variable not in content:
        known = ", ".join(name for name in content if not name.startswith("__")) or "none"
        raise DataError(f"there is no variable {variable} (found: {known})", file=path)
    return content[variable]


def fields_of(struct: Any) -> list[str]:
    """Names of the fields of a struct; of anything else none.

    Parameters
    ----------
    struct : object
        From `load_mat`.

    Returns
    -------
    list of str
        Names.
    """
    return list(getattr(struct, "_fieldnames", []))


def get(struct: Any, name: str, path: str | Path, default: Any = None, where: str = "") -> Any:
    """Field of a struct, dotted for structs in structs.

    Parameters
    ----------
    struct : object
        From `load_mat`.
    name : str
        ``RawData.EegData``, say.
    path : path-like
        For the error.
    default : object, optional
        What to give if it is missing; without, that is an error.
    where : str
        Which struct it is, for the error.

    Returns
    -------
    object
        Its value.

    Raises
    ------
    DataError
        If it is missing, and there is no default.
    """
    value = struct
    for part in name.split("."):
        if part not in fields_of(value):
            if default is not None:
                return default
            raise DataError(
                f"{where + ': ' if where else ''}there is no {name}", file=path, field=name,
                fix="use the files as published",
            )  # fmt: skip
        value = getattr(value, part)
    return value


def rows(value: Any) -> list[Any]:
    """Elements of a cell or struct array, also of one that was squeezed to a single element.

    Parameters
    ----------
    value : object
        From `load_mat`.

    Returns
    -------
    list
        Elements.
    """
    return list(value) if isinstance(value, np.ndarray) and value.ndim else [value]


def cells(value: Any) -> list[Any]:
    """Contents of a cell array, also of a cell of one matrix that was squeezed to the matrix.

    Parameters
    ----------
    value : object
        From `load_mat`.

    Returns
    -------
    list
        Contents.
    """
    inside = isinstance(value, np.ndarray) and value.ndim and value.dtype == object
    return list(value) if inside else [value]
