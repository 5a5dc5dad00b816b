"""MetricRecords: validated, complete, and written as the same bytes."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from neurodecode.errors import DataError
from neurodecode.metrics.catalogue import METRIC_NAMES, SELECTION_SPLITS, TASKS
from neurodecode.metrics.records import (
    MetricRecord,
    read_records,
    records_frame,
    summarise,
    write_records,
)


def record(**changes) -> MetricRecord:
    fields = {
        "profile": "mini", "dataset": "mini-fmri", "subject": "01", "task": "identification",
        "method": "decoder", "metric": "retrieval_top1", "value": 1 / 3, "ci_low": 0.25,
        "ci_high": 0.4, "chance": 0.01, "n": 100, "n_candidates": 100, "n_averaged": 3,
        "selection_split": "validation", "transductive": False, "seed": 0, "version": "0.1.0",
    }  # fmt: skip
    return MetricRecord(**(fields | changes))


def test_fields_come_in_order_and_extra_at_the_end():
    row = record(extra={"weights": "untrained", "draws": 30}).to_dict()
    names = [item.name for item in dataclasses.fields(MetricRecord)]
    assert list(row) == [*names[:-1], "draws", "weights"]
    assert row["value"] == 0.3333333333
    assert isinstance(row["n_averaged"], float)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "guessing"}, "unknown name 'guessing'; known: identification"),
        ({"metric": "score"}, "unknown name 'score'"),
        ({"selection_split": "test"}, "unknown name 'test'"),
        ({"value": float("nan")}, "not finite"),
        ({"chance": np.inf}, "not finite"),
        ({"value": "high"}, "not a number"),
        ({"value": True}, "not a number"),
        ({"n": 2.5}, "not a count"),
        ({"n": -1}, "not a count"),
        ({"n": None}, "number of items is missing"),
        ({"subject": 1}, "not text"),
        ({"transductive": 1}, "not true or false"),
        ({"ci_low": 0.5}, "no interval"),
        ({"ci_low": None}, "no interval"),
        ({"extra": {"value": 1}}, "name of a field"),
        ({"extra": {"list": [1]}}, "plain value"),
        ({"extra": {"x": float("nan")}}, "finite"),
    ],
)
def test_what_is_not_a_record_is_refused_in_one_line(changes, message):
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        record(**changes)
    assert "\n" not in str(caught.value)


def test_numpy_numbers_become_plain_ones():
    made = record(value=np.float32(0.5), n=np.int64(7), transductive=np.bool_(True))
    assert (type(made.value), type(made.n), type(made.transductive)) == (float, int, bool)
    assert record(extra={"k": np.int64(3)}).extra == {"k": 3}


def test_records_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        record().value = 1.0


def test_round_trip_and_same_bytes_in_any_order(tmp_path):
    records = [
        record(subject="02"),
        record(value=None, ci_low=None, ci_high=None, seed=None, n_candidates=None),
        record(metric="two_way_clip", extra={"weights": "untrained"}, value=0.1 + 0.2),
    ]
    write_records(tmp_path / "a.json", records)
    write_records(tmp_path / "b.json", reversed(records))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    back = read_records(tmp_path / "a.json")
    write_records(tmp_path / "c.json", back)
    assert (tmp_path / "c.json").read_bytes() == (tmp_path / "a.json").read_bytes()
    assert {row.subject for row in back} == {"01", "02"}
    assert json.loads((tmp_path / "a.json").read_text())[-1]["value"] == 0.3
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_same_claim_twice_is_refused(tmp_path):
    with pytest.raises(DataError, match="occurs twice"):
        write_records(tmp_path / "m.json", [record(value=0.3), record(value=0.35)])
    assert not (tmp_path / "m.json").exists()
    write_records(tmp_path / "m.json", [record(), record(extra={"window": "5 s"})])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ('{"a": 1}', "not a list of records"),
        ("[1]", "not a list of records"),
        ('[{"profile": "mini"}]', "lacks dataset"),
    ],
)
def test_broken_files_are_named(tmp_path, text, message):
    path = tmp_path / "metrics.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_records(path)
    assert str(path) in str(caught.value)


def test_a_wrong_record_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps([record().to_dict() | {"task": "guessing"}]))
    with pytest.raises(DataError, match=re.escape(str(path))):
        read_records(path)


def test_frame():
    frame = records_frame([record(), record(subject="02", value=None, extra={"k": 3})])
    assert frame["subject"].tolist() == ["01", "02"]
    assert frame["value"].isna().tolist() == [False, True]
    assert frame["k"].isna().tolist() == [True, False]
    assert list(records_frame([]).columns)[:2] == ["profile", "dataset"]
    assert isinstance(records_frame([]), pd.DataFrame)


@pytest.mark.parametrize("statistic", [np.mean, np.median])
def test_summary_of_items(rng, statistic):
    scores = {"01": rng.random(7), "02": rng.random(9)}
    about = {
        key: value
        for key, value in record(subject="01+02").to_dict().items()
        if key not in ("value", "ci_low", "ci_high", "n")
    }
    made = summarise(scores, statistic=statistic, **about)
    assert made.n == 16
    assert made.value == pytest.approx(np.mean([statistic(x) for x in scores.values()]))
    assert made.ci_low < made.value < made.ci_high
    assert made == summarise(scores, statistic=statistic, **about)
    single = summarise(np.array([0.5]), **about)
    assert (single.n, single.value, single.ci_low, single.ci_high) == (1, 0.5, None, None)


def test_every_name_is_documented(repository):
    text = (repository / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `([a-z0-9_]+)` \|", text, flags=re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == set(METRIC_NAMES)
    for name in (*TASKS, *SELECTION_SPLITS):
        assert f"`{name}`" in text


def test_importing_records_costs_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys, neurodecode.metrics.records, neurodecode.metrics.bootstrap;"
        "sys.exit(bool({'torch', 'pandas', 'torchmetrics', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
