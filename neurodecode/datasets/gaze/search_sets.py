"""Search scanpaths on object arrays, natural designs and Waldo pictures (Zhang et al. 2018)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurodecode.datasets.arrays import read_npy
from neurodecode.datasets.gaze.base import GAZE_DATASETS, GazeData, PictureFiles
from neurodecode.errors import DataError
from neurodecode.scanpaths import Scanpaths

__all__ = ["read_natural_design", "read_object_arrays", "read_waldo"]

SCREEN, VIEWERS = (1280, 1024), 15


@GAZE_DATASETS.register("object-arrays")
def read_object_arrays(root: Path) -> GazeData:
    """Read ``ObjArr``: six objects on a circle; coordinates are (x, y).

    ``vs_saccade_exp/out/ObjArr/`` of the repository kreimanlab/VisualSearchAsymmetry (no licence
    stated): ``fix/human_all.npy`` and ``cp/CP_human_all.npy``. Positions are snapped to the
    objects; there are no durations.

    Parameters
    ----------
    root : Path
        The folder ``ObjArr``.

    Returns
    -------
    GazeData
        ``info["found"]``: number of the fixation on the target, nan if it was not found.

    Raises
    ------
    DataError
        If a file is missing or its shape is not that of 15 viewers.
    """
    return _read("object-arrays", root, row_first=False)


@GAZE_DATASETS.register("natural-design")
def read_natural_design(root: Path) -> GazeData:
    """Read ``NaturalDesign``: objects in photographs; coordinates are (row, column).

    Parameters
    ----------
    root : Path
        The folder ``NaturalDesign``, laid out as ``ObjArr``, with ``target_pos.npy``.

    Returns
    -------
    GazeData
        ``info["target"]``: x, y of the target of each stimulus, if the file is there.

    Raises
    ------
    DataError
        As of `read_object_arrays`.
    """
    return _read("natural-design", root, row_first=True)


@GAZE_DATASETS.register("waldo")
def read_waldo(root: Path) -> GazeData:
    """Read ``Waldo``: crowds of people; coordinates are (row, column).

    Parameters
    ----------
    root : Path
        The folder ``Waldo``, laid out as ``NaturalDesign``.

    Returns
    -------
    GazeData
        As of `read_natural_design`.

    Raises
    ------
    DataError
        As of `read_object_arrays`.
    """
    return _read("waldo", root, row_first=True)


def _read(name: str, root: Path, *, row_first: bool) -> GazeData:
    path = root / "fix" / "human_all.npy"
    fixations = read_npy(path, ndim=3)
    rows, _, columns = fixations.shape
    if columns != 2 or rows % VIEWERS:
        raise DataError(
            f"shape {fixations.shape} is not (15 viewers x stimuli, fixations, 2)", file=path,
            fix="give the file of all human viewers",
        )  # fmt: skip
    xy = fixations[..., ::-1] if row_first else fixations
    # padded with (0, 0); the first fixation is the enforced one at the middle of the screen
    used = (fixations != 0).any(axis=2)
    length = np.where(used.any(axis=1), used.shape[1] - used[:, ::-1].argmax(axis=1), 0) - 1
    keep = np.flatnonzero(length > 0)
    order = np.arange(used.shape[1] - 1) < length[keep, None]
    flat = xy[keep, 1:][order].astype(np.float32)
    n_stimuli = rows // VIEWERS
    viewer, stimulus = np.divmod(keep, n_stimuli)
    names = np.array([f"{number + 1:03d}" for number in range(n_stimuli)])
    info = {"n_still": int(rows - len(keep))}
    flags = root / "cp" / "CP_human_all.npy"
    if flags.is_file():
        info["found"] = _found(read_npy(flags, ndim=2), flags, rows)[keep]
    target = root / "target_pos.npy"
    if target.is_file():
        position = read_npy(target, ndim=2)
        info["target"] = dict(zip(names.tolist(), position[:, ::-1] if row_first else position))
    scanpaths = Scanpaths(
        x=flat[:, 0],
        y=flat[:, 1],
        duration=np.full(len(flat), np.nan),
        offsets=np.concatenate([[0], np.cumsum(length[keep])]),
        viewer=np.array([f"{number + 1:02d}" for number in viewer]),
        stimulus=names[stimulus],
        task=np.full(len(keep), "search_present"),
        size=dict.fromkeys(names.tolist(), SCREEN),
    )
    pictures = PictureFiles.in_folder(root / "stimuli", SCREEN)
    return GazeData(name, scanpaths, pictures=pictures, files=(path,), info=info)


def _found(flags: np.ndarray, path: Path, rows: int) -> np.ndarray:
    """Number of the fixation on the target, not counting the enforced one."""
    if len(flags) != rows:
        raise DataError(f"{len(flags)} rows for {rows} scanpaths", file=path)
    return np.where(flags.any(axis=1), flags.argmax(axis=1), np.nan)
