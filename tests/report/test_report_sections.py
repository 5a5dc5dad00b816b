"""Tables, cases, controls and trainings of the page."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from report_world import PICTURES

from neurodecode.analysis.profile import Profile
from neurodecode.evaluation.whole import absent_record
from neurodecode.metrics.records import read_records, write_records
from neurodecode.report.sections.cases import subject_cases
from neurodecode.report.sections.controls import control_rows, parent_method
from neurodecode.report.sections.median import median_grid
from neurodecode.report.sections.reference import reference_rows
from neurodecode.report.sections.results import result_tables
from neurodecode.report.sections.retrieval import method_retrieval
from neurodecode.report.sections.training import trainings


def test_cases_are_ranked_by_what_the_items_say(profile: Profile) -> None:
    first = subject_cases(profile, PICTURES, n=2)[0]
    assert first.rows == ["Seen", "Low level", "Reconstruction", "Shuffled responses"]
    assert [group.name for group in first.groups] == ["best", "median", "worst"]
    scores = [float(case.score.split("\N{NARROW NO-BREAK SPACE}")[0])
              for group in first.groups for case in group.cases]  # fmt: skip
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 6
    for group in first.groups:
        for case in group.cases:
            assert len(case.pictures) == len(first.rows)
            assert len({picture["src"] for picture in case.pictures}) == len(first.rows)


def test_cases_without_scores_are_chosen_by_id(profile: Profile) -> None:
    changed = replace(profile)
    changed.__dict__["items"] = profile.items.iloc[:0]
    first = subject_cases(changed, PICTURES, n=2)[0]
    assert "equal distances" in first.criterion
    assert [case.score for case in first.groups[0].cases] == [""] * 6


def test_readme_grid_has_the_truth_above_its_reconstruction(profile: Profile) -> None:
    rows, below = median_grid(profile, n=5)
    assert list(rows) == ["seen", "low level", "reconstruction"]
    assert below == ["subject 01"] * 3 + ["subject 02"] * 2
    source = profile.reconstructions[0].read()
    truth = {image.tobytes() for image in profile.stores[PICTURES].images(
        list(source[0].stimulus_id))}  # fmt: skip
    assert {image.tobytes() for image in rows["seen"]} <= truth


def test_same_pictures_for_every_method(profile: Profile) -> None:
    methods = method_retrieval(profile, PICTURES, n=3)
    assert [item.method for item in methods] == ["decoder", "encoder_likelihood", "ridge"]
    seen = {
        tuple(row.seen["src"] for subject in item.subjects for row in subject.rows)
        for item in methods
    }
    assert len(seen) == 1
    for item in methods:
        for row in item.subjects[0].rows:
            assert len(row.found) == 5
            if row.place >= 0:
                assert row.found[row.place]["src"] == row.seen["src"]
                assert float(row.rank) <= 5


def test_tables_hold_every_record(profile: Profile) -> None:
    tables = result_tables(profile, [PICTURES, "haxby2001"])
    cells = sum(
        bool(cell.value)
        for table in tables
        for block in table.blocks
        if block.metric.name != "noise_ceiling"
        for row in block.rows
        for cell in row.cells
    )
    assert cells == len(profile.records)
    retrieval = tables[0]
    assert retrieval.columns == ["Mean", "Subject 01", "Subject 02"]
    assert retrieval.blocks[-1].metric.name == "noise_ceiling"
    assert "13 candidates" in retrieval.notes


def test_what_was_not_measured_is_a_note_and_no_row(profile: Profile, tmp_path: Path) -> None:
    about = {"profile": "test", "dataset": PICTURES}
    absent = absent_record(about, "reconstruction", "decoder", "distance_swav", {"weights": "none"})
    write_records(tmp_path / "metrics.json", [*read_records(profile.metrics), absent])
    changed = replace(profile, metrics=tmp_path / "metrics.json")
    assert len(changed.records) == len(profile.records)
    tables = result_tables(changed, [PICTURES])
    assert "distance_swav" not in {b.metric.name for table in tables for b in table.blocks}
    noted = [table.task for table in tables if "SwAV distance" in table.notes[-1]]
    assert noted == ["Reconstruction"]


def test_controls_stand_beside_what_they_control(profile: Profile) -> None:
    rows = control_rows(profile)
    assert {(row.control, row.parent) for row in rows} == {
        ("Shuffled responses", "Contrastive decoder")
    }
    assert {row.metric for row in rows} == {"Two-way (CLIP)", "SSIM", "Pixel correlation"}
    methods = {"ridge", "decoder", "ridge_shuffled", "shuffled"}
    controls = ["ridge_shuffled", "shuffled"]
    assert parent_method("ridge_shuffled", methods, controls) == "ridge"
    assert parent_method("shuffled", methods, controls) == "decoder"
    assert parent_method("core_untrained", methods, controls) == ""


def test_known_scores_meet_methods_of_the_same_kind(profile: Profile) -> None:
    (row,) = reference_rows(profile)
    assert (row.dataset, row.method) == ("haxby2001", "Logistic regression")
    assert row.reference == "72.0\N{NARROW NO-BREAK SPACE}%"


def test_folds_of_one_training_share_a_figure(profile: Profile) -> None:
    found = {item.name: item for item in trainings(profile)}
    # the folds alone go by the name of the folder that was given
    (alone,) = trainings(replace(profile, runs=profile.runs / "core"))
    assert (alone.name, alone.n_runs) == ("core", 2)
    assert {name: item.n_runs for name, item in found.items()} == {"core": 2, "decode": 1}
    assert len(found["core"].figures) == 2


def test_command_is_light_to_import() -> None:
    code = (
        "import sys, argparse; from neurodecode.commands import report;"
        "report.add_arguments(argparse.ArgumentParser());"
        "heavy = {'torch', 'pandas', 'matplotlib', 'jinja2', 'h5py'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
