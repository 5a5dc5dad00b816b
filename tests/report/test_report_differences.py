"""Differences between methods on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_world import PICTURES

from neurodecode.analysis.profile import Profile
from neurodecode.report.sections.differences import difference_tables


def _differences(*rows: tuple) -> pd.DataFrame:
    columns = ["method", "baseline", "metric", "subject", "difference", "ci_low", "ci_high", "n"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(dataset=PICTURES, task="identification")


def test_differences_tell_the_story_from_its_first_method(profile: Profile) -> None:
    own = replace(profile)
    own.__dict__["differences"] = _differences(
        ("decoder", "ridge", "two_way", "01", 0.5, 0.4, 0.6, 7),
        ("decoder", "ridge", "two_way", "mean", 0.2, -0.1, 0.3, 14),
        ("shuffled", "decoder", "retrieval_top1", "mean", -0.3, -0.35, 0.05, 14),
        ("shuffled", "ridge", "two_way", "02", 0.1, np.nan, np.nan, 1),
    )
    (table,) = difference_tables(own, [PICTURES])
    assert table.columns == ["Two-way identification", "Top-1 retrieval"]
    minus = "\N{MINUS SIGN}"
    got = [
        (row.first, row.second, [(cell.value, cell.interval) for cell in row.cells])
        for row in table.rows
    ]
    assert got == [
        (
            "Contrastive decoder",
            "Ridge regression",
            [("+20.0", f"{minus}10.0 to +30.0"), ("", "")],
        ),
        # measured the other way round: sign and ends change
        (
            "Contrastive decoder",
            "Shuffled responses",
            [("", ""), ("+30.0", f"{minus}5.0 to +35.0")],
        ),
        # a single subject stands for the mean, a single item has no interval
        ("Ridge regression", "Shuffled responses", [(f"{minus}10.0", ""), ("", "")]),
    ]


def test_differences_of_the_world_are_those_of_the_records(profile: Profile) -> None:
    rows = profile.differences.set_index(["method", "baseline", "metric", "subject"])
    value = profile.records.set_index(["method", "metric", "subject"])["value"]
    assert len(rows)
    for method, baseline, name, subject in rows.index:
        want = value[method, name, subject] - value[baseline, name, subject]
        found = rows.loc[(method, baseline, name, subject), "difference"]
        assert found == pytest.approx(want, abs=1e-7)
    tables = difference_tables(profile, [PICTURES])
    assert [table.task for table in tables] == ["Retrieval", "Reconstruction"]


def test_no_differences_no_table(profile: Profile, tmp_path: Path) -> None:
    assert difference_tables(replace(profile, tables=tmp_path), [PICTURES]) == []
