from __future__ import annotations

import json

import pytest
from encoding_world import make_world

from neurodecode.cli import main


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), n=60)


def compare(stores, out, *words):
    return main(["bench", "attention", "--brains", str(stores), "--epochs", "1", "--quiet",
                 "--out", str(out), *words])  # fmt: skip


def test_mechanisms_are_compared_on_the_same_responses(stores, tmp_path):
    out = tmp_path / "brains.json"
    assert compare(stores, out, "--mechanisms", "none", "sigmoid") == 0
    content = json.loads(out.read_text())
    assert content["benchmark"] == "attention_on_brains"
    rows = {row["mechanism"]: row for row in content["results"]["rows"]}
    assert set(rows) == {"none", "sigmoid", "softmax"}, "softmax is what all stand beside"
    order = [row["pearson_r"] for row in content["results"]["rows"]]
    assert order == sorted(order, reverse=True)
    for name, row in rows.items():
        assert row["ci_low"] <= row["pearson_r"] <= row["ci_high"]
        assert ("minus_softmax" in row) == (name != "softmax")
        if name != "softmax":
            gain = row["pearson_r"] - rows["softmax"]["pearson_r"]
            assert row["minus_softmax"] == pytest.approx(gain, abs=2e-4)
    assert rows["none"]["parameters"] < rows["softmax"]["parameters"]
    own = {name: row["parameters"] - row["own_parameters"] for name, row in rows.items()}
    assert own["sigmoid"] == own["softmax"]


def test_unknown_mechanisms_are_refused_before_training(stores, tmp_path, capsys):
    assert compare(stores, tmp_path / "out.json", "--mechanisms", "none", "soft") == 2
    assert "unknown attention mechanism 'soft'" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()
