"""Training curves of every run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from neurodecode.analysis.curves import read_curves
from neurodecode.analysis.profile import Profile
from neurodecode.report.figures.curves import curve_figure
from neurodecode.report.pictures import Picture
from neurodecode.report.svg import drawing, svg_uri

__all__ = ["Training", "trainings"]

_NUMBERED = re.compile(r"[-_/]?(fold|subject|sub|seed|session)?[-_=]?\d+$")
#: Figures of one training at most; a logger may hold dozens of columns.
_MOST = 4


@dataclass(frozen=True)
class Training:
    """Curves of one training, or of the same one on several folds.

    Parameters
    ----------
    name : str
        Folder of the run; of the folds without their number.
    n_runs : int
        How many runs are drawn over each other.
    figures : list of Picture
        One a quantity.
    """

    name: str
    n_runs: int
    figures: list[Picture]


def trainings(profile: Profile) -> list[Training]:
    """Draw the curves.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    list of Training
        Empty where nothing was trained by gradient descent.
    """
    if profile.runs is None:
        return []
    curves = read_curves(profile.runs)
    if not len(curves):
        return []
    alone = Path(profile.runs).resolve().name
    curves = curves.assign(family=curves["run"].map(lambda run: _NUMBERED.sub("", run) or alone))
    found = []
    for family, rows in curves.groupby("family", sort=True):
        figures = [_figure(rows, quantity) for quantity in _quantities(rows)]
        found.append(Training(str(family), rows["run"].nunique(), figures))
    return found


def _quantities(rows: pd.DataFrame) -> list[str]:
    """Choose what to draw: losses first, then what validation watched, then the rest."""
    table = rows.groupby("quantity")["stage"].agg(set)
    names = [name for name, stages in table.items() if not name.startswith(("lr", "learning"))]

    def place(name: str) -> tuple[bool, bool, str]:
        """The loss first, then what was watched in validation."""
        return (name != "loss", "val" not in table[name], name)

    return sorted(names, key=place)[:_MOST]


def _figure(rows: pd.DataFrame, quantity: str) -> Picture:
    own = rows[rows["quantity"] == quantity]
    last = own[own["stage"] == "val"]
    tail = f", last validation value {last['value'].iloc[-1]:.3g}" if len(last) else ""
    with drawing():
        source = svg_uri(curve_figure(own, quantity.replace("_", " ")))
    return {"src": source, "alt": f"{quantity} over {own['step'].max()} steps{tail}"}
