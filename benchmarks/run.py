"""All benchmarks, one after the other: ``make bench``, or ``python -m benchmarks.run store``."""

from __future__ import annotations

import argparse
import subprocess
import sys

#: Benchmark modules, and what `make bench` gives them.
BENCHMARKS: dict[str, list[str]] = {
    "start": [],
    "store": ["--gb", "20"],
    "training_step": [],
    "prior_sampling": [],
    "pipeline": [],
    "banks": [],
    "attention": [],
    "attention_on_brains": [],
    "ridge": [],
    "kernels": [],
    "preprocessing": [],
    "streaming": [],
    "scanpath_metrics": [],
    "trf": [],
    "nevaclip": [],
    "false_positives": [],
    "region_pretraining": [],
}


def main() -> None:
    """Run the benchmarks that were asked for, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default"
    )
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    for name in names:
        print(f"benchmark {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *BENCHMARKS[name]], check=True)


if __name__ == "__main__":
    main()
