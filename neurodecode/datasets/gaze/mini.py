"""The miniature world's viewers, through the readers of COCO-Search18 and COCO-FreeView."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from neurodecode.datasets.gaze.base import GAZE_DATASETS, GazeData
from neurodecode.datasets.gaze.coco_search import read_coco_freeview, read_coco_search18
from neurodecode.errors import DataError
from neurodecode.files import read_json
from neurodecode.scanpaths import Scanpaths

__all__ = ["read_mini_gaze"]


@GAZE_DATASETS.register("mini-gaze")
def read_mini_gaze(root: Path) -> GazeData:
    """Read what ``neurodecode simulate --world gaze`` wrote.

    Parameters
    ----------
    root : Path
        Its folder.

    Returns
    -------
    GazeData
        Search, free and captioned viewing together.

    Raises
    ------
    DataError
        If a file is missing or broken.
    """
    world = read_json(root / "world.json")
    try:
        screen = tuple(int(side) for side in world["screen"])
        degree = float(world["pixels_per_degree"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"not the description of a world ({error})", file=root / "world.json",
            fix="run simulate again",
        ) from error  # fmt: skip
    parts = [read_coco_search18(root, screen), read_coco_freeview(root, screen)]
    together = Scanpaths.concatenate([part.scanpaths for part in parts])
    info = {key: np.concatenate([part.info[key] for part in parts]) for key in ("split", "correct")}
    info["n_still"] = sum(part.info["n_still"] for part in parts)
    return GazeData(
        "mini-gaze",
        replace(together, pixels_per_degree=degree),
        pictures=parts[0].pictures,
        objects=parts[0].objects,
        files=tuple(path for part in parts for path in part.files),
        info=info,
    )
