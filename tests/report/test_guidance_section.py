"""Guided beside unguided on the page, and controls that are not at chance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neurodecode.analysis.profile import Profile
from neurodecode.report.glossary import format_difference, metric
from neurodecode.report.page import render_page
from neurodecode.report.sections.controls import control_rows
from neurodecode.report.sections.guidance import guidance_rows


@pytest.mark.parametrize(
    ("name", "values", "printed"),
    [
        ("accuracy", (-0.01, 0.074), "\N{MINUS SIGN}1.0 to +7.4"),
        ("pixcorr", (0.0124, -0.0004), "+0.012 to 0.000"),
        ("pixcorr", (float("nan"), 0.1), ""),
    ],
)
def test_differences_are_printed_as_the_metric_is_read(
    name: str, values: tuple[float, ...], printed: str
) -> None:
    assert format_difference(metric(name), *values) == printed


def test_controls_above_chance_are_an_alarm(profile: Profile) -> None:
    assert not any(row.alarm for row in control_rows(profile))
    shuffled = profile.records["method"] == "shuffled"
    records = profile.records.copy()
    # the whole interval above chance; pixels and structure have no chance to stay at
    records.loc[shuffled, ["ci_low", "ci_high"]] = [0.51, 0.9]
    leaking = replace(profile)
    leaking.__dict__["records"] = records
    assert {row.metric for row in control_rows(leaking) if row.alarm} == {"Two-way (CLIP)"}
    page = render_page(leaking)
    assert 'class="alarm" role="alert"' in page
    assert '<span class="tag">above chance</span>' in page
    assert "above chance</span>" not in render_page(profile)
    records.loc[shuffled, ["ci_low", "ci_high"]] = [0.1, 0.49]
    assert not any(row.alarm for row in control_rows(leaking))


def test_guided_stands_beside_unguided(profile: Profile) -> None:
    assert guidance_rows(profile) == []
    names = {"decoder": "unguided", "shuffled": "guided"}
    renamed = replace(profile)
    for table in ("records", "differences"):
        frame = getattr(profile, table).copy()
        for column in {"method", "baseline"} & set(frame):
            frame[column] = frame[column].replace(names)
        renamed.__dict__[table] = frame
    rows = {row.metric: row for row in guidance_rows(renamed)}
    assert set(rows) == {"Two-way (CLIP)", "SSIM", "Pixel correlation"}
    table = profile.differences
    (row,) = table[
        (table["subject"] == "mean") & (table["metric"] == "two_way_clip")
        & (table["method"] == "shuffled") & (table["baseline"] == "decoder")
    ].itertuples()  # fmt: skip
    shown = metric("two_way_clip")
    wanted = format_difference(shown, row.difference)
    assert rows["Two-way (CLIP)"].difference[0] == wanted
    # whichever of the two was measured against the other, the page tells guided minus unguided
    turned = renamed.differences.copy()
    turned["method"], turned["baseline"] = turned["baseline"].copy(), turned["method"].copy()
    for name in ("difference", "ci_low", "ci_high"):
        turned[name] = -turned[name]
    turned["ci_low"], turned["ci_high"] = turned["ci_high"].copy(), turned["ci_low"].copy()
    renamed.__dict__["differences"] = turned
    again = {row.metric: row for row in guidance_rows(renamed)}
    assert again["Two-way (CLIP)"].difference == rows["Two-way (CLIP)"].difference
    assert "With and without an encoder's guidance" in render_page(renamed)
