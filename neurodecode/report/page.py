"""The page: gathers the sections and fills the template."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from neurodecode.analysis.profile import Profile
from neurodecode.files import atomic_path
from neurodecode.metrics.catalogue import TASKS
from neurodecode.report.figures.grid import picture_grid
from neurodecode.report.glossary import metric
from neurodecode.report.sections import (
    adaptation,
    attention,
    cases,
    comparison,
    controls,
    data,
    differences,
    gaze,
    guidance,
    headline,
    hearing,
    making,
    mechanisms,
    movies,
    reference,
    regions,
    results,
    retrieval,
    routes,
    surfaces,
    timecourse,
    training,
    volumes,
)
from neurodecode.report.sections.median import median_grid
from neurodecode.report.svg import drawing, save_png
from neurodecode.report.theme import css_variables

__all__ = ["render_page", "write_figures", "write_page"]

#: Topic of a page -> the tasks that are all it is about.
_TOPICS = {
    "gaze": {"scanpath"},
    "listening": {"auditory_attention", "extraction"},
    "categories": {"classification"},
}

_log = logging.getLogger(__name__)


def render_page(profile: Profile) -> str:
    """Make the page.

    Parameters
    ----------
    profile : Profile
        The results.

    Returns
    -------
    str
        One HTML document that refers to nothing outside itself.
    """
    environment = Environment(
        loader=PackageLoader("neurodecode.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(
        light=Markup(css_variables(dark=False)),
        dark=Markup(css_variables(dark=True)),
        **_content(profile),
    )


def _topic(tasks: set[str]) -> str:
    """What the whole page is about, where it is about one thing."""
    for topic, own in _TOPICS.items():
        if tasks and tasks <= own:
            return topic
    return ""


def _content(profile: Profile) -> dict[str, Any]:
    whole, everything = profile, profile.records
    datasets = _datasets(profile)
    if (everything["task"] == "adaptation").any():
        # of a learning curve each method has many scores: it has a section of its own
        profile = replace(profile, leave_out=profile.leave_out | {"adaptation"})
    looked = (everything["task"] == "scanpath").any()
    if looked:
        # of viewers, not of responses: a section of its own as well
        profile = replace(profile, leave_out=profile.leave_out | {"scanpath"})
    if (everything["task"] == "auditory_attention").any():
        # scores by window, scheme and condition: likewise
        profile = replace(profile, leave_out=profile.leave_out | {"auditory_attention"})
    if (everything["task"] == "extraction").any():
        profile = replace(profile, leave_out=profile.leave_out | {"extraction"})
    heard_tables, heard = hearing.hearing_panels(whole)
    return {
        "profile": profile.name,
        "heard_tables": heard_tables,
        "heard": heard,
        "gaze": gaze.gaze_panels(whole, datasets) if looked else [],
        "topic": _topic(set(everything["task"])),
        "datasets": datasets,
        "miniature": any(name.startswith("mini") for name in datasets),
        "headlines": headline.headlines(profile, datasets),
        "cases": {name: cases.subject_cases(profile, name) for name in datasets},
        "retrieval": {name: retrieval.method_retrieval(profile, name) for name in datasets},
        "confusions": comparison.confusion_pictures(profile),
        "comparisons": comparison.comparisons(profile, datasets),
        "tables": results.result_tables(profile, datasets),
        "differences": differences.difference_tables(profile, datasets),
        "guidance": guidance.guidance_rows(profile),
        "attention": attention.attention_panels(whole, datasets),
        "curves": adaptation.learning_curves(whole, datasets),
        "regions": regions.region_tables(profile, datasets),
        "volumes": [
            *volumes.volume_pictures(profile, datasets),
            *surfaces.surface_pictures(profile, datasets),
        ],
        "routes": routes.routes_panels(profile),
        "mechanisms": mechanisms.mechanism_table(profile),
        "courses": timecourse.course_panels(profile, datasets),
        "movies": movies.movie_groups(profile, datasets),
        "references": reference.reference_rows(profile),
        "controls": controls.control_rows(profile),
        "trainings": training.trainings(profile),
        "data": data.data_cards(profile, datasets),
        "parameters": making.parameters(profile),
        "configurations": making.configurations(profile),
        "files": making.prediction_files(profile),
        "software": making.software(),
        "metrics": [
            metric(name) for name in sorted({*everything["metric"], *profile.courses["metric"]})
        ],
        "tasks": {name: TASKS[name] for name in sorted(set(everything["task"]))},
        "versions": sorted(set(everything["version"])),
        "seeds": sorted({int(seed) for seed in everything["seed"].dropna()}),
    }


def _datasets(profile: Profile) -> list[str]:
    """Put the data sets with pictures first."""

    def place(name: str) -> tuple[bool, str]:
        """Data sets without pictures after those with."""
        folder = profile.stores.get(name)
        return (folder is None or folder.stimuli is None, name)

    known = {*profile.records["dataset"], *profile.courses["dataset"], *profile.stores}
    return sorted(known, key=place)


def write_page(profile: Profile, out: str | Path) -> None:
    """Write the page.

    Parameters
    ----------
    profile : Profile
        The results.
    out : path-like
        HTML file; complete or not at all. The same results give the same bytes.
    """
    text = render_page(profile)
    with atomic_path(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    _log.info("%s: %.1f MB", out, len(text.encode()) / 1e6)


def write_figures(profile: Profile, folder: str | Path) -> list[Path]:
    """Write the pictures that the README shows.

    Parameters
    ----------
    profile : Profile
        The results.
    folder : path-like
        Where ``methods.png`` and, if anything was reconstructed, ``reconstructions.png`` go.

    Returns
    -------
    list of Path
        What was written.
    """
    folder = Path(folder)
    # pipelines name the folder as an output, of pages without such pictures too
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    if comparison.save_methods(profile, _datasets(profile), folder / "methods.png"):
        written.append(folder / "methods.png")
    grid = median_grid(profile)
    if grid is not None:
        with drawing():
            save_png(picture_grid(*grid), folder / "reconstructions.png")
        written.append(folder / "reconstructions.png")
    return written
