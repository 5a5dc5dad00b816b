"""Where people look: scanpaths and densities on pictures, curves, scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.report.figures.gaze import draw_density, draw_scanpath, found_figure
from neurodecode.report.glossary import (
    Metric,
    format_interval,
    format_value,
    method_label,
    metric,
)
from neurodecode.report.pictures import Picture, picture_uri
from neurodecode.report.sections.results import Cell
from neurodecode.report.svg import drawing, svg_uri
from neurodecode.report.theme import Colour, method_colours
from neurodecode.scanpaths import Scanpath

__all__ = ["GazeCase", "GazePanel", "GazeRow", "GazeTable", "gaze_panels"]

HUMAN = "other_viewers"
_TASKS = {
    "free_viewing": "Free viewing",
    "search_present": "Search for a target that is there",
    "search_absent": "Search for a target that is not there",
    "captioning": "With a caption in mind",
}
#: Columns of the tables, in order, with the reference of a gain.
_COLUMNS = (
    ("information_gain_bits", "uniform"), ("information_gain_bits", "centre_bias"), ("nss", ""),
    ("auc_judd", ""), ("auc_shuffled", ""), ("cc", ""), ("sim", ""), ("kl", ""),
    ("sequence_score", ""), ("semantic_sequence_score", ""), ("scanmatch", ""),
    ("string_similarity", ""), ("stde", ""), ("sbtde", ""), ("multimatch_shape", ""),
    ("multimatch_direction", ""), ("multimatch_length", ""), ("multimatch_position", ""),
    ("multimatch_duration", ""), ("cross_recurrence", ""), ("behaviour_difference", ""),
    ("found_mismatch", ""), ("asymmetry_index", ""),
)  # fmt: skip


@dataclass(frozen=True)
class GazeCase:
    """One stimulus.

    Parameters
    ----------
    title : str
        What was shown and asked.
    scanpaths, densities : list of tuple of str and Picture
        Who looked, and the drawing.
    """

    title: str
    scanpaths: list[tuple[str, Picture]]
    densities: list[tuple[str, Picture]]


@dataclass(frozen=True)
class GazeRow:
    """Scores of one method.

    Parameters
    ----------
    label : str
        What the page calls it.
    cells : list of Cell
        One a column.
    ceiling : bool
        Whether it stands for people.
    """

    label: str
    cells: list[Cell]
    ceiling: bool


@dataclass(frozen=True)
class GazeTable:
    """Scores for one task of the viewers.

    Parameters
    ----------
    task : str
        Which.
    columns : list of tuple of Metric and str
        Metric, and the label of its reference.
    rows : list of GazeRow
        Methods, people last.
    """

    task: str
    columns: list[tuple[Metric, str]]
    rows: list[GazeRow]


@dataclass(frozen=True)
class GazePanel:
    """All about one data set.

    Parameters
    ----------
    dataset : str
        Which.
    tables : list of GazeTable
        By task of the viewers.
    found : Picture or None
        Curves of targets found.
    cases : list of GazeCase
        Stimuli.
    """

    dataset: str
    tables: list[GazeTable]
    found: Picture | None
    cases: list[GazeCase]


def gaze_panels(profile: Profile, datasets: list[str]) -> list[GazePanel]:
    """Arrange the records of task ``scanpath``, and what lies beside them.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of GazePanel
        By data set; empty where nobody looked.
    """
    records = profile.records
    wanted = records[records["task"] == "scanpath"]
    return [
        GazePanel(
            dataset,
            [_table(task, own) for task, own in rows.groupby("viewing", sort=True)],
            _found(profile, dataset),
            _cases(profile, dataset),
        )
        for dataset in datasets
        if len(rows := wanted[wanted["dataset"] == dataset])
    ]


def _order(methods: pd.Series) -> list[str]:
    """Baselines first, in the order of what they know; people last."""
    known = ("uniform", "centre_bias", "saccade_walk", "saliency_ior", "target_similarity")
    names = sorted(set(methods))
    first = [name for name in known if name in names]
    rest = [name for name in names if name not in (*known, HUMAN)]
    return [*first, *rest, *([HUMAN] if HUMAN in names else [])]


def _table(task: str, rows: pd.DataFrame) -> GazeTable:
    reference = rows["reference"] if "reference" in rows else pd.Series("", index=rows.index)
    rows = rows.assign(reference=reference.fillna(""))
    found = {(r.method, r.metric, r.reference): r for r in rows.itertuples()}
    columns = [pair for pair in _COLUMNS if any(key[1:] == pair for key in found)]

    def cell(method: str, name: str, reference: str) -> Cell:
        """Print one score."""
        row = found.get((method, name, reference))
        if row is None:
            return Cell()
        shown = metric(name)
        interval = format_interval(row.ci_low, row.ci_high, shown)
        return Cell(format_value(row.value, shown), interval)

    return GazeTable(
        _TASKS.get(task, task),
        [(metric(name), method_label(ref) if ref else "") for name, ref in columns],
        [
            GazeRow(method_label(m), [cell(m, *pair) for pair in columns], m == HUMAN)
            for m in _order(rows["method"])
        ],
    )


def _found(profile: Profile, dataset: str) -> Picture | None:
    path = profile.tables / "scanpath-found.csv"
    if not path.is_file():
        return None
    curves = pd.read_csv(path)
    curves = curves[curves["dataset"] == dataset]
    if not len(curves):
        return None
    order = _order(curves["method"])[::-1]
    labels = {name: "People" if name == HUMAN else method_label(name) for name in order}
    with drawing():
        source = svg_uri(found_figure(curves, order, labels, method_colours(order), HUMAN))
    last = curves[curves["fixation"] == curves["fixation"].max()].set_index("method")["found"]
    text = "; ".join(f"{labels[name]}: {last[name]:.2f}" for name in order if name in last)
    return {
        "src": source,
        "alt": f"Targets found by each fixation. By the last one shown: {text}.",
    }


def _cases(profile: Profile, dataset: str) -> list[GazeCase]:
    from neurodecode.evaluation.scanpath.examples import read_examples

    path = profile.metrics.parent / "examples.h5"
    if not path.is_file():
        return []
    cases = []
    for example in read_examples(path):
        if example.dataset != dataset:
            continue
        stimulus, task, target, caption = example.question
        asked = f", looking for: {target}" if target else f", reading: {caption}" if caption else ""
        title = f"{_TASKS.get(task, task)}{asked}"
        names = _order(pd.Series([*example.models, HUMAN]))
        colours = method_colours(example.models)
        first = min(range(len(example.human)), key=lambda row: str(example.human.viewer[row]))
        paths = [("A person", _drawn(example.image, example.human[first], title, None))]
        for name in names:
            if name in example.models:
                label = method_label(name)
                own = example.models[name][0]
                paths.append((label, _drawn(example.image, own, label, colours[name])))
        densities = [
            (
                "Other people" if name == HUMAN else method_label(name),
                {
                    "src": picture_uri(draw_density(example.image, example.maps[name]), 240),
                    "alt": f"Density of {method_label(name)} on {stimulus}",
                },
            )
            for name in [*(n for n in names if n == HUMAN), *(n for n in names if n != HUMAN)]
            if name in example.maps and name != "uniform"
        ]
        cases.append(GazeCase(title, paths, densities))
    return cases


def _drawn(image: np.ndarray, scanpath: Scanpath, label: str, colour: Colour | None) -> Picture:
    text = f"{label}: {len(scanpath)} fixations on {scanpath.stimulus}"
    return {"src": picture_uri(draw_scanpath(image, scanpath, colour), 240), "alt": text}
