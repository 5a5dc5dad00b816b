"""Peak memory of a piece of work, on a GPU or in a process on Linux."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

__all__ = ["Peak", "available_bytes", "peak_memory"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Peak:
    """Bytes above what was held before; None where the system does not tell."""

    bytes: int | None = None


def available_bytes(device: str) -> int:
    """Memory that is free.

    Parameters
    ----------
    device : str
        ``cpu`` or ``cuda``.

    Returns
    -------
    int
        Bytes.
    """
    if device == "cuda":
        return torch.cuda.mem_get_info()[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def peak_memory(device: str) -> Iterator[Peak]:
    """Measure what a block needs at most.

    Parameters
    ----------
    device : str
        ``cpu`` or ``cuda``.

    Yields
    ------
    Peak
        Filled in when the block has ended.
    """
    peak = Peak()
    if device == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        yield peak
        torch.cuda.synchronize()
        peak.bytes = torch.cuda.max_memory_allocated() - before
        return
    known = _forget_peak()
    before = _read("VmRSS")
    yield peak
    if known:
        peak.bytes = max(0, _read("VmHWM") - before)


def _forget_peak() -> bool:
    """Let the process's peak start again from now on; False where that is not possible."""
    try:
        # what was freed goes back, so that it counts again when it is taken
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


def _read(field: str) -> int:
    if not _STATUS.exists():
        return 0
    lines = _STATUS.read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)
