"""Is the search model asymmetric as people are? Six pairs of searches, slopes, and the index.

``python -m benchmarks.search_asymmetry --weights FILE`` takes the tower that
configs/pretrain/search_tower.yaml trains, or VGG16 as safetensors (``--pixels-per-degree 30``).
There are 12 pixels per degree, more where a target would be smaller than one cell of the last map,
as in eccNET: 16 for the small discs of `lighting`. Nothing is chosen by the result. With
``--tasks`` the other tasks' results stay in the file as they are.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import save
from neurodecode.files import read_json
from neurodecode.gaze.search import load_stages
from neurodecode.gaze.search_tasks import SEARCH_TASKS
from neurodecode.gaze.search_tasks.asymmetry import measure_asymmetry
from neurodecode.nn.scanpath.search_tower import SearchTower
from neurodecode.nn.scanpath.visual_search import VisualSearch

#: Pixels of one cell of the tower's last map: no target may be smaller.
_CELL = 16
_FILE = Path(__file__).parent / "results" / "search_asymmetry.json"


def _before(weights: Path) -> dict[str, Any]:
    """What was measured with the same tower earlier."""
    found = read_json(_FILE)["results"] if _FILE.is_file() else {}
    return found if found.get("weights") == str(weights) else {}


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--pixels-per-degree", type=float, help="12 or more by default")
    parser.add_argument("--displays", type=int, default=20)
    parser.add_argument("--tasks", nargs="*", default=list(SEARCH_TASKS))
    args = parser.parse_args()
    stages = load_stages(args.weights)
    results = _before(args.weights)
    for name in args.tasks:
        task = SEARCH_TASKS[name]
        ppd = args.pixels_per_degree or max(12.0, math.ceil(_CELL / task.item))
        # one cell of the display is not looked at twice
        search = VisualSearch(SearchTower(stages, ppd), SearchTower(stages), round(task.cell * ppd))
        found = measure_asymmetry(search, task, ppd=ppd, n_displays=args.displays)
        results[name] = {**asdict(found), "displays": args.displays, "pixels_per_degree": ppd}
        print(name, results[name], flush=True)
    save("search_asymmetry", {**results, "weights": str(args.weights)})


if __name__ == "__main__":
    main()
