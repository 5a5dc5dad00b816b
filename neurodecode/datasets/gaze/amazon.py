"""Amazon book covers: search for one of 84 covers (Barz et al.; DFKI search target inference)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.datasets.gaze.base import GAZE_DATASETS, GazeData, PictureFiles
from neurodecode.errors import DataError
from neurodecode.files import read_json
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["read_amazon"]


@GAZE_DATASETS.register("amazon")
def read_amazon(root: Path) -> GazeData:
    """Read ``Amazon.json``: 100 collages, 6 viewers, the box of the target; no durations.

    From the repository DFKI-Interactive-Machine-Learning/STI-Dataset (CC BY-NC-SA 4.0), folder
    ``AmazonCovers``; the pictures are a separate download (folder ``images`` here).

    Parameters
    ----------
    root : Path
        Folder with ``Amazon.json``.

    Returns
    -------
    GazeData
        The only object known of a collage is the target, under its own name.

    Raises
    ------
    DataError
        If the file is missing or has another schema; the key is named.
    """
    path = root / "Amazon.json"
    content = read_json(path)
    if not isinstance(content, dict):
        raise DataError("not a table of collages", file=path, fix="download it again")
    found, objects, n_empty = [], {}, 0
    for name, entry in content.items():
        size = tuple(int(_get(entry, path, name, "size", key)) for key in ("width", "height"))
        low = [float(_get(entry, path, name, "ground_truth", key)) for key in ("xmin", "ymin")]
        high = [float(_get(entry, path, name, "ground_truth", key)) for key in ("xmax", "ymax")]
        target = str(_get(entry, path, name, "target"))
        objects[name] = Objects(np.array([[*low, *np.subtract(high, low)]]), np.array([target]))
        for viewer, fixations in _get(entry, path, name, "fixations").items():
            if not len(fixations):
                n_empty += 1
                continue
            x, y = np.array(fixations, np.float32).reshape(-1, 2).T
            unknown = np.full(len(x), np.nan)
            found.append(Scanpath(x, y, unknown, viewer, name, "search_present", target, size=size))
    return GazeData(
        "amazon",
        Scanpaths.from_list(found),
        pictures=PictureFiles.in_folder(root / "images"),
        objects=objects,
        files=(path,),
        info={"n_empty": n_empty},
    )


def _get(entry: Mapping[str, Any], path: Path, name: str, *keys: str) -> Any:
    for key in keys:
        if not isinstance(entry, Mapping) or key not in entry:
            raise DataError(
                f"{name} lacks this key", file=path, field=".".join(keys),
                fix="give Amazon.json of the STI data set",
            )  # fmt: skip
        entry = entry[key]
    return entry
