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
from neurodecode.evaluation.encoding import FDR, encoding_scores, unit_scores
from neurodecode.evaluation.units import CATEGORY_SELECTIVE, EARLY_VISUAL, Units
from neurodecode.evaluation.whole import WholeScore
from neurodecode.evaluation.whole_differences import whole_differences
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


def score(each: Prediction, test, units: Units | None = None, **options) -> dict:
    found = encoding_scores(each, "core", unit_scores(each, test, **options), units)
    return {(one.part, one.metric): one for one in found}


def test_scores_are_those_of_scipy_and_scikit_learn_on_test_stimuli(rng) -> None:
    each = predicted(rng, "a", 0)
    found = score(each, TEST[0])
    assert {metric for _, metric in found} == {"pearson_r", "r2", "significant_units"}
    r, r2 = found["", "pearson_r"], found["", "r2"]
    assert r.n == 13
    assert r.value == pytest.approx(by_hand(each, lambda m, p: pearsonr(m, p)[0]), abs=1e-12)
    assert r2.value == pytest.approx(by_hand(each, r2_score), abs=1e-12)
    low, high = np.quantile(r.resampled, [0.025, 0.975])
    assert low < r.value < high < 1


def test_resampling_is_that_of_stimuli(rng) -> None:
    each = predicted(rng, "a", 1)
    found = score(each, TEST[1], n_boot=3)
    scores = found["", "pearson_r"], found["", "r2"]
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
    without = score(each, TEST[0])["", "pearson_r"].value
    arrays = {name: np.c_[values, np.full(len(IDS), 4.0)] for name, values in each.arrays.items()}
    one = score(Prediction("a", IDS, arrays), TEST[0])["", "pearson_r"]
    assert (one.value, one.extra) == (without, {"n_units": 7, "n_constant": 1})
    nothing = {name: values[:, -1:] for name, values in arrays.items()}
    for metric in ("pearson_r", "significant_units"):
        one = score(Prediction("a", IDS, nothing), TEST[0])["", metric]
        assert np.isnan(one.value)
        assert (one.resampled, one.extra["n_constant"]) == (None, 1)


def test_a_fold_without_its_test_stimuli_is_refused(rng) -> None:
    with pytest.raises(DataError, match="0 test stimuli of fold 0"):
        unit_scores(predicted(rng, "a", 0), ["f" * 32])


def test_units_are_significant_at_a_rate_of_false_discoveries(rng) -> None:
    """Forty units that follow nothing, and eight that are predicted well."""
    measured = rng.normal(size=(len(IDS), 48))
    responses = rng.normal(size=measured.shape)
    responses[:, 40:] = measured[:, 40:] + 0.5 * rng.normal(size=(len(IDS), 8))
    each = Prediction("a", IDS, {"responses": responses, "measured": measured})
    found = unit_scores(each, IDS, n_boot=2, n_permutations=999)
    _, exact = pearsonr(responses, measured, axis=0, alternative="greater")
    np.testing.assert_allclose(found.p, exact, atol=0.06)
    assert (found.q[40:] <= FDR).all()
    assert (found.q[:40] <= FDR).sum() <= 2
    # Benjamini and Hochberg by hand
    order = np.argsort(found.p)
    ranked = found.p[order] * 48 / np.arange(1, 49)
    np.testing.assert_allclose(found.q[order], np.minimum.accumulate(ranked[::-1])[::-1])
    share = encoding_scores(each, "core", found)
    assert {one.value for one in share if one.metric == "significant_units"} == {
        (found.q <= FDR).mean()
    }


def test_regions_and_ceilings(rng) -> None:
    each = predicted(rng, "a", 0)
    regions = {"V1": np.arange(7) < 3, "FFA": np.arange(7) >= 5}
    ceiling = np.array([0.25, 0.5, 0.01, 0.4, 0.0, 0.81, 0.64])
    found = score(each, TEST[0], Units(regions, ceiling=ceiling))
    rows = np.isin(IDS, TEST[0])
    p, m = each.arrays["responses"][rows], each.arrays["measured"][rows]
    r = np.array([pearsonr(m[:, unit], p[:, unit])[0] for unit in range(7)])
    assert found["V1", "pearson_r"].value == pytest.approx(np.median(r[:3]))
    assert found["FFA", "pearson_r"].extra == {"n_units": 2, "n_constant": 0}
    # units of which less than a twentieth can be explained are not normalised
    name = "pearson_r_ceiling_normalised"
    kept = r[[0, 1, 3, 5, 6]] / np.sqrt(ceiling[[0, 1, 3, 5, 6]])
    assert found["", name].value == pytest.approx(np.median(kept))
    assert found["V1", name].value == pytest.approx(np.median(r[:2] / [0.5, np.sqrt(0.5)]))
    # the challenge leaves none out: without a ceiling any positive correlation is worth 1
    challenge = found["", "algonauts2023"]
    each_unit = np.minimum(np.maximum(r, 0) ** 2 / np.maximum(ceiling, 1e-14), 1)
    assert challenge.value == pytest.approx(np.median(each_unit))
    assert challenge.extra["mean_over_units"] == pytest.approx(each_unit.mean())
    assert (challenge.extra["n_without_ceiling"], each_unit[4]) == (1, 1.0)


