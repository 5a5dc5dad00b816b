"""Bootstrap intervals: against scipy, their coverage, and what is resampled together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap

from neurodecode.errors import DataError
from neurodecode.metrics import bootstrap as module
from neurodecode.metrics.bootstrap import bootstrap_ci, bootstrap_difference


@pytest.mark.parametrize("statistic", [np.mean, np.median])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_against_scipy(rng, statistic, level):
    scores = rng.exponential(size=83)
    got = bootstrap_ci(scores, statistic, n_boot=20_000, level=level)
    want = scipy_bootstrap(
        (scores,), statistic, n_resamples=20_000, confidence_level=level, method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert got.value == pytest.approx(statistic(scores))
    assert (got.low, got.high) == pytest.approx(tuple(want), abs=0.02)


def test_seeded(rng):
    scores = rng.normal(size=50)
    assert bootstrap_ci(scores, seed=3) == bootstrap_ci(scores, seed=3)
    assert bootstrap_ci(scores, seed=3) != bootstrap_ci(scores, seed=4)


def test_coverage():
    rng = np.random.default_rng(5)
    hits = 0
    for trial in range(300):
        interval = bootstrap_ci(rng.normal(size=80), n_boot=400, seed=trial)
        hits += interval.low <= 0 <= interval.high
    assert 0.90 <= hits / 300 <= 0.98


def test_shared_stimuli_are_resampled_together(rng):
    # all of the spread is in the stimuli, so a second subject adds no certainty
    one = rng.normal(size=120)
    both = bootstrap_ci(np.stack([one, one]), n_boot=4000)
    single = bootstrap_ci(one, n_boot=4000)
    assert both.high - both.low == pytest.approx(single.high - single.low, rel=0.06)
    assert both.value == pytest.approx(single.value)


def test_own_stimuli_are_resampled_apart(rng):
    scores = {"a": rng.normal(size=120), "b": rng.normal(size=90)}
    got = bootstrap_ci(scores, n_boot=8000)
    want = np.sqrt(sum(x.var() / len(x) for x in scores.values())) / 2
    assert got.value == pytest.approx(np.mean([x.mean() for x in scores.values()]))
    assert got.high - got.low == pytest.approx(2 * 1.96 * want, rel=0.06)


def test_paired_difference_is_tighter_than_the_difference_of_intervals(rng):
    difficulty = rng.normal(size=100)
    first, second = difficulty + 0.1 + 0.01 * rng.normal(size=100), difficulty
    got = bootstrap_difference(first, second)
    assert got.low > 0.09
    assert got.high < 0.11
    assert got.value == pytest.approx((first - second).mean())
    alone = bootstrap_ci(first)
    assert got.high - got.low < (alone.high - alone.low) / 10


def test_difference_of_means_is_the_mean_difference(rng):
    first, second = rng.normal(size=(2, 7, 31))
    got = bootstrap_difference(first, second, seed=2)
    want = bootstrap_ci(first - second, seed=2)
    assert (got.low, got.high) == pytest.approx((want.low, want.high))
    groups = bootstrap_difference({"a": first[0], "b": first[1]}, {"b": second[1], "a": second[0]})
    assert groups.value == pytest.approx((first - second)[:2].mean())


def test_difference_of_medians(rng):
    first, second = rng.exponential(size=(2, 60))
    got = bootstrap_difference(first, second, np.median)
    assert got.value == pytest.approx(np.median(first) - np.median(second))


@pytest.mark.parametrize("scores", [np.array([0.7]), {"a": np.array([0.7]), "b": np.array([0.7])}])
def test_one_item_has_a_value_and_no_interval(scores):
    got = bootstrap_ci(scores)
    assert got.value == pytest.approx(0.7)
    assert got.low is got.high is None


def test_constant_scores_have_an_interval_of_no_width():
    got = bootstrap_ci(np.full(9, 0.25))
    assert (got.low, got.value, got.high) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("scores", [np.array([]), {}, {"a": np.array([])}, np.zeros((2, 3, 4))])
def test_nothing_to_resample(scores):
    with pytest.raises(DataError, match="no scores"):
        bootstrap_ci(scores)


def test_undefined_scores_are_the_callers_decision():
    with pytest.raises(DataError, match="2 scores are NaN"):
        bootstrap_ci(np.array([1.0, np.nan, np.nan]))


def test_pairs_must_match():
    with pytest.raises(DataError, match="pair up"):
        bootstrap_difference(np.zeros(7), np.zeros(8))
    with pytest.raises(DataError, match="pair up"):
        bootstrap_difference({"a": np.zeros(7), "b": np.zeros(8)}, {"a": np.zeros(7)})
    with pytest.raises(ValueError, match="level"):
        bootstrap_ci(np.zeros(7), level=95)


def test_chunks_bound_memory_and_keep_the_law(rng, monkeypatch):
    scores = rng.normal(size=(3, 40))
    whole = bootstrap_ci(scores, n_boot=3000)
    monkeypatch.setattr(module, "_MAX_VALUES", 1000)
    pieces = bootstrap_ci(scores, n_boot=3000)
    assert (whole.low, whole.high) == pytest.approx((pieces.low, pieces.high), abs=0.02)
