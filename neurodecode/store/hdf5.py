"""Opening HDF5 files so that every failure names the file and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from neurodecode.errors import DataError

__all__ = [
    "FORMAT_VERSION",
    "get_dataset",
    "open_hdf5",
    "open_store",
    "read_strings",
    "write_strings",
]

#: Raised whenever the layout of a store changes; older stores are refused by name.
FORMAT_VERSION = 1


def open_hdf5(path: str | Path, mode: str = "r") -> h5py.File:
    """Open an HDF5 file.

    Parameters
    ----------
    path : path-like
        File to open.
    mode : {"r", "r+"}
        As in h5py.

    Returns
    -------
    h5py.File
        The open file.

    Raises
    ------
    DataError
        If the file is missing, truncated or not HDF5.
    """
    if not Path(path).is_file():
        raise DataError("file is missing", file=path, fix="check the path or download it again")
    try:
        return h5py.File(path, mode)
    except OSError as error:
        reason = "file is truncated" if "truncated" in str(error) else "not a readable HDF5 file"
        raise DataError(reason, file=path, fix="download or make it again") from error


def get_dataset(file: h5py.File, key: str) -> h5py.Dataset:
    """Get a data set by key.

    Parameters
    ----------
    file : h5py.File
        Open file.
    key : str
        Name of the data set.

    Returns
    -------
    h5py.Dataset
        The data set.

    Raises
    ------
    DataError
        If there is no such data set; the known keys are listed.
    """
    item = file.get(key)
    if not isinstance(item, h5py.Dataset):
        known = ", ".join(sorted(file)) or "none"
        raise DataError(f"data set is missing (found: {known})", file=file.filename, field=key)
    return item


def open_store(path: str | Path, kind: str, mode: str = "r") -> h5py.File:
    """Open one of our own stores, checking kind and version.

    Parameters
    ----------
    path : path-like
        File to open.
    kind : str
        What the file must hold ("responses", "stimuli", "embeddings", "predictions").
    mode : {"r", "r+"}
        As in h5py.

    Returns
    -------
    h5py.File
        The open file.

    Raises
    ------
    DataError
        If the file is not such a store, or was written by another version of the format.
    """
    file = open_hdf5(path, mode)
    found, version = file.attrs.get("kind"), file.attrs.get("format_version")
    if found != kind or version != FORMAT_VERSION:
        file.close()
        if found == kind:
            problem = f"store has format version {version}, this program writes {FORMAT_VERSION}"
        else:
            problem = f"not a store of {kind}"
        raise DataError(problem, file=path, fix="delete it and run `dvc repro` again")
    return file


def write_strings(group: h5py.Group, name: str, values: Sequence[str]) -> None:
    """Write a list of strings as UTF-8.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    name : str
        Name of the data set.
    values : sequence of str
        The strings.
    """
    group.create_dataset(name, data=np.array(values, dtype=object), dtype=h5py.string_dtype())


def read_strings(dataset: h5py.Dataset) -> list[str]:
    """Read a list of strings.

    Parameters
    ----------
    dataset : h5py.Dataset
        One-dimensional string data set.

    Returns
    -------
    list of str
        The strings.
    """
    return [str(value) for value in dataset.asstr()[:]]
