"""Writing files so that nothing is ever half-written, and naming them by content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurodecode.errors import DataError, naming_full_disk

__all__ = ["atomic_path", "read_json", "sha256", "write_json"]


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there only if the block succeeds.

    Parameters
    ----------
    path : path-like
        The file that shall exist, complete, or not at all. Its folder is made.

    Yields
    ------
    Path
        Where to write. Same folder and suffix, so that the final rename is atomic.

    Raises
    ------
    DataError
        If the disk, a quota or a limit on the size of files does not allow it; whatever was at
        `path` before is untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        with naming_full_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes.

    Parameters
    ----------
    path : path-like
        An existing file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN and infinity are refused.

    Parameters
    ----------
    path : path-like
        Target file.
    content : JSON-serialisable object
        What to write. Key order is kept.
    """
    text = json.dumps(content, indent=1, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : path-like
        File to read.

    Returns
    -------
    object
        The parsed content.

    Raises
    ------
    DataError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError("file is missing", file=path, fix="run the stage that makes it") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"not valid JSON ({error})", file=path, fix="restore the file") from error
