"""How long a user waits for the first line: ``python -m benchmarks.start``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.machine import save

_COMMANDS = {
    "python": ["-c", "pass"],
    "import_neurodecode": ["-c", "import neurodecode"],
    "help": ["-m", "neurodecode.cli", "--help"],
}


def seconds(arguments: list[str], runs: int = 7) -> float:
    """Median wall time of a Python command."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return round(statistics.median(times), 3)


def main() -> None:
    """Time the commands; ``python`` is the empty interpreter, to compare with."""
    results = {name: seconds(arguments) for name, arguments in _COMMANDS.items()}
    print(save("start", results), results)


if __name__ == "__main__":
    main()
