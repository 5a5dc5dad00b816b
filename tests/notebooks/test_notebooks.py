"""The notebooks: paired, without outputs, and they run."""

from __future__ import annotations

import os
from pathlib import Path

import jupytext
import nbformat
import pytest
from course_world import add_courses
from gaze_worlds import write_gaze_report
from listening_report import write_listening_report
from notebook_runner import NOTEBOOKS, execute
from report_world import World

NAMES = [path.stem for path in NOTEBOOKS]


def test_every_script_has_its_notebook() -> None:
    scripts = sorted(path.stem for path in NOTEBOOKS[0].parent.glob("*.py"))
    assert scripts == NAMES
    assert len(NAMES) == 6


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_script_and_notebook_say_the_same(notebook: Path) -> None:
    script = jupytext.read(notebook.with_suffix(".py"))
    paired = nbformat.read(notebook, as_version=4)
    nbformat.validate(paired)
    assert [(cell.cell_type, cell.source) for cell in script.cells] == [
        (cell.cell_type, cell.source) for cell in paired.cells
    ], f"run: jupytext --sync {notebook.name}"
    assert paired.metadata.jupytext.formats == "ipynb,py:percent"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_notebooks_are_kept_without_outputs(notebook: Path) -> None:
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"), subjects=3).write()
    add_courses(made.report / "metrics.json", made.report)
    write_gaze_report(made.root)
    write_listening_report(made.root)
    return made


def outputs(content: nbformat.NotebookNode) -> str:
    kinds = [
        kind
        for cell in content.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for kind in output.get("data", {})
    ]
    return " ".join(kinds)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_notebooks_run_on_a_small_profile(notebook: Path, world: World) -> None:
    shown = outputs(execute(notebook, world.root))
    assert "image/png" in shown
    assert "text/html" in shown


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_notebooks_run_on_the_results_that_are_here(notebook: Path, repository: Path) -> None:
    root = Path(os.environ.get("NEURODECODE_RUN_ROOT", repository))
    profile = os.environ.get("NEURODECODE_PROFILE", "mini")
    places = {"05_scanpaths": "gaze/mini-gaze", "06_listening": "auditory"}
    wanted = places.get(notebook.stem, profile)
    if not (root / "reports" / wanted / "metrics.json").is_file():
        pytest.skip(f"no reports/{wanted} in {root}: `make repro`, `make gaze`, `make listen`")
    assert "image/png" in outputs(execute(notebook, root, profile))
