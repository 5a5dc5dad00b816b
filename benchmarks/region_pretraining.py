"""A step of masked pretraining on region time series: seconds and memory.

``python -m benchmarks.region_pretraining`` makes one step of `PretrainRegions`' loss (forward,
backward, AdamW) on 400 regions x 200 volumes, batch 64, in a process of its own; on an accelerator
if there is one, in bfloat16 there. Batches that do not fit are made of several smaller ones whose
gradients are added up (``--micro``), as ``trainer.accumulate_grad_batches`` does.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import save


def measure(args: argparse.Namespace) -> dict[str, object]:
    """Time steps after a first one that does not count."""
    import torch

    from neurodecode.nn.regions import MaskedRegions
    from neurodecode.nn.regions.masked import masked_error, random_mask

    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = MaskedRegions(
        args.regions, args.volumes, patch=args.patch, width=args.width, depth=args.depth
    ).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    shape = (args.micro, args.regions, args.volumes // args.patch)
    series = torch.randn(args.micro, args.regions, args.volumes, device=device)
    seconds = []
    for _ in range(args.steps + 1):
        start = time.perf_counter()
        for _ in range(args.batch // args.micro):
            hidden = random_mask(shape, 0.6, 0.5).to(device)
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                loss = masked_error(model(series, hidden), model.patches(series), hidden)
            (loss * args.micro / args.batch).backward()
        optimizer.step()
        optimizer.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else _peak_resident()
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu (none other here)",
        "threads": torch.get_num_threads(),
        "seconds_a_step": round(statistics.median(seconds[1:]), 2),
        "peak_gb": round(peak / 1e9, 2),
        "n_parameters": sum(each.numel() for each in model.parameters()),
    }


def _peak_resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in {
        "regions": 400, "volumes": 200, "batch": 64, "micro": 8, "patch": 10, "width": 64,
        "depth": 4, "steps": 3,
    }.items():  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        sys.stdout.write(json.dumps(measure(args)))
        return
    # a process of its own, so that its memory is that of training alone
    command = [sys.executable, "-m", "benchmarks.region_pretraining", "--inside"]
    command += sys.argv[1:]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    settings = {name: value for name, value in vars(args).items() if name != "inside"}
    results = {**settings, **json.loads(done.stdout)}
    print(save("region_pretraining", results), json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
