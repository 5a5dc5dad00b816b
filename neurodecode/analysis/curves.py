"""Training curves that Lightning's CSVLogger left behind."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from neurodecode.errors import DataError

__all__ = ["read_curves"]

_STAGES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val"}
_SPLIT = re.compile(r"[/_]")


def _stage_and_quantity(column: str) -> tuple[str, str]:
    """Split a logged name: ``val/top1``, ``train_loss_epoch`` -> (``val``, ``top1``), ..."""
    name = re.sub(r"_(step|epoch)$", "", column)
    head, *tail = _SPLIT.split(name, maxsplit=1)
    if tail and head in _STAGES:
        return _STAGES[head], tail[0]
    return "", name


def _read_one(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path)
        steps = frame["step"]
    except (pd.errors.EmptyDataError, pd.errors.ParserError, KeyError, UnicodeDecodeError) as error:
        raise DataError(
            "not a table of a CSVLogger", file=path, fix="train this run again"
        ) from error
    frame = frame.drop(columns=["epoch", "step"], errors="ignore")
    parts = []
    for column in frame.select_dtypes("number"):
        values = frame[column].dropna()
        stage, quantity = _stage_and_quantity(column)
        part = pd.DataFrame({"step": steps[values.index], "value": values})
        parts.append(part.assign(stage=stage, quantity=quantity, column=column))
    if not parts:
        return pd.DataFrame(columns=["step", "value", "stage", "quantity", "column"])
    return pd.concat(parts, ignore_index=True)


def read_curves(runs: str | Path) -> pd.DataFrame:
    """Read the curves of all trainings under a folder.

    Parameters
    ----------
    runs : path-like
        ``runs/<profile>``; each ``metrics.csv`` below it is a run.

    Returns
    -------
    DataFrame
        Tidy, columns run (folder, relative to `runs`), stage (``train``, ``val`` or empty),
        quantity (``loss``, ``top1``, ...), column (name as logged), step, value. Rows that the
        logger left empty are dropped.

    Raises
    ------
    DataError
        If a file is not a table of the logger.
    """
    columns = ["run", "stage", "quantity", "column", "step", "value"]
    frames = []
    for path in sorted(Path(runs).rglob("metrics.csv")):
        frames.append(_read_one(path).assign(run=path.parent.relative_to(runs).as_posix()))
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True)[columns]
