"""`neurodecode combine`: from fitted baselines to scores, and what must not be combined."""

from __future__ import annotations

import numpy as np
import pytest
from decoding_world import N_TEST, N_TRAIN, N_VALIDATION

from neurodecode.cli import main
from neurodecode.errors import DataError
from neurodecode.evaluation.combination import Ranking, combine, rankings
from neurodecode.metrics.functional import expert_log_likelihood, fit_posterior
from neurodecode.metrics.records import read_records
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import EmbeddingStore, Prediction, read_predictions, write_predictions
from neurodecode.store.predictions import PredictionFile

IDS = [f"{number:032x}" for number in range(N_TRAIN + N_VALIDATION + N_TEST)]
SIDES = {"validation": IDS[N_TRAIN : N_TRAIN + N_VALIDATION], "test": IDS[-N_TEST:]}
WIDTH = 40


class World:
    """Predictions of three methods on both sides of one fold, and what the command says."""

    def __init__(self, root, rng):
        self.root, self.rng = root, rng
        self.truth = dict(zip(IDS, rng.normal(size=(len(IDS), WIDTH)), strict=True))
        store = EmbeddingStore.create(root / "tower.h5", IDS, {"tokens": (WIDTH,)})
        store.write(np.arange(len(IDS)), {"tokens": np.stack(list(self.truth.values()))})
        folds = (Fold(tuple(IDS[:N_TRAIN]), tuple(SIDES["validation"]), tuple(SIDES["test"])),)
        write_split(root / "splits.json", Split("holdout", "stimulus", folds))
        for side, ids in SIDES.items():
            self.write("decoder", side, ids)
            self.write("encoder", side, ids)
            self.write("noise", side, ids)

    def path(self, method, side):
        return self.root / f"{method}_{side}.h5"

    def write(self, method, place, ids, **attrs):
        """The decoder writes tokens, the others scores with the candidates in another order."""
        n = len(ids)
        candidates = ids[::-1]
        made = {"task": "identification", "side": place, "selection_split": "train"}
        if method == "decoder":
            tokens = np.stack([self.truth[name] for name in ids])
            arrays = {"tokens": tokens + 2.5 * self.rng.normal(size=tokens.shape)}
            made |= {"embedding": "tower", "target": "tokens"}
            candidates = []
        else:
            scores = 300 * self.rng.normal(size=(n, n))
            if method == "encoder":
                scores += 600 * np.eye(n)[::-1]
            arrays = {"scores": scores}
        each = Prediction("01", ids, arrays, candidates, n_averaged=3)
        write_predictions(self.path(method, place), method, [each], {**made, **attrs})

    def combine(self, *methods, test=None, extra=(), embeddings=True):
        files = [
            [str(self.path(m, side)) for m in names]
            for side, names in (("validation", methods), ("test", test or methods))
        ]
        words = ["--embeddings", str(self.root)] if embeddings else []
        code = main(["combine", "--validation", *files[0], "--predictions", *files[1],
                     "--splits", str(self.root / "splits.json"), *words, *extra,
                     "--out", str(self.root / "out.h5"), "--quiet"])  # fmt: skip
        return read_predictions(self.root / "out.h5") if code == 0 else code


@pytest.fixture
def world(tmp_path, rng):
    return World(tmp_path, rng)


def test_writes_log_posteriors_that_evaluate_reads(world):
    content = world.combine("decoder", "encoder", extra=("--name", "both"))
    (each,) = content.predictions
    assert (content.method, each.subject, each.fold, each.n_averaged) == ("both", "01", 0, 3)
    assert sorted(each.candidate_id) == SIDES["test"]
    np.testing.assert_allclose(np.exp(each.arrays["scores"]).sum(axis=1), 1, rtol=1e-5)
    assert content.attrs["selection_split"] == "validation"
    assert content.attrs["scale"] == "nats"
    weights = content.attrs["weights"]["01/0"]
    assert weights["decoder"] > weights["encoder"] > 0  # cosines and hundreds of nats
    code = main(["evaluate", "--profile", "p", "--dataset", world.root.name,
                 "--predictions", str(world.root / "out.h5"), "--matching", "hungarian",
                 "--out", str(world.root), "--quiet"])  # fmt: skip
    assert code == 0
    top1 = {r.method: r for r in read_records(world.root / "metrics.json")
            if r.metric == "retrieval_top1"}  # fmt: skip
    assert top1["both"].value > 0.6
    assert not top1["both"].transductive
    assert top1["both+hungarian"].transductive


def test_same_as_by_hand(world):
    content = world.combine("encoder", "noise")
    side = {}
    for name, ids in SIDES.items():
        side[name] = {
            method: read_predictions(world.path(method, name)).predictions[0].arrays["scores"]
            for method in ("encoder", "noise")
        }
        truth = np.arange(len(ids))[::-1]
        if name == "validation":
            weights = fit_posterior(side[name], truth)
    assert content.attrs["weights"]["01/0"] == pytest.approx(weights)
    logs = sum(weights[name] * scores for name, scores in side["test"].items())
    logs = logs - np.log(np.exp(logs - logs.max(1, keepdims=True)).sum(1, keepdims=True))
    got = content.predictions[0]
    column = [got.candidate_id.index(name) for name in SIDES["test"][::-1]]
    difference = got.arrays["scores"][:, column] - logs
    np.testing.assert_allclose(difference - difference[:, :1], 0, atol=1e-4)


