"""Every attention mechanism over lengths: ``neurodecode bench attention``, for `benchmarks.run`."""

from __future__ import annotations

import sys
from pathlib import Path

from neurodecode.cli import main

OUT = Path(__file__).parent / "results" / "attention.json"
#: 456 runs, of which those that would take longer are left out and say so.
WORDS = ["--seconds", "1.5", "--repeats", "1"]

if __name__ == "__main__":
    raise SystemExit(main(["bench", "attention", "--out", str(OUT), *WORDS, *sys.argv[1:]]))
