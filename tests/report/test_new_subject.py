"""The section of the report on learning curves, and that nothing else shows them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from page_reader import read_page
from report_world import PICTURES, World

from neurodecode.analysis.profile import Profile, load_profile
from neurodecode.evaluation.differences import paired_differences
from neurodecode.evaluation.identification import identification_scores
from neurodecode.evaluation.items import items_frame, write_table
from neurodecode.evaluation.summary import summarise_items
from neurodecode.metrics.records import read_records, write_records
from neurodecode.report.page import render_page
from neurodecode.report.sections.adaptation import learning_curves
from neurodecode.store import Prediction

METHODS = {"ridge": 1.6, "adapted": 0.8}


def with_curves(world: World) -> list:
    """Scores of two methods after 20 trials and after all, more trials being less noise."""
    scores = []
    for method, noise in METHODS.items():
        for trials, factor in {"20": 1.0, "all": 0.5}.items():
            for number, subject in enumerate(world.subjects):
                n_trials = 20 if trials == "20" else 90 + 10 * number
                right = [[float(a == b) for b in world.test_ids] for a in world.test_ids]
                drawn = noise * factor * world.rng.standard_normal((world.n_test, world.n_test))
                each = Prediction(subject, world.test_ids, {}, world.test_ids, n_trials=n_trials)
                scores += identification_scores(
                    each, method, right + drawn, world.test_ids, both_ways=False, trials=trials
                )
    return scores


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """The profile of the other tests, and learning curves."""
    world = World(tmp_path_factory.mktemp("world")).write()
    plain = load_profile(world.root, "mini")
    frame = items_frame(with_curves(world), PICTURES)
    made = {("adaptation", method, trials): {"selection_split": "validation", "seed": 7}
            for method in METHODS for trials in ("20", "all")}  # fmt: skip
    records = read_records(world.report / "metrics.json")
    write_records(world.report / "metrics.json", records + summarise_items(frame, "mini", made))
    import pandas as pd

    tables = world.report / "tables"
    for name, more in {"items": frame, "differences": paired_differences(frame)}.items():
        before = getattr(plain, name)
        write_table(tables / f"{name}.csv", pd.concat([before, more], ignore_index=True))
    return load_profile(world.root, "mini")


def test_table_has_a_row_for_each_number_of_trials(adapted: Profile) -> None:
    (curve,) = learning_curves(adapted, [PICTURES])
    assert curve.columns == ["Mean", "Subject 01", "Subject 02"]
    labels = [block.label for block in curve.blocks]
    assert labels[0].startswith("Adapted")
    assert labels[1] == "Ridge regression"
    assert labels[2].endswith("minus Ridge regression, in points")
    for block in curve.blocks:
        assert [row.label for row in block.rows] == ["20", "all"]
        assert all(cell.value for row in block.rows for cell in row.cells)
    records = adapted.records
    mine = (records["task"] == "adaptation") & (records["metric"] == "retrieval_top1")
    one = records[mine & (records["method"] == "ridge") & (records["subject"] == "02")]
    value = one[one["trials"] == "all"]["value"].iloc[0]
    assert curve.blocks[1].rows[1].cells[2].value == f"{100 * value:.1f}\N{NARROW NO-BREAK SPACE}%"
    assert "after 95" in curve.figure["alt"]


def test_section_is_there_only_with_records(adapted: Profile, profile: Profile) -> None:
    with_section = read_page(render_page(adapted))
    assert "adaptation" in with_section.sections
    assert "#adaptation" in with_section.references
    assert "Subject 02" in with_section.sections["adaptation"]
    assert "adaptation" not in read_page(render_page(profile)).sections


def test_other_sections_pass_over_learning_curves(adapted: Profile, profile: Profile) -> None:
    """Scores, differences and headlines are the same with and without them."""
    one, other = (read_page(render_page(each)).sections for each in (adapted, profile))
    for name in ("figures", "scores", "controls"):
        assert one[name] == other[name]


def test_a_profile_of_learning_curves_alone(adapted: Profile) -> None:
    others = frozenset(adapted.records["task"]) - {"adaptation"}
    alone = replace(adapted, leave_out=others, stores={}, predictions=(), runs=None)
    sections = read_page(render_page(alone)).sections
    assert "a new subject" in sections["figures"].lower()
    assert "Subject 01" in sections["adaptation"]
