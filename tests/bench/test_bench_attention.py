from __future__ import annotations

import json

import pytest
import torch

from neurodecode.bench.attention import PATTERNS, Settings, rows
from neurodecode.bench.memory import peak_memory
from neurodecode.cli import main
from neurodecode.nn.attention import ATTENTION


def test_the_command_measures_every_mechanism_in_every_pattern(tmp_path):
    out = tmp_path / "deep" / "attention.json"
    words = ["bench", "attention", "--quiet", "--lengths", "64", "9", "--repeats", "1"]
    assert main([*words, "--heads", "2", "--head-dim", "4", "--backward", "--out", str(out)]) == 0
    content = json.loads(out.read_text())
    assert content["benchmark"] == "attention"
    assert content["machine"]["versions"]["torch"] == torch.__version__.split("+")[0]
    results = content["results"]
    if not torch.cuda.is_available():
        assert results["device"] == "cpu; no accelerator on this machine"
    found = {(r["mechanism"], r["pattern"], r["length"]) for r in results["rows"]}
    assert found == {(m, p, n) for m in ATTENTION for p in PATTERNS for n in (9, 64)}
    assert all(row["ms"] > 0 for row in results["rows"])


def test_what_would_take_too_long_or_too_much_is_left_out_and_says_so():
    slow = Settings(n_heads=1, head_dim=4, repeats=1, seconds=0.0)
    made = list(rows(["softmax"], [4, 64], slow))
    assert ["skipped" in row for row in made] == [False, True] * 4, "the first sets the pace"
    assert made[1]["skipped"].startswith("would take about")
    small = Settings(n_heads=1, head_dim=4, repeats=1, memory=1e-9)
    assert all("GB" in row["skipped"] for row in rows(["softmax"], [4], small))


def test_peak_memory_is_that_of_the_block():
    with peak_memory("cpu") as peak:
        held = torch.ones(40_000_000)  # 160 MB
        del held
    assert peak.bytes == pytest.approx(160e6, rel=0.1)


@pytest.mark.parametrize(("words", "message"), [
    (["--lengths", "10"], "lengths must be squares"),
    (["--mechanisms", "soft"], "unknown attention mechanism 'soft'"),
])  # fmt: skip
def test_bad_options_end_in_one_line(words, message, tmp_path, capsys):
    out = tmp_path / "attention.json"
    assert main(["bench", "attention", "--quiet", "--out", str(out), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()
