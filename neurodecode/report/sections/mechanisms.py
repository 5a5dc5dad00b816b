"""Which attention mechanism predicts the brain best: the file of `neurodecode bench`."""

from __future__ import annotations

import json
from dataclasses import dataclass

from neurodecode.analysis.profile import Profile
from neurodecode.errors import DataError
from neurodecode.report.glossary import format_difference, format_interval, format_value, metric
from neurodecode.report.sections.results import Cell

__all__ = ["MechanismTable", "mechanism_table"]


@dataclass(frozen=True)
class MechanismTable:
    """The mechanisms, the best first.

    Parameters
    ----------
    dataset : str
        Whose responses.
    epochs : int
        Of every training.
    rows : list of (str, Cell, Cell, int, str)
        Mechanism, correlation, difference to softmax, parameters, seconds of training.
    """

    dataset: str
    epochs: int
    rows: list[tuple[str, Cell, Cell, int, str]]


def mechanism_table(profile: Profile) -> MechanismTable | None:
    """Read the comparison.

    Parameters
    ----------
    profile : Profile
        The results, with ``mechanisms``.

    Returns
    -------
    MechanismTable or None
        None if the profile names no file.

    Raises
    ------
    DataError
        If the file is missing or is another one.
    """
    path = profile.mechanisms
    if path is None:
        return None
    try:
        results = json.loads(path.read_text(encoding="utf-8"))["results"]
        settings, rows = results["settings"], [_row(each) for each in results["rows"]]
        return MechanismTable(settings["stores"].rpartition("/")[2], settings["epochs"], rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "not a comparison of mechanisms", file=path,
            fix="make it with `neurodecode bench attention --brains STORES`",
        ) from error  # fmt: skip


def _row(row: dict) -> tuple[str, Cell, Cell, int, str]:
    shown = metric("pearson_r")
    score = Cell(
        format_value(row["pearson_r"], shown),
        format_interval(row["ci_low"], row["ci_high"], shown),
    )
    difference = Cell()
    if "minus_softmax" in row:
        low, high = row["minus_softmax_low"], row["minus_softmax_high"]
        difference = Cell(
            format_difference(shown, row["minus_softmax"]), format_difference(shown, low, high)
        )
    return row["mechanism"], score, difference, row["parameters"], f"{row['train_s']:.0f}"
