"""Which attention mechanism predicts the brain best: the file of `neurodecode bench`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from neurodecode.analysis.profile import Profile
from neurodecode.errors import DataError
from neurodecode.report.glossary import format_difference, format_interval, format_value, metric
from neurodecode.report.sections.results import Cell

__all__ = ["Comparison", "MechanismRow", "MechanismTable", "mechanism_table"]

_AMONG = {"patches": "patches to one another", "queries": "queries to patches"}


@dataclass(frozen=True)
class Comparison:
    """One data set and place.

    Parameters
    ----------
    dataset, among : str
        Whose responses, and what attends to what.
    about : str
        How the encoders were trained, in words.
    left_out : list of (str, str)
        Mechanisms that cannot be there, and why.
    """

    dataset: str
    among: str
    about: str
    left_out: list[tuple[str, str]]


@dataclass(frozen=True)
class MechanismRow:
    """One mechanism.

    Parameters
    ----------
    name : str
        Mechanism.
    scores : list of (Cell, Cell)
        Correlation and difference to softmax in each comparison; empty where there is none.
    own_parameters : int
        Of the mechanism, in the first comparison that has it.
    step, memory, operations : str
        Milliseconds of processor time and megabytes of a training step, and millions of
        operations of the mechanism in it, forwards; of the same comparison.
    """

    name: str
    scores: list[tuple[Cell, Cell]]
    own_parameters: int
    step: str
    memory: str
    operations: str


@dataclass(frozen=True)
class MechanismTable:
    """All comparisons in one table.

    Parameters
    ----------
    comparisons : list of Comparison
        Its columns.
    rows : list of MechanismRow
        The best of the first comparison first.
    """

    comparisons: list[Comparison]
    rows: list[MechanismRow]


def mechanism_table(profile: Profile) -> MechanismTable | None:
    """Read the comparisons.

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
        found = json.loads(path.read_text(encoding="utf-8"))["results"]["comparisons"]
        by_name = [{row["mechanism"]: row for row in each["rows"]} for each in found]
        names = list(dict.fromkeys(name for rows in by_name for name in rows))
        rows = [_row(name, [each.get(name) for each in by_name]) for name in names]
        return MechanismTable([_comparison(each) for each in found], rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "not a comparison of mechanisms", file=path,
            fix="make it with `neurodecode bench attention --brains STORES`",
        ) from error  # fmt: skip


def _comparison(found: dict[str, Any]) -> Comparison:
    made, subjects = found["settings"], found["settings"]["subjects"]
    core = f"frozen {made['tower']}" if made["tower"] else "a convolutional core of its own"
    about = f"{core}, {made['epochs']} epochs, a query for each {made['queries']}"
    if subjects:
        about += f", {len(subjects)} subjects"
    return Comparison(
        dataset=made["stores"].rpartition("/")[2],
        among=_AMONG[made["among"]],
        about=about,
        left_out=list(found["left_out"].items()),
    )


def _row(name: str, rows: list[dict[str, Any] | None]) -> MechanismRow:
    first = next(row for row in rows if row is not None)
    memory = first["step_peak_mb"]
    return MechanismRow(
        name=name,
        scores=[_cells(row) for row in rows],
        own_parameters=first["own_parameters"],
        step=f"{first['step_cpu_ms']:.0f}",
        memory="" if memory is None else f"{memory:.0f}",
        operations=f"{first['attention_mflop']:.0f}",
    )


def _cells(row: dict[str, Any] | None) -> tuple[Cell, Cell]:
    if row is None:
        return Cell(), Cell()
    shown = metric("pearson_r")
    score = Cell(
        format_value(row["pearson_r"], shown),
        format_interval(row["ci_low"], row["ci_high"], shown),
    )
    if "minus_softmax" not in row:
        return score, Cell()
    low, high = row["minus_softmax_low"], row["minus_softmax_high"]
    return score, Cell(
        format_difference(shown, row["minus_softmax"]), format_difference(shown, low, high)
    )
