"""Time-resolved decoding on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from page_reader import read_page
from report_world import PICTURES

from neurodecode.analysis.profile import Profile
from neurodecode.evaluation.course_records import course_records, latency_differences
from neurodecode.evaluation.items import write_table
from neurodecode.evaluation.timecourse import time_course
from neurodecode.metrics.records import read_records, write_records
from neurodecode.report.page import render_page
from neurodecode.report.sections.timecourse import course_panels
from neurodecode.store import Prediction
from neurodecode.store.predictions import PredictionFile

N_WINDOWS, ONSET = 9, {"latent": 3, "tokens": 6}


def course(target: str):
    rng = np.random.default_rng(len(target))
    names = [f"{k:02d}" for k in range(14)]
    predictions = []
    for subject in ("01", "02"):
        for k in range(N_WINDOWS):
            scores = rng.normal(size=(14, 14)) + 4.0 * np.eye(14) * (k >= ONSET[target])
            across = rng.normal(size=(14, N_WINDOWS, 14)).astype(np.float16)
            arrays = {"scores": scores, "across": across}
            window = (k / 50 - 0.06, k / 50 - 0.02)
            predictions.append(Prediction(subject, names, arrays, names, window=window))
    attrs = {"windows": "sliding", "target": target}
    return time_course(PredictionFile("ridge", predictions, attrs))


@pytest.fixture(scope="module")
def over_time(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    root: Path = tmp_path_factory.mktemp("time")
    courses = [course(target) for target in ONSET]
    about = {"profile": "mini", "dataset": PICTURES}
    records = [record for each in courses for record in course_records(each, about)]
    records += latency_differences(courses, about)
    write_records(root / "metrics.json", [*read_records(profile.metrics), *records])
    tables = [table for each in courses for table in each.generalisation(PICTURES)]
    write_table(root / "generalisation.csv", pd.concat(tables, ignore_index=True))
    for path in profile.tables.glob("*.csv"):
        (root / path.name).write_bytes(path.read_bytes())
    return replace(profile, metrics=root / "metrics.json", tables=root)


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
