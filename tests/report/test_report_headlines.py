"""Which methods the headlines of the page tell of."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from report_world import PICTURES

from neurodecode.analysis.profile import Profile
from neurodecode.report.sections.headline import headlines


def test_headlines_are_the_proposed_method_even_if_another_is_better(profile: Profile) -> None:
    records = profile.records.copy()
    better = (records["method"] == "ridge") & (records["metric"] == "retrieval_top1")
    records.loc[better, "value"] = 1.0
    changed = replace(profile)
    changed.__dict__["records"] = records
    found = {(item.dataset, item.label): item for item in headlines(changed, [PICTURES])}
    assert found[PICTURES, "Top-1 retrieval"].method == "Contrastive decoder"


def with_methods(profile: Profile, **values: float) -> Profile:
    """The profile with copies of the ridge decoder's records under other names and values."""
    ridge = profile.records[profile.records["method"] == "ridge"]
    more = [ridge.assign(method=name, value=value) for name, value in values.items()]
    changed = replace(profile)
    changed.__dict__["records"] = pd.concat([profile.records, *more], ignore_index=True)
    return changed


@pytest.mark.parametrize(
    ("methods", "label"),
    [
        ({"posterior": 0.25, "stacked_likelihood": 0.75}, "Posterior of several methods"),
        ({"stacked_likelihood": 0.125}, "Stacked encoder likelihood"),
        ({"posterior_shuffled": 0.5}, "Contrastive decoder"),
        ({}, "Contrastive decoder"),
    ],
)
def test_retrieval_is_told_by_what_joins_methods(
    profile: Profile, methods: dict[str, float], label: str
) -> None:
    found = {item.label: item for item in headlines(with_methods(profile, **methods), [PICTURES])}
    assert {found[name].method for name in ("Top-1 retrieval", "Two-way identification")} == {label}
    assert found["Two-way (CLIP)"].method == "Contrastive decoder"
    assert found["Two-way (CLIP)"].beside == ()


def test_retrieval_is_compared_with_decoder_and_ridge(profile: Profile) -> None:
    space = "\N{NARROW NO-BREAK SPACE}"
    records = profile.records
    printed = {}
    for method in ("decoder", "ridge"):
        rows = records[(records["method"] == method) & (records["subject"] == "mean")]
        row = rows.set_index("metric").loc["retrieval_top1"]
        low, high = (f"{100 * row[end]:.1f}" for end in ("ci_low", "ci_high"))
        printed[method] = (f"{100 * row['value']:.1f}{space}%", f"{low} – {high}")
    joined = headlines(with_methods(profile, posterior=0.375), [PICTURES])[0]
    assert joined.value == f"37.5{space}%"
    assert joined.beside == (
        ("Contrastive decoder", *printed["decoder"]),
        ("Ridge regression", *printed["ridge"]),
    )
    alone = headlines(profile, [PICTURES])[0]
    assert (alone.value, alone.interval) == printed["decoder"]
    assert alone.beside == (("Ridge regression", *printed["ridge"]),)


def test_transductive_methods_make_no_headline(profile: Profile) -> None:
    changed = replace(profile)
    changed.__dict__["records"] = profile.records.assign(transductive=True)
    assert headlines(changed, [PICTURES]) == []


def test_brain_modules_are_told_before_ridge(profile: Profile) -> None:
    only = replace(profile)
    ridge = profile.records[profile.records["method"] == "ridge"]
    names = {"ridge@1": 0.75, "alone": 0.5, "joint": 0.25, "conv": 0.125}
    more = [ridge.assign(method=name, value=value) for name, value in names.items()]
    only.__dict__["records"] = pd.concat([ridge, *more], ignore_index=True)
    found = {item.label: item for item in headlines(only, [PICTURES])}["Top-1 retrieval"]
    assert found.method == "Convolutional brain module"
    assert [name for name, *_ in found.beside] == ["Ridge regression"]
