"""Banks of a million vectors: recall against exact search, latency, size, building time.

``python -m benchmarks.banks`` (needs FAISS). The vectors are synthetic: unit vectors around random
centres, in a space in which few directions matter. Recall depends on that structure, so these
figures compare the indices with each other and say what they cost; on real embeddings recall will
differ.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import save
from neurodecode.banks import Bank, BankOptions, build_bank
from neurodecode.banks.searcher import Searcher

N_CENTRES, RANK, SPREAD, NOISE = 20_000, 96, 0.55, 0.35
INDICES = {
    "flat": BankOptions(index="flat", dtype="float32"),
    "ivfpq": BankOptions(index="ivfpq", dtype="float16", n_lists=2048, n_bytes=96, n_train=100_000),
}
#: Settings of the search of each index: lists looked through, candidates compared exactly.
SETTINGS = {"flat": [(1, 0)], "ivfpq": [(8, 10), (32, 0), (32, 10), (128, 10), (128, 30)]}
TOP = 10


class Synthetic:
    """Unit vectors around centres, the same for any division into blocks of 4096.

    A centre is ``RANK`` normal numbers sent to `dim` by a random matrix with a falling spectrum; a
    vector is a centre plus ``SPREAD`` times another such draw.
    """

    def __init__(self, n: int, dim: int) -> None:
        rng = np.random.default_rng(0)
        self.ids, self.captions = [f"v{i}" for i in range(n)], [""] * n
        self.dim = dim
        scale = (1 + np.arange(RANK)) ** -0.5
        self.basis = (scale[:, None] * rng.normal(size=(RANK, dim))).astype(np.float32)
        self.centres = rng.normal(size=(N_CENTRES, RANK)).astype(np.float32)
        self.embedding = {
            "name": "synthetic", "array": "pooled", "fingerprint": "synthetic",
            "provenance": {"n_centres": N_CENTRES, "rank": RANK, "spread": SPREAD},
        }  # fmt: skip

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows; `start` is a multiple of 4096."""
        rng = np.random.default_rng([1, start])
        own = rng.integers(N_CENTRES, size=stop - start)
        draw = rng.normal(size=(stop - start, RANK)).astype(np.float32)
        return (self.centres[own] + SPREAD * draw) @ self.basis


def queries(bank: Bank, n: int) -> np.ndarray:
    """Rows of the bank with noise of `NOISE` times their length, as a decoder leaves them."""
    rng = np.random.default_rng(2)
    rows = bank.vectors[np.sort(rng.choice(bank.n, n, replace=False))].astype(np.float32)
    return rows + NOISE / np.sqrt(bank.dim) * rng.normal(size=rows.shape).astype(np.float32)


def build(folder: Path, name: str, n: int, dim: int) -> dict[str, Any]:
    """Build a bank; seconds, and gigabytes on disk."""
    start, worked = time.perf_counter(), time.process_time()
    bank = build_bank(Synthetic(n, dim), folder / name, INDICES[name], quiet=True)
    seconds, busy = time.perf_counter() - start, time.process_time() - worked
    size = {path.name: path.stat().st_size for path in bank.path.iterdir()}
    return {
        "build_s": round(seconds),
        "build_cpu_s": round(busy),
        "disk_gb": round(sum(size.values()) / 1e9, 2),
        "index_gb": round(size.get("lists.bin", 0) / 1e9, 3),
        **_peak(),
    }


def look(folder: Path, name: str, n_queries: int) -> dict[str, Any]:
    """Search a bank: latency of one query and of a batch, and what was found."""
    start = time.perf_counter()
    bank = Bank(folder / name)
    asked = queries(bank, n_queries)
    results: dict[str, Any] = {}
    for n_probe, refine in SETTINGS[name]:
        searcher = Searcher(bank, n_probe=n_probe, refine=refine)
        begun = time.perf_counter()
        _, rows = searcher(asked, TOP)
        batch = time.perf_counter() - begun
        seconds, busy = [], []
        for query in asked[: 5 if name == "flat" else 100]:
            begun, worked = time.perf_counter(), time.process_time()
            searcher(query[None], TOP)
            seconds.append(time.perf_counter() - begun)
            busy.append(time.process_time() - worked)
        key = name if name == "flat" else f"ivfpq-probe{n_probe}-refine{refine}"
        np.save(folder / f"{key}.npy", rows)
        results[key] = {
            "one_query_ms_median": round(1e3 * float(np.median(seconds)), 2),
            "one_query_ms_p95": round(1e3 * float(np.quantile(seconds, 0.95)), 2),
            # other work on the machine does not count here
            "one_query_cpu_ms_mean": round(1e3 * float(np.mean(busy)), 2),
            "batch_ms_per_query": round(1e3 * batch / n_queries, 2),
        }
    return {"searches": results, "all_s": round(time.perf_counter() - start, 1), **_peak()}


def _peak() -> dict[str, float]:
    # resident pages of mapped files count here too, though the system may drop them
    return {"peak_resident_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)}


def _apart(folder: Path, *words: object) -> dict[str, Any]:
    """Run a part in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "benchmarks.banks", "--folder", str(folder)]
    command += [str(word) for word in words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    return json.loads(done.stdout)


def _recalls(folder: Path) -> dict[str, dict[str, float]]:
    exact = np.load(folder / "flat.npy")
    found = {}
    for path in sorted(folder.glob("ivfpq-*.npy")):
        rows = np.load(path)
        shares = [len(set(a) & set(b)) / TOP for a, b in zip(rows.tolist(), exact.tolist())]
        best = (rows[:, 0] == exact[:, 0]).mean()
        found[path.stem] = {
            f"recall_{TOP}_of_{TOP}": round(float(np.mean(shares)), 4),
            "best_found_first": round(float(best), 4),
        }
    return found


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=None, help="where the banks are built")
    parser.add_argument("--part", nargs=2, default=None, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        work, name = args.part
        given = (args.n, args.dim) if work == "build" else (args.queries,)
        part = {"build": build, "look": look}[work](args.folder, name, *given)
        sys.stdout.write(json.dumps(part))
        return
    folder = Path(tempfile.mkdtemp(dir=args.folder))
    try:
        results = _measure(folder, args)
    finally:
        shutil.rmtree(folder)
    print(save("banks", results), json.dumps(results, indent=1))


def _measure(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    built, searches, memory = {}, {}, {}
    for name in INDICES:
        size = ("--n", args.n, "--dim", args.dim)
        built[name] = _apart(folder, *size, "--part", "build", name)
        looked = _apart(folder, "--queries", args.queries, "--part", "look", name)
        memory[name] = looked["peak_resident_gb"]
        searches |= looked["searches"]
    for key, recall in _recalls(folder).items():
        searches[key] |= recall
    return {
        "vectors": {
            "n": args.n, "dim": args.dim, "n_queries": args.queries, "top": TOP,
            "kind": "synthetic unit vectors, not embeddings of pictures: random centres plus"
            " random offsets, in few directions with a falling spectrum; queries are rows with"
            " noise",
            "n_centres": N_CENTRES, "rank": RANK, "spread": SPREAD, "query_noise": NOISE,
        },
        "load_average": round(os.getloadavg()[1], 1),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "faiss": importlib.metadata.version("faiss-cpu"),
        "build": built,
        "search": searches,
        "search_peak_resident_gb": memory,
    }  # fmt: skip


if __name__ == "__main__":
    main()
