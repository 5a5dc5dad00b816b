"""Time-resolved decoding on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from course_world import add_courses
from page_reader import read_page
from report_world import PICTURES

from neurodecode.analysis.profile import Profile
from neurodecode.report.page import render_page
from neurodecode.report.sections.timecourse import course_panels


@pytest.fixture(scope="module")
def over_time(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    root: Path = tmp_path_factory.mktemp("time")
    add_courses(profile.metrics, root)
    for path in profile.tables.glob("*.csv"):
        (root / "tables" / path.name).write_bytes(path.read_bytes())
    return replace(profile, metrics=root / "metrics.json", tables=root / "tables")


def test_curves_latencies_and_matrices(over_time: Profile) -> None:
    (panel,) = course_panels(over_time, [PICTURES])
    assert (panel.method, panel.kind) == ("Ridge regression", "sliding")
    assert "latent: at most" in panel.figure["alt"]
    assert len(panel.matrices) == 2
    found = {(subject, what): float(value) for subject, what, value, _ in panel.latencies}
    assert found["mean", "tokens"] == pytest.approx(1000 * (5.5 / 50 - 0.04), abs=8)
    assert found["mean", "tokens minus latent"] == pytest.approx(60, abs=12)
    assert ("01", "latent") in found


def test_section_is_there_and_all_others_pass_over_windows(
    over_time: Profile, profile: Profile
) -> None:
    page, plain = (read_page(render_page(each)) for each in (over_time, profile))
    assert "#time" in page.references
    assert "Half-peak latency" in page.sections["time"]
    assert "time" not in plain.sections
    for name in ("figures", "scores", "controls", "retrieval"):
        assert page.sections[name] == plain.sections[name]
