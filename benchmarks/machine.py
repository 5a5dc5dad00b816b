"""What every benchmark result says about where it was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neurodecode.files import write_json

__all__ = ["machine", "save"]

PACKAGES = ("neurodecode", "torch", "numpy", "h5py", "lightning", "diffusers")


def machine() -> dict[str, Any]:
    """Describe machine and versions.

    Returns
    -------
    dict
        Processor, cores, memory in GB, Python and package versions, date (UTC).
    """
    model = (
        next(
            (
                line.split(":", 1)[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            platform.processor(),
        )
        if Path("/proc/cpuinfo").exists()
        else platform.processor()
    )
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


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
