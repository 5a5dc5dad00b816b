"""Seconds and memory from 20 minutes of 272-channel MEG at 1200 Hz to epochs.

``python -m benchmarks.preprocessing`` writes a recording of noise with triggers as FIF, cuts it
into epochs in a fresh process, and deletes it again.
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

SFREQ, INTERVAL_S = 1200.0, 1.5


def write(path: Path, n_channels: int, minutes: float) -> int:
    """Write a run of `minutes` with a trigger every 1.5 s; return how many there are."""
    import mne

    helmet = mne.channels.read_meg_canonical_info("ctf275")
    info = mne.pick_info(helmet, np.arange(n_channels))
    n_samples = round(minutes * 60 * SFREQ)
    names = [*info["ch_names"], "STI 014"]
    whole = mne.create_info(names, SFREQ, ["mag"] * n_channels + ["stim"])
    for channel, known in zip(whole["chs"], info["chs"], strict=False):
        for key in ("coil_type", "loc", "coord_frame", "kind", "unit"):
            channel[key] = known[key]
    rng = np.random.default_rng(0)
    data = np.empty((n_channels + 1, n_samples), dtype=np.float64)
    for channel in range(n_channels):
        data[channel] = 1e-12 * rng.standard_normal(n_samples)
    onset = np.arange(int(2 * SFREQ), n_samples - int(2 * SFREQ), int(INTERVAL_S * SFREQ))
    data[-1] = 0
    data[-1, onset] = 1
    mne.io.RawArray(data, whole, copy=None, verbose="ERROR").save(path, verbose="ERROR")
    return len(onset)


def measure(path: Path, recipe_file: str) -> dict[str, float]:
    """Cut the run into epochs; report seconds, peak memory and the size of the result."""
    import mne

    from neurodecode.datasets.triggers import find_triggers
    from neurodecode.preprocess.epochs import epoch_run
    from neurodecode.preprocess.recipe import read_recipe

    recipe = read_recipe(recipe_file)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    raw = mne.io.read_raw_fif(path, verbose="ERROR")
    onset, _ = find_triggers(raw, "STI 014", path)
    found = epoch_run(raw, onset, recipe)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1
        ),
        "peak_resident_gb": round(_peak_kilobytes() / 1e6, 2),
        "n_epochs": len(found.data),
        "epoch_shape": list(found.data.shape[1:]),
    }


def _peak_kilobytes() -> int:
    """Peak of this program alone; `ru_maxrss` starts with that of the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--channels", type=int, default=272)
    parser.add_argument("--recipe", default="configs/preprocess/meg_real_time.yaml")
    parser.add_argument("--folder", type=Path, default=None, help="where to write the recording")
    parser.add_argument("--read", type=Path, default=None, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read:
        sys.stdout.write(json.dumps(measure(args.read, args.recipe)))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "run-01_raw.fif"
        write(path, args.channels, args.minutes)
        # a process of its own, so that its memory is that of preprocessing alone
        command = [sys.executable, "-m", "benchmarks.preprocessing", "--read", str(path)]
        command += ["--recipe", args.recipe]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    results = json.loads(done.stdout)
    results |= {"minutes": args.minutes, "channels": args.channels, "recipe": args.recipe}
    print(save("preprocessing", results), json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
