"""Every attention mechanism over lengths: ``neurodecode bench attention``, for `benchmarks.run`."""

from __future__ import annotations

import sys
from pathlib import Path

from neurodecode.cli import main

OUT = Path(__file__).parent / "results" / "attention.json"

if __name__ == "__main__":
    raise SystemExit(main(["bench", "attention", "--out", str(OUT), *sys.argv[1:]]))
