"""One score for one test item; records are summaries of these."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.files import atomic_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["Scores", "items_frame", "write_table"]


@dataclass(frozen=True)
class Scores:
    """Scores of all test items of one subject and fold under one metric.

    Parameters
    ----------
    subject, task, method, metric : str
        What was scored.
    fold : int
        Which fold of the split.
    stimulus_id : sequence of str of length n
        The items.
    values : array of float of shape (n,)
        Score of each item; the metric is their mean.
    chance : float or None
        Expected score without any information.
    n_candidates : int or None
        Candidates among which each item was found.
    n_averaged : float
        How many repeats the responses were averaged over.
    """

    subject: str
    task: str
    method: str
    metric: str
    fold: int
    stimulus_id: Sequence[str]
    values: np.ndarray
    chance: float | None
    n_candidates: int | None
    n_averaged: float


def items_frame(scores: Sequence[Scores], dataset: str) -> pd.DataFrame:
    """All items as one tidy table.

    Parameters
    ----------
    scores : sequence of Scores
        Scores of any tasks, methods and metrics.
    dataset : str
        Registry name of the data set.

    Returns
    -------
    pandas.DataFrame
        One row an item: dataset, subject, task, method, metric, fold, stimulus_id, value,
        chance, n_candidates, n_averaged.
    """
    import pandas as pd

    frames = []
    for score in scores:
        columns = asdict(score)
        columns["value"] = np.asarray(columns.pop("values"), dtype=float)
        columns["stimulus_id"] = list(score.stimulus_id)
        frames.append(pd.DataFrame(columns))
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "dataset", dataset)
    return table


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, complete or not at all.

    Parameters
    ----------
    path : path-like
        Target file.
    table : pandas.DataFrame
        What to write; floats keep 8 significant digits.
    """
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.8g")
