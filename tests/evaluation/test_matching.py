"""Matching of all test items together: cases worked by hand, other implementations, the command."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.special import log_softmax

from neurodecode.cli import main
from neurodecode.commands import evaluate
from neurodecode.errors import ConfigError, DataError
from neurodecode.evaluation.matching import MATCHINGS, match, obstacle
from neurodecode.metrics.functional import csls, hungarian, sinkhorn, top_k_credit
from neurodecode.metrics.records import read_records
from neurodecode.report.glossary import method_label
from neurodecode.store import Prediction, write_predictions

IDS = list("abcdefg")
#: Candidate a is a hub: every response is closest to it.
HUB = np.array([[0.9, 0.5, 0.1], [0.8, 0.75, 0.2], [0.8, 0.1, 0.75]])


def test_csls_of_a_case_worked_by_hand():
    # nearest neighbour of rows .9 .8 .8, of columns .9 .75 .75
    want = 2 * HUB - np.array([[0.9], [0.8], [0.8]]) - np.array([[0.9, 0.75, 0.75]])
    np.testing.assert_allclose(csls(HUB, 1), want)
    assert HUB.argmax(axis=1).tolist() == [0, 0, 0]
    assert csls(HUB, 1).argmax(dim=1).tolist() == [0, 1, 2]
    # with all neighbours a row's mean is a constant of the row, a column's that of the hub
    np.testing.assert_allclose(csls(HUB, 3)[0, 0], 1.8 - 0.5 - 2.5 / 3)


@pytest.mark.parametrize("n", range(1, 7))
def test_assignment_against_all_permutations(rng, n):
    scores = rng.normal(size=(n, n))
    best = max(permutations(range(n)), key=lambda order: scores[range(n), order].sum())
    assert hungarian(scores).tolist() == list(best)


def dense_sinkhorn(scores, epsilon, n_steps=20000):
    """The textbook: scale rows and columns of the kernel in turn."""
    kernel = np.exp((scores - scores.max()) / epsilon)
    rows, columns = (np.ones(size) / size for size in kernel.shape)
    v = np.ones(kernel.shape[1])
    for _ in range(n_steps):
        u = rows / (kernel @ v)
        v = columns / (kernel.T @ u)
    return u[:, None] * kernel * v


@pytest.mark.parametrize("shape", [(7, 7), (5, 8), (1, 4)])
def test_sinkhorn_against_the_textbook(rng, shape):
    scores = np.tanh(rng.normal(size=shape))
    np.testing.assert_allclose(sinkhorn(scores, 0.2), dense_sinkhorn(scores, 0.2), atol=1e-8)


def test_sinkhorn_survives_what_overflows_in_the_textbook(rng):
    plan = sinkhorn(rng.normal(size=(6, 6)) + 900, 1.0)
    np.testing.assert_allclose(plan.sum(0), np.full(6, 1 / 6), rtol=1e-8)


@pytest.mark.parametrize("name", MATCHINGS)
@pytest.mark.parametrize("scale", ["cosine", "nats"])
def test_one_item_is_found_among_itself(name, scale):
    scores, _ = match(np.array([[0.3]]), name, scale)
    assert top_k_credit(scores).tolist() == [1]


@pytest.mark.parametrize("name", MATCHINGS)
@pytest.mark.parametrize("scores", [np.zeros((90, 90)), np.tile(np.linspace(0, 1, 90), (90, 1))])
def test_a_collapsed_decoder_stays_at_chance(name, scores):
    # in the order of the file an assignment among ties would be the truth itself
    matched, _ = match(scores, name, "cosine")
    assert float(np.mean(top_k_credit(matched).numpy())) <= 4 / 90


def test_order_decides_only_among_equals(rng):
    tied = np.ones((5, 6))
    assert hungarian(tied, seed=1).tolist() != hungarian(tied, seed=2).tolist()
    clear = rng.normal(size=(5, 6))
    assert hungarian(clear, seed=1).tolist() == hungarian(clear, seed=2).tolist()


@pytest.mark.parametrize("name", MATCHINGS)
def test_constants_of_a_response_do_not_count_in_likelihoods(rng, name):
    scores = 3 * rng.normal(size=(6, 6))
    shifted = scores + 1e4 * rng.normal(size=(6, 1))
    first, second = (match(values, name, "nats")[0] for values in (scores, shifted))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_sinkhorn_of_likelihoods_is_the_posterior_under_one_to_one(rng):
    scores = 2 * rng.normal(size=(4, 4))
    plan, settings = match(scores, "sinkhorn", "nats")
    assert settings == {"sinkhorn_epsilon": 1}
    np.testing.assert_allclose(plan, dense_sinkhorn(log_softmax(scores, axis=1), 1), atol=1e-8)


def test_neighbours_fit_the_test_set(rng):
    assert match(rng.normal(size=(3, 4)), "csls", "cosine")[1] == {"csls_k": 3}
    assert match(rng.normal(size=(30, 40)), "csls", "cosine")[1] == {"csls_k": 10}


def test_what_cannot_be_matched_is_refused():
    with pytest.raises(ConfigError, match="known: csls, sinkhorn, hungarian"):
        match(HUB, "greedy", "cosine")
    with pytest.raises(DataError, match="unknown scale"):
        match(HUB, "csls", "volts")
    with pytest.raises(DataError, match="not finite"):
        match(np.array([[np.nan]]), "hungarian", "cosine")


def test_obstacles():
    assert obstacle(Prediction("1", list("aab"), {}), 2, "csls") is None
    assert "2 responses" in obstacle(Prediction("1", list("aab"), {}), 3, "hungarian")
    assert "3 responses for 4" in obstacle(Prediction("1", list("abc"), {}), 4, "sinkhorn")
    assert obstacle(Prediction("1", list("abc"), {}), 3, "sinkhorn") is None


@pytest.mark.parametrize("name", MATCHINGS)
def test_labels_say_what_was_matched(name):
    assert method_label(f"ridge+{name}").startswith("Ridge regression, ")
    assert name in evaluate.MATCHINGS


@pytest.fixture
def score(tmp_path):
    """Write one file of scores, evaluate it, return records by method and metric, or the code."""

    def run(ids, scores, **attrs):
        made = {"task": "identification", "selection_split": "train", "scale": "cosine", **attrs}
        made = {key: value for key, value in made.items() if value is not None}
        each = Prediction("01", ids, {"scores": scores}, IDS[: scores.shape[1]])
        write_predictions(tmp_path / "ridge.h5", "ridge", [each], made)
        code = main(["evaluate", "--profile", "p", "--dataset", "tiny", "--predictions",
                     str(tmp_path / "ridge.h5"), "--matching", *MATCHINGS,
                     "--out", str(tmp_path), "--quiet"])  # fmt: skip
        if code:
            return code
        records = read_records(tmp_path / "metrics.json")
        return {(record.method, record.metric): record for record in records}

    return run


def test_command_adds_rows_that_say_so(score):
    found = score(IDS[:3], HUB)
    plain = found["ridge", "retrieval_top1"]
    assert plain.value == pytest.approx(1 / 3)
    assert not plain.transductive
    for name in MATCHINGS:
        record = found[f"ridge+{name}", "retrieval_top1"]
        assert record.value == 1
        assert record.transductive
        assert record.selection_split == "train"
    assert found["ridge+csls", "two_way"].extra == {"csls_k": 3}
    # an assignment ranks nothing
    assert ("ridge+hungarian", "two_way") not in found


def test_command_leaves_out_what_does_not_apply_and_says_so(score, caplog):
    found = score(["a", "c", "c"], HUB)
    assert {method for method, _ in found} == {"ridge", "ridge+csls"}
    assert "ridge+hungarian left out: subject 01: one stimulus has 2 responses" in caplog.text


def test_command_wants_to_know_the_scale_and_the_side(score, capsys):
    assert score(IDS[:3], HUB, scale=None) == 2
    assert "on which scale" in capsys.readouterr().err
    assert score(IDS[:3], HUB, side="validation") == 2
    assert "predictions of the validation side" in capsys.readouterr().err
