"""Encoding by region on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from page_reader import read_page
from report_world import PICTURES

from neurodecode.analysis.profile import Profile
from neurodecode.evaluation.encoding import encoding_scores, unit_scores
from neurodecode.evaluation.items import write_table
from neurodecode.evaluation.units import CATEGORY_SELECTIVE, EARLY_VISUAL, Units
from neurodecode.evaluation.whole import summarise_wholes
from neurodecode.evaluation.whole_differences import whole_differences
from neurodecode.metrics.records import read_records, write_records
from neurodecode.report.page import render_page
from neurodecode.report.sections.regions import region_tables
from neurodecode.report.sections.results import Cell
from neurodecode.store import Prediction

NAMES = [f"{k:02d}" for k in range(17)]
SELECTIVE = np.arange(9) >= 5


@pytest.fixture(scope="module")
def by_region(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """Two encoders of two subjects; only the second knows what drives selective voxels."""
    root: Path = tmp_path_factory.mktemp("regions")
    rng = np.random.default_rng(4)
    scores = []
    for method, knows in (("ridge", False), ("routing", True)):
        for subject in ("01", "02"):
            measured = rng.normal(size=(17, 9))
            responses = measured + rng.normal(size=(17, 9))
            if not knows:
                responses[:, SELECTIVE] = rng.normal(size=(17, SELECTIVE.sum()))
            each = Prediction(subject, NAMES, {"responses": responses, "measured": measured})
            regions = {EARLY_VISUAL: ~SELECTIVE, CATEGORY_SELECTIVE: SELECTIVE}
            if subject == "02":
                regions["FFA-1"] = np.arange(9) == 8
            scores += encoding_scores(each, method, unit_scores(each, NAMES), Units(regions))
    about = {"profile": "mini", "dataset": PICTURES}
    made = {("encoding", method, ""): {} for method in ("ridge", "routing")}
    records = summarise_wholes(scores, about, made)
    write_records(root / "metrics.json", [*read_records(profile.metrics), *records])
    for path in profile.tables.glob("*.csv"):
        (root / path.name).write_bytes(path.read_bytes())
    write_table(root / "encoding_differences.csv", whole_differences(scores, PICTURES))
    return replace(profile, metrics=root / "metrics.json", tables=root)


def number(cell: Cell) -> float:
    return float(cell.value.replace("−", "-"))


def test_groups_come_first_and_differences_have_intervals(by_region: Profile) -> None:
    (table,) = region_tables(by_region, [PICTURES])
    assert table.regions == [EARLY_VISUAL, CATEGORY_SELECTIVE, "FFA-1"]
    cells = dict(table.rows)
    assert set(cells) == {"Ridge regression", "Attention-routing encoder"}
    early, selective, single = cells["Attention-routing encoder"]
    assert min(map(number, (early, selective, single))) > 0.3
    assert number(cells["Ridge regression"][1]) < 0.3
    assert early.interval
    assert single.interval
    ((_, _, (_, difference)),) = table.differences
    assert difference.value.strip("+−-")
    assert difference.interval


def test_section_is_there_and_the_scores_are_of_all_units(
    by_region: Profile, profile: Profile
) -> None:
    page, plain = (read_page(render_page(each)) for each in (by_region, profile))
    assert "#regions" in page.references
    assert CATEGORY_SELECTIVE in page.sections["regions"]
    assert "regions" not in plain.sections
    assert CATEGORY_SELECTIVE not in page.sections["scores"]
    assert set(by_region.regions["region"]) == {EARLY_VISUAL, CATEGORY_SELECTIVE, "FFA-1"}
    assert not by_region.records["region"].notna().any()
