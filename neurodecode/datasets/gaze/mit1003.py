"""MIT1003: raw gaze of 15 people on 1003 photographs (Judd et al. 2009)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurodecode.datasets.gaze.base import GAZE_DATASETS, GazeData, PictureFiles
from neurodecode.datasets.gaze.events import fixations_by_dispersion
from neurodecode.datasets.gaze.matlab import read_mat
from neurodecode.errors import DataError
from neurodecode.scanpaths import Scanpath, Scanpaths

__all__ = ["read_mit1003"]

SAMPLING_HZ, PIXELS_PER_DEGREE = 240.0, 35.0


@GAZE_DATASETS.register("mit1003")
def read_mit1003(
    root: Path, *, dispersion_degrees: float = 1.0, shortest_ms: float = 100.0
) -> GazeData:
    """Read MIT1003.

    ``ALLSTIMULI/*.jpeg`` and ``DATA/<viewer>/<picture>.mat`` with raw gaze at 240 Hz
    (people.csail.mit.edu/tjudd). The published fixations come from a MATLAB function; here they
    are found by dispersion (`fixations_by_dispersion`), so numbers differ somewhat from papers.
    The first fixation, at the cross, is left out.

    Parameters
    ----------
    root : Path
        Folder.
    dispersion_degrees : float
        Largest extent of a fixation.
    shortest_ms : float
        Shortest fixation.

    Returns
    -------
    GazeData
        Viewers are the names of their folders; recordings without a fixation besides the first
        are counted in ``info["n_empty"]``.

    Raises
    ------
    DataError
        If a file is missing or has another layout.
    """
    pictures = PictureFiles.in_folder(root / "ALLSTIMULI")
    by_stem = {Path(name).stem: name for name in pictures}
    paths = sorted((root / "DATA").glob("*/*.mat"))
    if not paths:
        raise DataError("no gaze (DATA/<viewer>/*.mat)", file=root, fix="download DATA.zip")
    found, n_empty = [], 0
    for path in paths:
        if path.stem not in by_stem:
            raise DataError("its picture is missing", file=path, fix="download ALLSTIMULI.zip")
        gaze = _gaze(path)
        x, y, duration = fixations_by_dispersion(
            gaze, SAMPLING_HZ, dispersion_degrees * PIXELS_PER_DEGREE, shortest_ms
        )[1:].T
        if not len(x):
            n_empty += 1
            continue
        name = by_stem[path.stem]
        found.append(
            Scanpath(
                x, y, duration, path.parent.name, name, "free_viewing", size=pictures.size(name)
            )
        )
    return GazeData(
        "mit1003",
        Scanpaths.from_list(found, pixels_per_degree=PIXELS_PER_DEGREE),
        pictures=pictures,
        files=tuple(paths),
        info={"n_empty": n_empty},
    )


def _gaze(path: Path) -> np.ndarray:
    content = read_mat(path)
    data = content.get("DATA") if isinstance(content, dict) else None
    first = data[0] if isinstance(data, list | np.ndarray) and len(data) else data
    if not isinstance(first, dict) or "eyeData" not in first:
        raise DataError("entry is missing", file=path, field="DATA(1).eyeData")
    gaze = np.asarray(first["eyeData"], np.float64)
    if gaze.ndim != 2 or gaze.shape[1] < 2:
        raise DataError(f"gaze has shape {gaze.shape}", file=path, field="DATA(1).eyeData")
    return gaze[:, :2]
