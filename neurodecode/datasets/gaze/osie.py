"""OSIE: free viewing of 700 images with many objects (Xu et al. 2014)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurodecode.datasets.gaze.base import GAZE_DATASETS, GazeData, PictureFiles
from neurodecode.datasets.gaze.matlab import read_mat
from neurodecode.errors import DataError
from neurodecode.scanpaths import Scanpath, Scanpaths

__all__ = ["read_osie"]

SIZE = (800, 600)


@GAZE_DATASETS.register("osie")
def read_osie(root: Path) -> GazeData:
    """Read OSIE as published, or the files of that repository in one folder.

    ``data/eye/fixations.mat`` and ``data/stimuli/1001.jpg`` ...; or ``fixations.mat`` and
    ``stimuli/``. Fifteen viewers, 800 x 600 pixels, three seconds each. Pictures may be fewer
    than those that were viewed. Get it from the repository
    NUS-VIP/predicting-human-gaze-beyond-pixels (MIT); cite Xu et al. (2014), Journal of Vision.

    Parameters
    ----------
    root : Path
        Folder.

    Returns
    -------
    GazeData
        Viewers are ``01`` to ``15``; scanpaths without a fixation are left out and counted in
        ``info["n_empty"]``.

    Raises
    ------
    DataError
        If a file is missing or has another layout.
    """
    nested = root / "data" / "eye" / "fixations.mat"
    path = nested if nested.is_file() else root / "fixations.mat"
    entries = np.atleast_1d(read_mat(path, "fixations"))
    found, n_empty = [], 0
    for entry in entries:
        stimulus = str(_get(entry, "img", path))
        for number, viewer in enumerate(np.atleast_1d(_get(entry, "subjects", path)), start=1):
            columns = [
                np.atleast_1d(_get(viewer, name, path)).astype(np.float32)
                for name in ("fix_x", "fix_y", "fix_duration")
            ]
            if len({len(column) for column in columns}) > 1:
                raise DataError(
                    f"coordinates and durations of {stimulus} differ in number",
                    file=path, subject=f"{number:02d}", field="fix_duration",
                )  # fmt: skip
            if not len(columns[0]):
                n_empty += 1
                continue
            found.append(Scanpath(*columns, f"{number:02d}", stimulus, "free_viewing", size=SIZE))
    folder = nested.parents[1] / "stimuli" if nested.is_file() else root / "stimuli"
    return GazeData(
        "osie",
        Scanpaths.from_list(found),
        pictures=PictureFiles.in_folder(folder),
        files=(path,),
        info={"n_empty": n_empty},
    )


def _get(entry: object, name: str, path: Path) -> object:
    if not isinstance(entry, dict) or name not in entry:
        raise DataError("entry is missing", file=path, field=name, fix="download the file again")
    return entry[name]
