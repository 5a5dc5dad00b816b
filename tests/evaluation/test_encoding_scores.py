"""How well responses are predicted: from prediction files to records."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import r2_score

from neurodecode.cli import main
from neurodecode.errors import DataError
from neurodecode.evaluation.encoding import encoding_scores
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import Prediction, write_predictions

IDS = [f"{number:032x}" for number in range(29)]
TEST = {0: IDS[:13], 1: IDS[13:24]}


def predicted(rng: np.random.Generator, subject: str, fold: int, n_units: int = 7) -> Prediction:
    measured = rng.normal(2, 3, size=(len(IDS), n_units))
    responses = 0.5 * measured + rng.normal(size=measured.shape)
    # what is not on the test side is predicted perfectly: looking at it would show
    other = ~np.isin(IDS, TEST[fold])
    responses[other] = measured[other]
    arrays = {"responses": responses, "measured": measured}
    return Prediction(subject=subject, stimulus_id=IDS, arrays=arrays, fold=fold)


def by_hand(each: Prediction, score) -> float:
    rows = np.isin(IDS, TEST[each.fold])
    p, m = each.arrays["responses"][rows], each.arrays["measured"][rows]
    return float(np.median([score(m[:, unit], p[:, unit]) for unit in range(m.shape[1])]))


def test_scores_are_those_of_scipy_and_scikit_learn_on_test_stimuli(rng) -> None:
    each = predicted(rng, "a", 0)
    r, r2 = encoding_scores(each, "core", TEST[0])
    assert (r.metric, r2.metric, r.n) == ("pearson_r", "r2", 13)
    assert r.value == pytest.approx(by_hand(each, lambda m, p: pearsonr(m, p)[0]), abs=1e-12)
    assert r2.value == pytest.approx(by_hand(each, r2_score), abs=1e-12)
    low, high = np.quantile(r.resampled, [0.025, 0.975])
    assert low < r.value < high < 1


def test_resampling_is_that_of_stimuli(rng) -> None:
    each = predicted(rng, "a", 1)
    scores = encoding_scores(each, "core", TEST[1], n_boot=3)
    counts = np.random.default_rng(1).multinomial(11, np.full(11, 1 / 11), size=3)
    rows = np.flatnonzero(np.isin(IDS, TEST[1]))
    for number, count in enumerate(counts):
        taken = np.repeat(rows, count)
        p, m = each.arrays["responses"][taken], each.arrays["measured"][taken]
        units = range(m.shape[1])
        expected = np.median([pearsonr(m[:, unit], p[:, unit])[0] for unit in units])
        assert scores[0].resampled[number] == pytest.approx(expected, abs=1e-10)
        expected = np.median([r2_score(m[:, unit], p[:, unit]) for unit in units])
        assert scores[1].resampled[number] == pytest.approx(expected, abs=1e-10)


def test_constant_units_are_counted_and_left_out(rng) -> None:
    each = predicted(rng, "a", 0)
    without = encoding_scores(each, "core", TEST[0])[0].value
    arrays = {name: np.c_[values, np.full(len(IDS), 4.0)] for name, values in each.arrays.items()}
    score = encoding_scores(Prediction("a", IDS, arrays), "core", TEST[0])[0]
    assert (score.value, score.extra) == (without, {"n_units": 7, "n_constant": 1})
    nothing = {name: values[:, -1:] for name, values in arrays.items()}
    score = encoding_scores(Prediction("a", IDS, nothing), "core", TEST[0])[0]
    assert np.isnan(score.value)
    assert (score.resampled, score.extra["n_constant"]) == (None, 1)


def test_a_fold_without_its_test_stimuli_is_refused(rng) -> None:
    with pytest.raises(DataError, match="0 test stimuli of fold 0"):
        encoding_scores(predicted(rng, "a", 0), "core", ["f" * 32])


def test_folds_and_subjects_become_records(tmp_path: Path, rng) -> None:
    left = {fold: [name for name in IDS if name not in own] for fold, own in TEST.items()}
    folds = [Fold(tuple(left[fold][2:]), tuple(left[fold][:2]), tuple(TEST[fold])) for fold in TEST]
    split = Split("k-fold", "stimulus", tuple(folds), seed=0)
    write_split(tmp_path / "stores" / "v4" / "splits.json", split)
    each = {
        (subject, fold): predicted(rng, subject, fold, n_units)
        for subject, n_units in (("a", 7), ("b", 8)) for fold in TEST
    }  # fmt: skip
    files = []
    for fold in TEST:
        files.append(tmp_path / f"fold-{fold}.h5")
        attrs = {"task": "encoding", "side": "all", "selection_split": "validation", "seed": 3}
        write_predictions(files[-1], "core", [each["a", fold], each["b", fold]], attrs)
    words = ["--stores", str(tmp_path / "stores"), "--out", str(tmp_path / "out"), "--quiet"]
    given = ["--profile", "real", "--dataset", "v4", "--predictions", *map(str, files)]
    assert main(["evaluate", *given, *words]) == 0
    rows = json.loads((tmp_path / "out" / "metrics.json").read_text())
    found = {(row["subject"], row["metric"]): row for row in rows}
    metrics = ("pearson_r", "r2")
    assert set(found) == {(name, metric) for name in ("a", "b", "mean") for metric in metrics}
    values = {key: by_hand(value, lambda m, p: pearsonr(m, p)[0]) for key, value in each.items()}
    assert found["a", "pearson_r"]["value"] == pytest.approx((values["a", 0] + values["a", 1]) / 2)
    mean = found["mean", "pearson_r"]
    assert mean["value"] == pytest.approx(np.mean(list(values.values())))
    assert mean["ci_low"] < mean["value"] < mean["ci_high"]
    assert (mean["task"], mean["method"], mean["n"], mean["seed"]) == ("encoding", "core", 48, 3)


@pytest.mark.parametrize(("n", "constant"), [(13, False), (13, True), (2, False)])
def test_the_encoder_behind_a_likelihood_is_scored_too(tmp_path, rng, n, constant) -> None:
    measured = rng.normal(size=(n, 7))
    responses = np.zeros((n, 7)) if constant else measured + rng.normal(size=(n, 7))
    scores = -((measured[:, None] - responses) ** 2).sum(axis=2)
    arrays = {"scores": scores, "responses": responses, "measured": measured}
    each = Prediction("a", TEST[0][:n], arrays, candidate_id=TEST[0][:n])
    attrs = {"task": "identification", "scale": "nats", "side": "test"}
    write_predictions(tmp_path / "p.h5", "encoder_likelihood", [each], attrs)
    words = ["--profile", "real", "--dataset", "v4", "--stores", str(tmp_path), "--quiet"]
    given = ["--predictions", str(tmp_path / "p.h5"), "--out", str(tmp_path / "out")]
    # an encoder that says nothing, or nothing that can be correlated, still identifies
    assert main(["evaluate", *words, *given]) == 0
    rows = json.loads((tmp_path / "out" / "metrics.json").read_text())
    found = {row["metric"]: row for row in rows}
    assert found["retrieval_top1"]["task"] == "identification"
    assert ("pearson_r" in found) == (n > 2)
    if n > 2:
        record = found["pearson_r"]
        assert (record["task"], record["method"]) == ("encoding", "encoder_likelihood")
        assert (record["value"] is None, record["ci_low"] is None) == (constant, constant)
