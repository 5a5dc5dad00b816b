"""Random trials a second from a store of NSD's width, and the memory that takes.

``python -m benchmarks.store --gb 20`` writes the store to a temporary folder, reads random
batches from it in a fresh process, and deletes it again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.machine import save
from neurodecode.recording import Recording
from neurodecode.store import ResponseStore

N_VOXELS = 15_724


class _Repeated:
    """A large recording made of one random block, so that writing it is only disk work."""

    def __init__(self, n_trials: int) -> None:
        self.shape = (n_trials, N_VOXELS)
        self._block = np.random.default_rng(0).normal(size=(4096, N_VOXELS)).astype(np.float16)

    def __getitem__(self, index: slice) -> np.ndarray:
        return self._block[np.arange(index.start, index.stop) % len(self._block)]


def write(path: Path, gigabytes: float) -> ResponseStore:
    """Write a store of about `gigabytes` GB."""
    n_trials = int(gigabytes * 1e9 / (2 * N_VOXELS))
    index = np.arange(n_trials)
    recording = Recording(
        "01", "fmri", _Repeated(n_trials), index.astype(str), index // 750, index // 62
    )
    return ResponseStore.write(path, recording, dataset="benchmark", dtype="float16")


def read(path: Path, n_batches: int, batch_size: int) -> dict[str, float]:
    """Read random batches; report trials a second (median over batches) and peak memory."""
    store = ResponseStore(path)
    rng = np.random.default_rng(1)
    store.read(rng.integers(0, store.n_trials, batch_size))
    seconds = []
    for _ in range(n_batches):
        trials = rng.integers(0, store.n_trials, batch_size)
        start = time.perf_counter()
        store.read(trials)
        seconds.append(time.perf_counter() - start)
    return {
        "trials_per_s_median": round(batch_size / float(np.median(seconds))),
        "trials_per_s_overall": round(batch_size * n_batches / sum(seconds)),
        "peak_resident_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3),
        "file_gb": round(path.stat().st_size / 1e9, 2),
        "n_trials": store.n_trials,
        "batch_size": batch_size,
        "n_batches": n_batches,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=20.0, help="size of the store")
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--folder", type=Path, default=None, help="where to write the store")
    parser.add_argument("--read", type=Path, default=None, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read:
        sys.stdout.write(json.dumps(read(args.read, args.batches, args.batch_size)))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "sub-01.h5"
        start = time.perf_counter()
        write(path, args.gb)
        write_s = time.perf_counter() - start
        # a process of its own, so that its memory is that of reading alone
        command = [sys.executable, "-m", "benchmarks.store", "--read", str(path)]
        command += ["--batches", str(args.batches), "--batch-size", str(args.batch_size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    results = json.loads(done.stdout) | {"write_s": round(write_s, 1)}
    print(save("store", results), json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
