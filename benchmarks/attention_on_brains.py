"""Mechanisms compared on V4: ``neurodecode bench attention --brains``, for `benchmarks.run`.

Two sessions and short trainings: what can be told apart is said by the intervals.
"""

from __future__ import annotations

import sys
from pathlib import Path

from neurodecode.cli import main

OUT = Path(__file__).parent / "results" / "attention_on_brains.json"
STORES = Path("data/stores/v4")
WORDS = ["--subjects", "201025", "210225", "--epochs", "8"]

if __name__ == "__main__":
    if not STORES.is_dir():
        sys.exit(f"no {STORES}: make it with `make real DATA=FOLDER`")
    command = ["bench", "attention", "--brains", str(STORES), "--out", str(OUT)]
    raise SystemExit(main([*command, *WORDS, *sys.argv[1:]]))
