"""Products of experts: weights against a grid, what they must ignore, what they must not lose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from neurodecode.metrics.functional import (
    expert_log_likelihood,
    expert_posterior,
    fit_posterior,
    posterior,
    top_k_credit,
)

N, N_CANDIDATES = 400, 23


@pytest.fixture
def truth(rng):
    return rng.integers(0, N_CANDIDATES, N)


def expert(rng, truth, gain, scale=1.0):
    """Scores that are log-probabilities at temperature `scale`: Gaussian evidence of unit noise."""
    scores = gain * rng.normal(size=(len(truth), N_CANDIDATES))
    scores[np.arange(len(truth)), truth] += gain**2
    return scale * scores


def test_product_worked_by_hand():
    scores = {"a": np.log([[0.5, 0.25, 0.25]]), "b": np.log([[0.2, 0.4, 0.4]])}
    got = expert_posterior(scores, {"a": 2.0, "b": 1.0}).exp()
    # .25*.2, .0625*.4, .0625*.4
    np.testing.assert_allclose(got, [[0.5, 0.25, 0.25]])


def test_one_calibrated_expert_is_the_posterior(rng, truth):
    scores = expert(rng, truth, 2.0)
    np.testing.assert_allclose(
        expert_posterior({"a": scores}, {"a": 1.0}).exp(), posterior(scores), rtol=1e-9
    )
    assert fit_posterior({"a": scores}, truth)["a"] == pytest.approx(1, rel=0.15)


def test_weights_undo_temperatures(rng, truth):
    scores = {"hot": expert(rng, truth, 1.5, 0.01), "cold": expert(rng, truth, 1.5, 500.0)}
    weights = fit_posterior(scores, truth)
    assert weights["hot"] * 0.01 == pytest.approx(1, rel=0.25)
    assert weights["cold"] * 500 == pytest.approx(1, rel=0.25)


def test_weights_against_a_grid(rng, truth):
    scores = {"a": expert(rng, truth, 1.0), "b": expert(rng, truth, 0.7)}
    scores["b"] = scores["b"] + 0.8 * scores["a"]
    weights = fit_posterior(scores, truth)
    grid = np.linspace(0, 2, 41)
    best = max(
        np.mean(log_softmax(a * scores["a"] + b * scores["b"], axis=1)[np.arange(N), truth])
        for a in grid
        for b in grid
    )
    found = expert_log_likelihood(scores, weights, truth)
    assert found >= best
    assert found == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("standardise", [False, True])
def test_useless_experts_get_no_weight(rng, truth, standardise):
    noise = rng.normal(size=(N, N_CANDIDATES))
    scores = {"good": expert(rng, truth, 2.0), "noise": noise, "flat": np.full(noise.shape, 0.1),
              "wrong": -expert(rng, truth, 1.0)}  # fmt: skip
    weights = fit_posterior(scores, truth, standardise=standardise)
    assert weights["flat"] == 0
    assert weights["wrong"] == pytest.approx(0, abs=1e-9)
    assert weights["noise"] < 0.1 * weights["good"]


@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_never_worse_on_validation_than_the_best_alone(seed, standardise):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, N_CANDIDATES, 30)
    gains = rng.uniform(0, 3, size=rng.integers(2, 5))
    scores = {str(m): expert(rng, truth, g, 10 ** rng.uniform(-3, 3)) for m, g in enumerate(gains)}
    how = {"standardise": standardise}
    together = expert_log_likelihood(scores, fit_posterior(scores, truth, **how), truth, **how)
    for name, values in scores.items():
        alone = {name: values}
        own = expert_log_likelihood(alone, fit_posterior(alone, truth, **how), truth, **how)
        assert together >= own - 1e-9
    assert together >= -np.log(N_CANDIDATES) - 1e-9


def test_two_independent_experts_know_more_than_one(rng):
    truth = {side: rng.integers(0, N_CANDIDATES, N) for side in ("validation", "test")}
    scores = {
        side: {"a": expert(rng, index, 1.5, 30), "b": expert(rng, index, 1.5, 0.1)}
        for side, index in truth.items()
    }
    weights = fit_posterior(scores["validation"], truth["validation"])
    combined = expert_posterior(scores["test"], weights)
    credit = {name: top_k_credit(values, 1, truth["test"]).mean()
              for name, values in {**scores["test"], "ab": combined}.items()}  # fmt: skip
    assert credit["ab"] > max(credit["a"], credit["b"]) + 0.1


def test_perfect_experts_leave_the_weights_finite(rng):
    scores = {"a": 5 * np.eye(9), "b": np.eye(9)}
    weights = fit_posterior(scores)
    assert np.isfinite(list(weights.values())).all()
    assert expert_log_likelihood(scores, weights) == pytest.approx(0, abs=1e-6)


def test_constants_of_a_row_do_not_matter(rng, truth):
    scores = expert(rng, truth, 1.0)
    shifted = scores + 1e3 * rng.normal(size=(N, 1))
    assert fit_posterior({"a": shifted}, truth)["a"] == pytest.approx(
        fit_posterior({"a": scores}, truth)["a"], rel=1e-4
    )


def test_one_candidate_is_certain():
    assert expert_posterior({"a": [[3.0]]}, fit_posterior({"a": [[3.0]]})).tolist() == [[0.0]]


@pytest.mark.parametrize(("scores", "truth", "message"), [
    ({}, None, "share one shape"),
    ({"a": np.zeros((2, 3)), "b": np.zeros((2, 4))}, None, "share one shape"),
    ({"a": np.full((2, 3), np.nan)}, None, "not finite"),
    ({"a": np.zeros((2, 3))}, [0, 3], "outside 0..2"),
    ({"a": np.zeros((0, 3))}, None, "no validation items"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_refused(scores, truth, message):
    with pytest.raises(ValueError, match=message):
        fit_posterior(scores, truth)


def test_weights_of_other_methods_are_refused():
    with pytest.raises(ValueError, match="weights of"):
        expert_posterior({"a": np.zeros((2, 3))}, {"b": 1.0})


def test_reversed_views_are_taken_as_they_are():
    assert expert_posterior({"a": np.eye(3)[::-1]}, {"a": 50.0}).argmax(1).tolist() == [2, 1, 0]
