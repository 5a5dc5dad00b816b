"""Wall time, stage by stage, and peak memory of `dvc repro` in a fresh copy of the repository.

``python -m benchmarks.pipeline`` copies what git tracks to a temporary folder, runs the miniature
pipeline there, runs it once more (nothing may happen), and asks what a changed training parameter
would rerun. Ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.machine import save

_STAGE = re.compile(r"Running stage '([^']+)'")
_ROOT = Path(__file__).resolve().parents[1]


def copy_tracked(target: Path) -> None:
    """Copy what git tracks, as it is in the working tree, and start a DVC repository."""
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=_ROOT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, files.split("\0")):
        if name in {"dvc.lock", ".dvc/config"} or not (_ROOT / name).exists():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes((_ROOT / name).read_bytes())
    _dvc(target, "init", "--no-scm", "-q", "-f")
    for option in ("core.analytics", "core.check_update"):
        _dvc(target, "config", option, "false")


def _environment(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # the copy, not the repository that the environment was installed from
    return {**os.environ, "PATH": path, "PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1"}


def _dvc(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(
        command, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=True
    ).stdout


class PeakMemory(threading.Thread):
    """Largest sum of the resident memory of a process and all its children, sampled.

    Parameters
    ----------
    process : psutil.Process
        The process.
    interval : float
        Seconds between samples.
    """

    def __init__(self, process: psutil.Process, interval: float = 0.25) -> None:
        super().__init__(daemon=True)
        self.process, self.interval, self.peak_bytes = process, interval, 0

    def run(self) -> None:
        """Sample until the process ends."""
        while self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for each in [self.process, *self.process.children(recursive=True)]:
                try:
                    total += each.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak_bytes = max(self.peak_bytes, total)
            time.sleep(self.interval)


def repro(folder: Path) -> dict[str, Any]:
    """Run `dvc repro`; give seconds in all and by stage, and peak memory in GB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"], cwd=folder, env=_environment(folder),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
    )  # fmt: skip
    memory = PeakMemory(psutil.Process(process.pid))
    memory.start()
    begun: list[tuple[str, float]] = []
    tail: list[str] = []
    for line in process.stdout or ():
        tail = [*tail[-40:], line]
        if found := _STAGE.search(line):
            begun.append((found[1], time.perf_counter()))
    if process.wait():
        raise SystemExit("dvc repro failed:\n" + "".join(tail))
    end = time.perf_counter()
    stops = [*[moment for _, moment in begun], end][1:]
    return {
        "wall_s": round(end - start, 1),
        "peak_memory_gb": round(memory.peak_bytes / 1e9, 2),
        "stages_s": {
            name: round(stop - moment, 1) for (name, moment), stop in zip(begun, stops, strict=True)
        },
    }


def changed_stages(folder: Path, file: str, old: str, new: str) -> list[str]:
    """Name the stages that DVC would rerun after a change to a file."""
    path = folder / file
    text = path.read_text()
    if old not in text:
        raise SystemExit(f"{file} has no {old!r}")
    path.write_text(text.replace(old, new, 1))
    try:
        status = _dvc(folder, "repro", "--dry")
    finally:
        path.write_text(text)
    return _STAGE.findall(status)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="run in this new folder and leave it there")
    keep = parser.parse_args().keep
    with contextlib.nullcontext(keep) if keep else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=not keep)
        copy_tracked(folder)
        first = repro(folder)
        again = repro(folder)
        changed = changed_stages(folder, "configs/mini/prior.yaml", "warmup: 0.1", "warmup: 0.2")
    results = {
        "first": first,
        "again": {"wall_s": again["wall_s"], "stages": list(again["stages_s"])},
        "after_a_change_of_the_prior": changed,
        "load_before": round(os.getloadavg()[2], 2),
    }
    print(save("pipeline", results), results)


if __name__ == "__main__":
    main()
