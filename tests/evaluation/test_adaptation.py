"""Learning curves through `evaluate`: one record for each number of trials."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from neurodecode.analysis.tables import DIFFERENCES, ITEMS, read_table
from neurodecode.cli import main
from neurodecode.errors import DataError
from neurodecode.evaluation.predictions import Evaluator
from neurodecode.metrics.records import read_records
from neurodecode.store import Prediction, read_predictions, write_predictions

IDS = [f"{number:032x}" for number in range(9)]
COUNTS = {"01": 70, "02": 50}


def write(folder, method, trials, right):
    """Predictions of both subjects, of which the first so many are right."""
    paths = []
    for subject, count in COUNTS.items():
        n_trials = count if trials == "all" else int(trials)
        scores = np.eye(9)
        scores[right:] = np.roll(scores[right:], 1, axis=1)
        each = Prediction(subject, IDS, {"scores": scores}, IDS, n_trials=n_trials)
        attrs = {"task": "adaptation", "trials": trials, "scale": "nats", "seed": 3}
        attrs["selection_split"] = "validation"
        paths.append(folder / f"{method}-{subject}-{trials}.h5")
        write_predictions(paths[-1], method, [each], attrs)
    return paths


@pytest.fixture
def scored(tmp_path):
    """Folder of the scores of two methods, each after 20 trials and after all."""
    files = []
    for method, few, many in (("adapted", 7, 8), ("ridge", 2, 6)):
        files += write(tmp_path, method, "20", few) + write(tmp_path, method, "all", many)
    words = ["evaluate", "--profile", "p", "--dataset", "tiny", "--predictions",
             *map(str, files), "--out", str(tmp_path / "out"), "--quiet"]  # fmt: skip
    assert main(words) == 0
    return tmp_path / "out"


def test_each_number_of_trials_has_its_record(scored):
    records = [each for each in read_records(scored / "metrics.json")
               if each.metric == "retrieval_top1"]  # fmt: skip
    found = {(r.method, r.subject, r.extra["trials"]): (r.extra["n_trials"], r.value)
             for r in records}  # fmt: skip
    assert {r.task for r in records} == {"adaptation"}
    assert len(found) == 12
    assert found["adapted", "01", "20"] == (20, pytest.approx(7 / 9))
    assert found["adapted", "01", "all"] == (70, pytest.approx(8 / 9))
    assert found["ridge", "02", "all"] == (50, pytest.approx(6 / 9))
    assert found["ridge", "mean", "all"] == (60, pytest.approx(6 / 9))
    assert found["ridge", "mean", "20"] == (20, pytest.approx(2 / 9))
    raw = json.loads((scored / "metrics.json").read_text())
    assert all(isinstance(row["n_trials"], int) for row in raw)
    items = read_table(scored / "tables" / "items.csv", ITEMS)
    assert set(items["trials"]) == {"20", "all"}


def test_methods_are_compared_after_equally_many_trials(scored):
    table = read_table(scored / "tables" / "differences.csv", DIFFERENCES)
    top1 = table[(table["metric"] == "retrieval_top1") & (table["subject"] == "mean")]
    # the method that came first is the baseline
    assert set(zip(top1["method"], top1["baseline"], strict=True)) == {("ridge", "adapted")}
    found = {row.trials: row.difference for row in top1.itertuples()}
    assert found == {"20": pytest.approx(-5 / 9), "all": pytest.approx(-2 / 9)}


def test_predictions_that_do_not_count_their_trials_are_refused(tmp_path):
    path = write(tmp_path, "adapted", "20", 7)[0]
    content = read_predictions(path)
    assert content.predictions[0].n_trials == 20
    evaluate = Evaluator("tiny", tmp_path, tmp_path)
    with pytest.raises(DataError, match="does not say how many trials"):
        evaluate(replace(content, attrs={"task": "adaptation"}))
    uncounted = [replace(each, n_trials=None) for each in content.predictions]
    with pytest.raises(DataError, match="does not say how many trials"):
        evaluate(replace(content, predictions=uncounted))
