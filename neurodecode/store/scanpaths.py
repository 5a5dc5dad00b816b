"""Scanpaths on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from neurodecode.errors import DataError
from neurodecode.files import atomic_path
from neurodecode.scanpaths import Scanpaths
from neurodecode.scanpaths.container import LABELS
from neurodecode.store.hdf5 import (
    FORMAT_VERSION,
    get_dataset,
    open_store,
    read_strings,
    write_strings,
)

__all__ = ["get_scanpaths", "put_scanpaths", "read_scanpaths", "scanpath_attrs", "write_scanpaths"]


def write_scanpaths(
    path: str | Path, scanpaths: Scanpaths, attrs: Mapping[str, Any] | None = None
) -> None:
    """Write scanpaths, complete or not at all.

    Parameters
    ----------
    path : path-like
        File to write.
    scanpaths : Scanpaths
        What to store.
    attrs : mapping, optional
        Plain JSON values: how they came about (method, seed, fold).

    Raises
    ------
    DataError
        If there is no space for them.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
        file.attrs.update(
            kind="scanpaths",
            format_version=FORMAT_VERSION,
            attrs=json.dumps(dict(attrs or {}), sort_keys=True),
        )
        put_scanpaths(file, scanpaths)


def put_scanpaths(group: h5py.Group, scanpaths: Scanpaths) -> None:
    """Write scanpaths into an open file.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    scanpaths : Scanpaths
        What to store.
    """
    group.attrs.update(
        pixels_per_degree=scanpaths.pixels_per_degree, size=json.dumps(scanpaths.size)
    )
    for name in ("x", "y", "duration", "offsets"):
        group[name] = getattr(scanpaths, name)
    for name in LABELS:
        write_strings(group, name, getattr(scanpaths, name).tolist())


def get_scanpaths(group: h5py.Group) -> Scanpaths:
    """Read scanpaths from an open file.

    Parameters
    ----------
    group : h5py.Group
        Written by `put_scanpaths`.

    Returns
    -------
    Scanpaths
        All of them.

    Raises
    ------
    DataError
        If an array is missing, or the arrays do not fit together.
    """
    file, prefix = group.file, group.name.rstrip("/")
    numbers = ("x", "y", "duration", "offsets")
    arrays = {name: get_dataset(file, f"{prefix}/{name}")[...] for name in numbers}
    labels = {name: read_strings(get_dataset(file, f"{prefix}/{name}")) for name in LABELS}
    try:
        return Scanpaths(
            **arrays,
            **labels,
            size=json.loads(group.attrs["size"]),
            pixels_per_degree=float(group.attrs["pixels_per_degree"]),
        )
    except DataError as error:
        raise DataError(
            error.problem, file=file.filename, field=error.field, fix="make the file again"
        ) from error


def read_scanpaths(path: str | Path) -> Scanpaths:
    """Read scanpaths.

    Parameters
    ----------
    path : path-like
        File written by `write_scanpaths`.

    Returns
    -------
    Scanpaths
        All of them.

    Raises
    ------
    DataError
        If the file is missing, is something else, or its arrays do not fit together.
    """
    with open_store(path, "scanpaths") as file:
        return get_scanpaths(file)


def scanpath_attrs(path: str | Path) -> dict[str, Any]:
    """Read how stored scanpaths came about.

    Parameters
    ----------
    path : path-like
        File written by `write_scanpaths`.

    Returns
    -------
    dict
        What was given as `attrs`.

    Raises
    ------
    DataError
        If the file is missing or is something else.
    """
    with open_store(path, "scanpaths") as file:
        return json.loads(file.attrs["attrs"])
