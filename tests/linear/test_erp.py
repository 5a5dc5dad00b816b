"""Classifiers of epochs, through the command line and by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from meeg_worlds import write_n170
from sklearn.metrics import roc_auc_score

from neurodecode.cli import main
from neurodecode.evaluation.classification import auc_scores
from neurodecode.linear.erp import ErpEnsemble, WindowMeans, select_by_groups, windowed_lda
from neurodecode.metrics.functional import auc_placements
from neurodecode.store import Prediction, read_predictions


def test_placements_average_to_the_auc(rng):
    scores = rng.integers(0, 6, 23)  # with ties
    positive = rng.random(23) < 0.4
    found = auc_placements(scores, positive).numpy()
    wanted = roc_auc_score(positive, scores)
    for part in (positive, ~positive, np.ones(23, bool)):
        assert found[part].mean() == pytest.approx(wanted)
    with pytest.raises(ValueError, match="both classes"):
        auc_placements(scores, np.ones(23, bool))


def test_auc_of_a_fold():
    scores = np.array([[0.0, 1.0], [0.0, -1.0], [0.0, 0.5], [0.0, 2.0]], dtype=np.float32)
    truth = ["face", "house", "house", "face"]
    prediction = Prediction("1", truth, {"scores": scores}, candidate_id=["house", "face"])
    found = auc_scores(prediction, "m")
    assert found.values.tolist() == [1, 1, 1, 1]
    assert found.chance == 0.5
    one = Prediction("1", ["face"] * 4, {"scores": scores}, candidate_id=["house", "face"])
    assert auc_scores(one, "m") is None


def test_window_means(rng):
    epochs = rng.standard_normal((3, 2, 17))
    found = WindowMeans(2, 15, 4).fit(epochs).transform(epochs)
    assert found.shape == (3, 6)
    np.testing.assert_allclose(found[1, 4], epochs[1, 1, 6:10].mean())


def make(rng, n=60, shift=1.5):
    labels = np.array(["a", "b"])[rng.integers(0, 2, n)]
    epochs = rng.standard_normal((n, 3, 20))
    epochs[labels == "b", 1, 8:12] += shift
    return epochs, labels


def test_ensemble_finds_what_is_there(rng):
    epochs, labels = make(rng)
    new, truth = make(rng)
    model = ErpEnsemble([windowed_lda(0, 20, 4), windowed_lda(8, 12, 2)]).fit(epochs, labels)
    assert (model.predict(new) == truth).mean() > 0.85


def test_selection_prefers_the_window_with_the_signal(rng):
    epochs, labels = make(rng)
    groups = np.arange(60) % 3
    candidates = [windowed_lda(0, 4, 4), windowed_lda(8, 12, 4)]
    best, scores = select_by_groups(candidates, epochs, labels, groups)
    assert best is candidates[1]
    assert scores[0] < 0.7 < scores[1]


@pytest.mark.parametrize("method", ["xdawn_tangent", "erp_ensemble"])
def test_command_predicts_each_run_from_the_others(tmp_path, rng, method):
    write_n170(tmp_path / "raw", rng, runs=3)
    stores, out = tmp_path / "stores", tmp_path / "p.h5"
    words = ["prepare", "--dataset", "n170", "--root", tmp_path / "raw", "--out", stores,
             "--val-share", 0]  # fmt: skip
    assert main([*map(str, words), "--quiet"]) == 0
    words = ["baseline", "--method", method, "--stores", stores, "--splits",
             stores / "splits.json", "--jobs", 1, "--out", out]  # fmt: skip
    assert main([*map(str, words), "--quiet"]) == 0
    content = read_predictions(out)
    assert content.attrs["task"] == "classification"
    assert [each.fold for each in content.predictions] == [0, 1, 2]
    for each in content.predictions:
        scores = each.array("scores")
        assert scores.shape == (8, 2)
        np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, rtol=1e-5)
        assert each.candidate_id == ["face", "house"]


def test_stores_without_time_are_refused(tmp_path, rng, capsys):
    from dataset_worlds import write_haxby

    (tmp_path / "raw").mkdir()
    write_haxby(tmp_path / "raw", rng)
    stores = tmp_path / "stores"
    words = ["prepare", "--dataset", "haxby2001", "--root", tmp_path / "raw", "--out", stores,
             "--val-share", 0]  # fmt: skip
    assert main([*map(str, words), "--quiet"]) == 0
    words = ["baseline", "--method", "xdawn_tangent", "--stores", stores, "--splits",
             stores / "splits.json", "--jobs", 1, "--out", tmp_path / "p.h5"]  # fmt: skip
    assert main([*map(str, words), "--quiet"]) == 2
    assert "needs (n_trials, n_channels, n_times)" in capsys.readouterr().err
