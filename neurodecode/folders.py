"""Folders that are complete or not there at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp

from neurodecode.errors import naming_full_disk

__all__ = ["atomic_folder", "reserve"]


@contextmanager
def atomic_folder(out: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder; move its content to `out` only if the block succeeds.

    Parameters
    ----------
    out : path-like
        The folder to fill.
    replace : bool
        Whether what is in `out` goes away; otherwise files of the same name are replaced and
        others stay.

    Yields
    ------
    Path
        Where to write, on the same disk.

    Raises
    ------
    DataError
        If the disk is full; `out` is untouched then.
    """
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        with naming_full_disk(out):
            yield temporary
            if replace and out.is_dir():
                shutil.rmtree(out)
            out.mkdir(exist_ok=True)
            for item in sorted(temporary.iterdir()):
                os.replace(item, out / item.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def reserve(folder: str | Path, n_bytes: int) -> None:
    """Make sure that a folder can take a file of some size, before anything is written.

    HDF5 can crash the whole process if the disk fills up while a file is open: better to know
    before.

    Parameters
    ----------
    folder : path-like
        Existing folder.
    n_bytes : int
        Size of what will be written.

    Raises
    ------
    OSError
        If the disk, a quota or a limit on the size of files does not allow it; `atomic_path` and
        `atomic_folder` turn it into a `DataError`.
    """
    if n_bytes <= 0:
        return
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise OSError(errno.ENOSPC, f"No space left for {n_bytes} bytes, {free} are free")
    if hasattr(os, "posix_fallocate"):
        with TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, n_bytes)