def test_regions_of_a_store(rng) -> None:
    columns = {
        "roi": ["V1d", "V1d", "FFA-1", "ventral", "PPA"],
        "prf-visualrois": ["V1d", "V1d", "", "", ""],
        "floc-faces": ["", "", "FFA-1", "", ""],
        "floc-places": ["", "", "", "", "PPA"],
        "ncsnr": [0.4, 0.5, 0.0, 1.0, 2.0],
    }

    class Store:
        def feature_names(self):
            return list(columns)

        def feature(self, name):
            return np.array(columns[name])

    units = Units.of(Store(), n_averaged=3)
    members = {name: np.flatnonzero(each).tolist() for name, each in units.regions.items()}
    assert members == {
        "V1d": [0, 1], "FFA-1": [2], "ventral": [3], "PPA": [4],
        EARLY_VISUAL: [0, 1], CATEGORY_SELECTIVE: [2, 4],
    }  # fmt: skip
    np.testing.assert_allclose(units.ceiling, [0.16 / (0.16 + 1 / 3), 0.25 / (0.25 + 1 / 3), 0,
                                               3 / 4, 12 / 13])  # fmt: skip


def test_two_encoders_are_compared_on_the_same_resampled_stimuli() -> None:
    def scored(method: str, subject: str, value: float, spread: list[float], part: str = ""):
        return WholeScore(
            subject, "encoding", method, "pearson_r", 0, value, 9, 1.0, 0.0, np.array(spread), part
        )

    scores = [
        scored("ridge", "a", 0.5, [0.4, 0.5, 0.6]), scored("ridge", "b", 0.3, [0.2, 0.3, 0.4]),
        scored("core", "a", 0.6, [0.5, 0.6, 0.7]), scored("core", "b", 0.6, [0.6, 0.6, 0.6]),
        scored("core", "a", 0.9, [0.9, 0.9, 0.9], "V1"),
    ]  # fmt: skip
    table = whole_differences(scores, "v4").set_index("subject")
    assert list(table.index) == ["a", "b", "mean"]  # nothing to compare in V1
    assert set(table["baseline"]) == {"ridge"}
    assert table.loc["a", "difference"] == pytest.approx(0.1)
    # the same whatever the sample: no interval to speak of
    assert table.loc["a", "ci_low"] == pytest.approx(table.loc["a", "ci_high"])
    assert table.loc["mean", "difference"] == pytest.approx(0.2)
    np.testing.assert_allclose(
        table.loc["mean", ["ci_low", "ci_high"]].astype(float),
        np.quantile([0.25, 0.2, 0.15], [0.025, 0.975]),
    )


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
    metrics = ("pearson_r", "r2", "significant_units")
    assert set(found) == {(name, metric) for name in ("a", "b", "mean") for metric in metrics}
    values = {key: by_hand(value, lambda m, p: pearsonr(m, p)[0]) for key, value in each.items()}
    assert found["a", "pearson_r"]["value"] == pytest.approx((values["a", 0] + values["a", 1]) / 2)
    mean = found["mean", "pearson_r"]
    assert mean["value"] == pytest.approx(np.mean(list(values.values())))
    assert mean["ci_low"] < mean["value"] < mean["ci_high"]
    assert (mean["task"], mean["method"], mean["n"], mean["seed"]) == ("encoding", "core", 48, 3)
    lines = (tmp_path / "out" / "tables" / "units.csv").read_text().splitlines()
    assert lines[0] == "dataset,subject,method,fold,unit,region,pearson_r,r2,noise_ceiling,p,q"
    assert len(lines) == 1 + 2 * 7 + 2 * 8


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
