"""What comes out of scoring one file of predictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from neurodecode.evaluation.items import Scores
from neurodecode.evaluation.timecourse import TimeCourse
from neurodecode.evaluation.whole import WholeScore

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluated"]


@dataclass
class Evaluated:
    """What came out of one file.

    Parameters
    ----------
    scores : list of Scores
        Scores of test items.
    wholes : list of WholeScore
        Scores of the test set as a whole.
    absent : dict of (str, str, str) to dict
        Task, method and metric of what could not be measured, and the reason as extra keys.
    ceiling : list of Scores
        Scores of the true pictures themselves: the same whatever method the file is of.
    candidates, confusion : list of DataFrame
        Tables for the report, see `candidate_table` and `confusion_table`.
    courses : list of TimeCourse
        Scores of windows of time.
    units : list of DataFrame
        Scores of voxels and neurons, see `unit_table`.
    matched : mapping of str to mapping
        Methods whose scores come from a matching (transductive), and its settings.
    """

    scores: list[Scores] = field(default_factory=list)
    wholes: list[WholeScore] = field(default_factory=list)
    absent: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)
    ceiling: list[Scores] = field(default_factory=list)
    candidates: list[pd.DataFrame] = field(default_factory=list)
    confusion: list[pd.DataFrame] = field(default_factory=list)
    courses: list[TimeCourse] = field(default_factory=list)
    units: list[pd.DataFrame] = field(default_factory=list)
    matched: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, other: Evaluated) -> None:
        """Take in what came out of another file of the same data set.

        Parameters
        ----------
        other : Evaluated
            Its scores and tables; ceilings and matchings stay with their file.
        """
        for name in ("scores", "wholes", "candidates", "confusion", "courses", "units"):
            getattr(self, name).extend(getattr(other, name))
        self.absent |= other.absent
