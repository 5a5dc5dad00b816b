"""The way of a new user, at smoke size: `dvc repro`, again, with a change, twice the same."""

from __future__ import annotations

import json

from neurodecode.metrics.records import read_records
from neurodecode.splits import read_split
from neurodecode.store import read_predictions

METHODS = {"ridge", "encoder_likelihood", "decoder", "posterior"}


def test_every_stage_left_its_result(smoke):
    records = read_records(smoke.root / "reports" / "mini" / "metrics.json")
    identification = {r.method for r in records if r.task == "identification"}
    assert identification >= METHODS
    reconstruction = {r.method for r in records if r.task == "reconstruction"}
    assert {"decoder", "low_level", "shuffled"} <= reconstruction
    subjects = {r.subject for r in records}
    assert subjects == {"01", "02", "mean"}
    assert all(r.n_candidates == 17 for r in records if r.metric == "retrieval_top1")
    page = (smoke.root / "reports" / "mini" / "index.html").read_text()
    assert page.startswith("<!doctype html>")


def test_the_posterior_is_weighed_on_validation_alone(smoke):
    runs = smoke.root / "runs" / "mini"
    test = read_predictions(runs / "posterior.h5")
    assert test.attrs["side"] == "test"
    assert {name for own in test.attrs["weights"].values() for name in own} == {
        "decoder", "encoder_likelihood",
    }  # fmt: skip
    (fold,) = read_split(smoke.root / "data" / "stores" / "mini-fmri" / "splits.json").folds
    files = [
        runs / "decoder" / "predictions-validation.h5",
        runs / "validation" / "encoder_likelihood-validation.h5",
    ]
    for path in files:
        assert read_predictions(path).attrs["side"] == "validation"
        for each in read_predictions(path).predictions:
            assert set(each.stimulus_id) <= set(fold.validation)
    assert read_predictions(runs / "decoder" / "predictions.h5").attrs["side"] == "test"


def test_records_have_the_documented_keys(smoke):
    rows = json.loads((smoke.root / "reports" / "mini" / "metrics.json").read_text())
    keys = [
        "profile",
        "dataset",
        "subject",
        "task",
        "method",
        "metric",
        "value",
        "ci_low",
        "ci_high",
        "chance",
        "n",
        "n_candidates",
        "n_averaged",
        "selection_split",
        "transductive",
        "seed",
        "version",
    ]
    assert all(list(row)[: len(keys)] == keys for row in rows)
    assert {row["dataset"] for row in rows} == {"mini-fmri"}


def test_second_run_does_nothing(smoke):
    assert "up to date" in smoke.dvc("repro").stdout


def test_a_training_parameter_reruns_only_what_depends_on_it(smoke):
    path = smoke.root / "configs" / "mini" / "prior.yaml"
    before = path.read_text()
    shorter = {"trainer.max_epochs": 1, "trainer.check_val_every_n_epoch": 1}
    smoke.edit("configs/mini/prior.yaml", shorter)
    changed = json.loads(smoke.dvc("status", "--json").stdout)
    path.write_text(before)
    # DVC names the stages whose own inputs differ; what follows them runs because they did
    assert set(changed) == {"prior"}


def test_the_same_seed_gives_the_same_metrics_even_after_a_kill(smoke):
    # the fixture's run was killed during training and resumed; this one is not
    metrics = smoke.root / "reports" / "mini" / "metrics.json"
    resumed = metrics.read_bytes()
    for stage in ("decoder", "posterior", "prior", "reconstruct", "evaluate"):
        smoke.dvc("repro", "--force", "--no-run-cache", "--single-item", stage)
    assert metrics.read_bytes() == resumed
