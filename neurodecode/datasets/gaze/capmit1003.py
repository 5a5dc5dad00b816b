"""CapMIT1003: where people clicked while they described a picture (Zanca et al. 2023)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import groupby
from pathlib import Path

import numpy as np

from neurodecode.datasets.gaze.base import GAZE_DATASETS, GazeData, PictureFiles
from neurodecode.errors import DataError
from neurodecode.scanpaths import Scanpath, Scanpaths

__all__ = ["read_capmit1003"]

_NEEDED = {
    "captions": {"obs_uid", "usr_uid", "caption", "img_uid"},
    "images": {"img_uid", "img_path"},
    "clicks": {"click_id", "obs_uid", "x", "y"},
}
_CLICKS = """
    SELECT captions.obs_uid, captions.usr_uid, captions.caption, images.img_path,
           clicks.x, clicks.y
    FROM clicks JOIN captions USING (obs_uid) JOIN images USING (img_uid)
    ORDER BY captions.obs_uid, clicks.click_id
"""


@GAZE_DATASETS.register("capmit1003")
def read_capmit1003(root: Path) -> GazeData:
    """Read CapMIT1003: ``capmit1003.db``, and MIT1003's pictures in ``ALLSTIMULI/``.

    Clicks uncover a blurred picture and stand for fixations; they have no durations. From the
    repository dario-zanca/NevaClip; pictures from people.csail.mit.edu/tjudd. The database is
    opened for reading only.

    Parameters
    ----------
    root : Path
        Folder.

    Returns
    -------
    GazeData
        Captions as given; observations without clicks do not occur.

    Raises
    ------
    DataError
        If a file, a table or a column is missing.
    """
    path = root / "capmit1003.db"
    if not path.is_file():
        raise DataError("file is missing", file=path, fix="download it")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            _check_tables(database, path)
            rows = database.execute(_CLICKS).fetchall()
    except sqlite3.DatabaseError as error:
        raise DataError(
            f"not a readable SQLite database ({error})", file=path, fix="download it again"
        ) from error
    pictures = PictureFiles.in_folder(root / "ALLSTIMULI")
    found = []
    for (_, viewer, caption, picture), clicks in groupby(rows, key=lambda row: row[:4]):
        name = Path(str(picture)).name
        x, y = np.array([row[4:] for row in clicks], np.float32).T
        unknown = np.full(len(x), np.nan, np.float32)
        found.append(
            Scanpath(
                x, y, unknown, str(viewer), name, "captioning", "", str(caption or ""),
                pictures.size(name),
            )
        )  # fmt: skip
    return GazeData("capmit1003", Scanpaths.from_list(found), pictures=pictures, files=(path,))


def _check_tables(database: sqlite3.Connection, path: Path) -> None:
    for table, wanted in _NEEDED.items():
        known = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        missing = sorted(wanted - known)
        if missing:
            what = "column" if known else "table"
            raise DataError(
                f"{what} is missing", file=path, field=f"{table}.{missing[0]}" if known else table,
                fix="download it again",
            )  # fmt: skip
