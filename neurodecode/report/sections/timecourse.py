"""Over time: curves, latencies and temporal generalisation."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from neurodecode.analysis.profile import Profile
from neurodecode.analysis.records import split_mean
from neurodecode.report.figures.timecourse import course_figure, generalisation_figure
from neurodecode.report.glossary import method_label, metric
from neurodecode.report.pictures import Picture
from neurodecode.report.svg import drawing, svg_uri

__all__ = ["CoursePanel", "course_panels"]

_METRIC = "two_way"


@dataclass(frozen=True)
class CoursePanel:
    """Decoding over time in one data set, by one method and kind of windows.

    Parameters
    ----------
    dataset, method, kind : str
        What is shown.
    figure : Picture
        The curves.
    latencies : list of (str, str, str, str)
        Subject, target (or two of them), value and interval in ms.
    matrices : list of Picture
        Temporal generalisation, one a target.
    """

    dataset: str
    method: str
    kind: str
    figure: Picture
    latencies: list[tuple[str, str, str, str]]
    matrices: list[Picture]


def course_panels(profile: Profile, datasets: list[str]) -> list[CoursePanel]:
    """Arrange the records of windows of time.

    Parameters
    ----------
    profile : Profile
        The results.
    datasets : list of str
        Data sets in the order of the page.

    Returns
    -------
    list of CoursePanel
        Empty where nothing was resolved in time.
    """
    courses = profile.courses
    panels: list[CoursePanel] = []
    for dataset in datasets if len(courses) else []:
        own = courses[courses["dataset"] == dataset]
        for (method, kind), rows in own.groupby(["method", "windows"], sort=True):
            panels.append(_panel(dataset, method, kind, rows, profile.generalisation))
    return panels


def _panel(
    dataset: str, method: str, kind: str, rows: pd.DataFrame, across: pd.DataFrame
) -> CoursePanel:
    curves = rows[rows["metric"] == _METRIC].copy()
    # a growing window stands where it ends
    begin = curves["t_stop_s"] if kind == "growing" else curves["t_start_s"]
    curves["time"] = (begin + curves["t_stop_s"]) / 2
    targets = list(dict.fromkeys(curves["target"]))
    parts = [split_mean(part) for _, part in curves.groupby(["target", "time"])]
    mean, subjects = (pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True))
    label = metric(_METRIC).label
    with drawing():
        source = svg_uri(course_figure(mean, subjects, targets, f"{label}, {kind} windows"))
    matrices = []
    mine = (across["dataset"] == dataset) & (across["method"] == method)
    if kind == "sliding" and mine.any():
        matrices = [_matrix(across[mine & (across["target"] == each)], each) for each in targets]
    peaks = [
        f"{target}: at most {100 * line['value'].max():.0f} %"
        for target, line in mean.groupby("target", sort=False)
    ]
    figure: Picture = {"src": source, "alt": f"{label} over time. {'; '.join(peaks)}."}
    return CoursePanel(dataset, method_label(method), kind, figure, _latencies(rows), matrices)


def _latencies(rows: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    found = []
    for row in rows[rows["metric"].isin(["half_peak_latency", "latency_difference"])].itertuples():
        what = row.target
        if row.metric == "latency_difference":
            what = f"{row.target} minus {row.baseline}"
        interval = f"{1000 * row.ci_low:.0f} – {1000 * row.ci_high:.0f}"
        found.append((row.subject, what, f"{1000 * row.value:.0f}", interval))
    return found


def _matrix(table: pd.DataFrame, target: str) -> Picture:
    matrix = table.pivot_table(index="trained_s", columns="tested_s", values="two_way")
    with drawing():
        source = svg_uri(generalisation_figure(matrix, target))
    best = 100 * float(matrix.to_numpy().max())
    return {
        "src": source,
        "alt": f"Two-way identification of {target} at each time by a model of each time, mean over"
        f" subjects; at most {best:.0f} %.",
    }
