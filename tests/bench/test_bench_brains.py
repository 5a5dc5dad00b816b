from __future__ import annotations

import json

import pytest
from encoding_world import make_world

from neurodecode.bench.brain_places import QUERIES, fair_options, reason_against
from neurodecode.cli import main
from neurodecode.nn.attention import ATTENTION, make_attention
from neurodecode.store import read_predictions


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), n=60)


def compare(stores, out, *words):
    return main(["bench", "attention", "--brains", str(stores), "--epochs", "1", "--quiet",
                 "--out", str(out), *words])  # fmt: skip


def comparisons(out):
    content = json.loads(out.read_text())
    assert content["benchmark"] == "attention_on_brains"
    return content["results"]["comparisons"]


def test_mechanisms_are_compared_on_the_same_responses(stores, tmp_path):
    out, keep = tmp_path / "brains.json", tmp_path / "kept"
    words = ["--mechanisms", "none", "hedgehog", "--keep", str(keep)]
    assert compare(stores, out, *words) == 0
    (found,) = comparisons(out)
    assert (found["settings"]["among"], found["left_out"]) == ("patches", {})
    rows = {row["mechanism"]: row for row in found["rows"]}
    assert set(rows) == {"none", "hedgehog", "softmax"}, "softmax is what all stand beside"
    order = [row["pearson_r"] for row in found["rows"]]
    assert order == sorted(order, reverse=True)
    for name, row in rows.items():
        assert row["ci_low"] <= row["pearson_r"] <= row["ci_high"]
        assert ("minus_softmax" in row) == (name != "softmax")
        if name != "softmax":
            gain = row["pearson_r"] - rows["softmax"]["pearson_r"]
            assert row["minus_softmax"] == pytest.approx(gain, abs=2e-4)
        assert row["step_cpu_ms"] > 0
        assert (row["attention_mflop"] > 0) == (name != "none")
        assert len(row["validation"]) == 1
    assert rows["none"]["parameters"] < rows["softmax"]["parameters"]
    # what a mechanism has of its own its block has less elsewhere, to half a hidden unit
    assert rows["hedgehog"]["own_parameters"] == 2048
    assert abs(rows["hedgehog"]["parameters"] - rows["softmax"]["parameters"]) <= 65

    # queries are another comparison in the same file; what is done is not done again
    about = read_predictions(keep / "hedgehog.h5").attrs
    assert about["cost"]["parameters"] == rows["hedgehog"]["parameters"]
    changed = (keep / "hedgehog.h5").stat().st_mtime_ns
    assert compare(stores, out, *words) == 0
    assert (keep / "hedgehog.h5").stat().st_mtime_ns == changed
    words = ["--among", "queries", "--queries", "unit", "--mechanisms", "axial"]
    assert compare(stores, out, *words) == 0
    first, second = comparisons(out)
    assert first == found
    assert second["settings"]["among"] == "queries"
    assert list(second["left_out"]) == ["axial"]
    assert [row["mechanism"] for row in second["rows"]] == ["softmax"]


@pytest.mark.parametrize("side", [4, 7, 8])
def test_those_that_choose_see_about_half_of_the_patches(side):
    for name in ATTENTION:
        given = fair_options(name, side)
        make_attention(name, 2, 4, given)  # knows its options
        assert all(value >= 1 for value in given.values())
        if "keep" in given and "region" not in given:
            assert given["keep"] == side * side // 2
    assert fair_options("neighbourhood_2d", side)["window"] ** 2 <= 0.6 * side * side
    assert {name for name in ATTENTION if reason_against(name, QUERIES)} == {
        "axial", "bilevel", "lightning", "neighbourhood_1d", "neighbourhood_2d",
    }  # fmt: skip


def test_bad_requests_are_refused_before_training(stores, tmp_path, capsys):
    out = tmp_path / "out.json"
    assert compare(stores, out, "--mechanisms", "none", "soft") == 2
    assert "unknown attention mechanism 'soft'" in capsys.readouterr().err
    assert not out.exists()
    out.write_text('{"results": {"rows": []}}')
    assert compare(stores, out, "--mechanisms", "none") == 2
    assert "not a comparison of mechanisms" in capsys.readouterr().err
    assert out.read_text() == '{"results": {"rows": []}}'
