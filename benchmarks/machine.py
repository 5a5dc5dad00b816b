"""Where results of benchmarks lie, and what all of them say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neurodecode.bench.machine import machine
from neurodecode.files import write_json

__all__ = ["machine", "save"]


def save(name: str, results: dict[str, Any]) -> Path:
    """Write `benchmarks/results/<name>.json`.

    Parameters
    ----------
    name : str
        Name of the benchmark.
    results : dict
        What was measured.

    Returns
    -------
    Path
        The file.
    """
    path = Path(__file__).parent / "results" / f"{name}.json"
    write_json(path, {"benchmark": name, "machine": machine(), "results": results})
    return path
