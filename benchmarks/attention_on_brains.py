"""Mechanisms compared on brains: ``neurodecode bench attention --brains``, for `benchmarks.run`.

V4 (two sessions, a convolutional core of its own, patches that attend to one another) and the
miniature world (two subjects, frozen mini-CLIP, once the queries of regions and once the patches).
What each training predicted is kept in ``runs/bench``; a run that was stopped goes on from there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from neurodecode.cli import main

OUT = Path(__file__).parent / "results" / "attention_on_brains.json"
V4, MINI = Path("data/stores/v4"), Path("data/stores/mini-fmri")
WORDS = {
    V4: ["--subjects", "201025", "210225", "--epochs", "14", "--batch-size", "32"],
    MINI: ["--subjects", "01", "02", "--epochs", "10", "--batch-size", "64", "--tower", "mini-clip",
           "--queries", "region"],
}  # fmt: skip
COMPARISONS = ((V4, "patches"), (MINI, "queries"), (MINI, "patches"))

if __name__ == "__main__":
    for stores, _ in COMPARISONS:
        if not stores.is_dir():
            sys.exit(f"no {stores}: make it with `make real DATA=FOLDER` and `make repro`")
    for stores, among in COMPARISONS:
        keep = Path("runs/bench") / stores.name / among
        command = ["bench", "attention", "--brains", str(stores), "--among", among]
        where = ["--keep", str(keep), "--out", str(OUT)]
        if code := main([*command, *WORDS[stores], *where, *sys.argv[1:]]):
            raise SystemExit(code)
