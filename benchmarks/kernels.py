"""Time and memory of every kernel: of its bound, and beside other ways to the same.

``python -m benchmarks.kernels`` needs a GPU. At each shape the kernel is first compared with its
reference in float32; where they disagree no time is printed, and the command fails at the end.
Without a GPU the results file says so and keeps what was measured last, dated; ``--small`` then
compares kernels and references in Triton's interpreter (``TRITON_INTERPRET=1``).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.kernel_cases import Case, cases
from benchmarks.machine import machine, save

#: Bytes and dense operations in bfloat16 a second, by the vendor's data sheets.
DEVICES = {"H200": (4.8e12, 989e12), "H100": (3.35e12, 989e12), "A100": (2.04e12, 312e12)}
#: Largest difference, of the largest value there is.
TOLERANCE = {torch.float32: 2e-3, torch.bfloat16: 2e-2, torch.float16: 4e-3}


def disagreement(case: Case) -> str | None:
    """Compare the kernel with its reference; a reason not to time it, or None."""
    found, expected = case.run("triton"), case.reference()
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        if one.shape != other.shape:
            return f"output {number} has shape {tuple(one.shape)}, not {tuple(other.shape)}"
        apart = (one.float() - other.float()).abs().max() / other.float().abs().max()
        # written so that NaN disagrees
        if not bool(apart <= TOLERANCE[one.dtype]):
            return f"output {number} differs from the reference by {float(apart):.2g}"
    return None


def measure(run: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Median time of a run after three to warm up, and memory above what was held before."""
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    held = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(repeats):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        stop.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(stop))
    peak = torch.cuda.max_memory_allocated() - held
    return {"ms": float(f"{statistics.median(times):.4g}"), "peak_mb": round(peak / 1e6, 1)}


def row(case: Case, repeats: int, timed: bool) -> dict[str, Any]:
    """All there is to say about a kernel at one shape."""
    made: dict[str, Any] = {"kernel": case.kernel, "shape": case.shape}
    if problem := disagreement(case):
        return made | {"refused": problem}
    made["agrees"] = True
    if not timed:
        return made
    made |= measure(lambda: case.run("triton"), repeats)
    limits = next((v for k, v in DEVICES.items() if k in torch.cuda.get_device_name()), None)
    if limits and case.work:
        made["bound_ms"] = float(f"{1e3 * case.work.seconds(*limits):.4g}")
        made["percent_of_bound"] = round(100 * made["bound_ms"] / made["ms"], 1)
    made["others"] = {}
    for name, rival in case.rivals.items():
        try:
            other = measure(rival, repeats)
        except (RuntimeError, torch.cuda.OutOfMemoryError) as error:
            made["others"][name] = {"failed": str(error).splitlines()[0][:120]}
            torch.cuda.empty_cache()
            continue
        made["others"][name] = other | {"ratio": round(other["ms"] / made["ms"], 2)}
    return made


def last_measured() -> dict[str, Any] | None:
    """What a machine with a GPU measured last, with its date."""
    path = Path(__file__).parent / "results" / "kernels.json"
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    if "rows" in content["results"]:
        return {"machine": content["machine"], **content["results"]}
    return content["results"].get("last_measured")


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; 1 if a kernel disagrees with its reference."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="small shapes, compared only")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--no-save", action="store_true", help="print only")
    args = parser.parse_args(argv)
    cuda = torch.cuda.is_available()
    results: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    if cuda or args.small:
        start = time.perf_counter()
        torch.manual_seed(0)
        for case in cases("cuda" if cuda else "cpu", args.small):
            rows.append(row(case, args.repeats, timed=cuda and not args.small))
            print(json.dumps(rows[-1]), flush=True)
        results["seconds"] = round(time.perf_counter() - start, 1)
    if cuda and not args.small:
        results |= {"device": torch.cuda.get_device_name(), "rows": rows}
    else:
        where = "no accelerator on this machine" if not cuda else "small shapes: nothing timed"
        results |= {"device": f"{where} ({machine()['date']}); no time was measured"}
        results |= {"compared": rows, "last_measured": last_measured()}
    if not args.no_save:
        print(save("kernels", results))
    return int(any("refused" in each for each in rows))


if __name__ == "__main__":
    raise SystemExit(main())