def test_test_items_do_not_touch_the_weights(world):
    before = world.combine("decoder", "encoder").attrs["weights"]
    world.write("encoder", "test", SIDES["test"])
    assert world.combine("decoder", "encoder").attrs["weights"] == before


def test_one_method_keeps_its_ranking(world):
    alone = world.combine("encoder").predictions[0]
    given = read_predictions(world.path("encoder", "test")).predictions[0]
    assert (alone.arrays["scores"].argmax(1) == given.arrays["scores"].argmax(1)).all()


def test_knowledge_of_the_test_set_is_passed_on(world):
    world.write("encoder", "test", SIDES["test"], transductive=True)
    assert world.combine("decoder", "encoder").attrs["transductive"] is True


def test_two_files_of_one_method_are_two_experts(world):
    content = world.combine("encoder", "encoder")
    assert set(content.attrs["weights"]["01/0"]) == {"encoder", "encoder#2"}


@pytest.mark.parametrize(("change", "message"), [
    (lambda w: w.write("encoder", "validation", SIDES["test"]),
     "9 stimuli are not on the validation side"),
    (lambda w: w.write("encoder", "test", SIDES["validation"]), "not on the test side"),
    (lambda w: w.write("encoder", "validation", IDS[:N_VALIDATION]), "not on the validation side"),
    (lambda w: w.write("encoder", "validation", SIDES["validation"], side="train"),
     "predictions of the train side given as validation"),
    (lambda w: w.write("encoder", "test", SIDES["test"][1:]), "not those of the other methods"),
    (lambda w: w.write("encoder", "test", SIDES["test"], task="classification"), "to identify"),
    (lambda w: w.path("encoder", "test").unlink(), "encoder_test.h5: file is missing"),
    (lambda w: (w.root / "tower.h5").unlink(), "tower.h5: file is missing"),
    (lambda w: write_split(w.root / "splits.json", Split(
        "runs", "run", (Fold(("ses-01_run-01",), ("ses-01_run-02",), ("ses-01_run-03",)),))),
     "by run"),
])  # fmt: skip
def test_leaks_and_mismatches_end_in_one_line(world, capsys, change, message):
    change(world)
    assert world.combine("decoder", "encoder") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (world.root / "out.h5").exists()


def test_files_come_in_pairs(world, capsys):
    assert world.combine("decoder", "encoder", test=("encoder", "decoder")) == 2
    assert "not of the same method" in capsys.readouterr().err
    assert world.combine("decoder", "encoder", test=("decoder",)) == 2
    assert "one file of --validation for each" in capsys.readouterr().err


def test_decoded_tokens_need_their_targets(world, capsys):
    assert world.combine("decoder", "encoder", embeddings=False) == 2
    assert "--embeddings" in capsys.readouterr().err
    assert world.combine("encoder", "noise", embeddings=False) != 2


def ranking(scores, ids="abc"):
    return Ranking({"m": np.asarray(scores, dtype=float)}, list(ids), list(ids), 1.0)


def test_every_fold_needs_its_own_validation():
    with pytest.raises(DataError, match="no validation predictions of fold 1"):
        combine({("01", 0): ranking(np.eye(3))}, {("01", 1): ranking(np.eye(3))})


def test_undefined_scores_are_named():
    with pytest.raises(DataError, match="subject 01, field scores: fold 0: scores are not finite"):
        combine({("01", 0): ranking(np.full((3, 3), np.nan))}, {("01", 0): ranking(np.eye(3))})


def test_methods_have_to_cover_the_same_subjects_and_repeats():
    def file(method, subjects, n_averaged=1.0):
        return PredictionFile(method, [
            Prediction(s, ["a", "b"], {"scores": np.eye(2)}, ["a", "b"], n_averaged)
            for s in subjects
        ])  # fmt: skip

    with pytest.raises(DataError, match="subject 02: fold 0 is not predicted by n"):
        rankings([file("m", ["01", "02"]), file("n", ["01"])], None)
    with pytest.raises(DataError, match="predicted twice"):
        rankings([file("m", ["01", "01"]), file("n", ["01", "01"])], None)
    with pytest.raises(DataError, match="n averages 2 repeats, m 1"):
        rankings([file("m", ["01"]), file("n", ["01"], 2.0)], None)


def test_validation_likelihood_is_that_of_the_best_or_better(world):
    content = world.combine("decoder", "encoder", "noise")
    files = [read_predictions(world.path(m, "validation")) for m in ("decoder", "encoder", "noise")]
    held_out = rankings(files, world.root)["01", 0]
    truth = held_out.truth()
    together = expert_log_likelihood(held_out.scores, content.attrs["weights"]["01/0"], truth)
    for name, scores in held_out.scores.items():
        own = {name: scores}
        assert together >= expert_log_likelihood(own, fit_posterior(own, truth), truth) - 1e-9
