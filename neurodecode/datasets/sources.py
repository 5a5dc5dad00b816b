"""Where the numbers came from."""

from __future__ import annotations

from pathlib import Path

from neurodecode.files import sha256
from neurodecode.recording import Source

__all__ = ["source"]

_LARGE_BYTES = 256 << 20


def source(path: str | Path) -> Source:
    """Name a file with its checksum.

    Parameters
    ----------
    path : path-like
        An existing file.

    Returns
    -------
    Source
        With an empty checksum for files above 256 MiB.
    """
    large = Path(path).stat().st_size > _LARGE_BYTES
    return Source(str(path), "" if large else sha256(path))
