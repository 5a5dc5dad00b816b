"""Scores of attention decoders against independent numbers."""

from __future__ import annotations

import numpy as np
import pytest
from reference_numbers import read_reference

from neurodecode.errors import DataError
from neurodecode.metrics.functional import (
    binomial_limit,
    binomial_p,
    d_prime,
    expected_switch_duration,
    information_transfer_rate,
    match_mismatch_credit,
    mesd,
    top_k_credit,
)


@pytest.fixture
def reference(fixtures_dir):
    return read_reference(fixtures_dir, "attention_metrics")


def test_accuracy_d_prime_and_what_guessing_gives(reference):
    given, expected = reference
    attended, ignored = np.array(given["r_attended"]), np.array(given["r_unattended"])
    credit = top_k_credit(np.stack([ignored, attended], 1), truth=np.ones(60, int), tolerance=0)
    assert float(credit.mean()) == pytest.approx(expected["accuracy_half_credit"])
    assert d_prime(attended, ignored) == pytest.approx(expected["d_prime"], rel=1e-8)
    strict = (attended > ignored).sum()
    assert binomial_p(strict, 60) == pytest.approx(expected["binomial_p_value"], rel=1e-8)
    for n, limit in expected["chance_limit_95"].items():
        assert binomial_limit(int(n)) == pytest.approx(limit)
    scores = np.array(given["match_mismatch_scores_true_first"])
    found = top_k_credit(scores, truth=np.zeros(40, int)).mean()
    assert float(found) == pytest.approx(expected["match_mismatch_accuracy"])


def test_information_transfer_rate(reference):
    for n, p, window, bits, rate in reference[1]["itr"]:
        found = information_transfer_rate(p, window, int(n))
        # below chance the formula gives bits that nobody can use
        assert found == pytest.approx((bits, rate) if p > 1 / n else (0, 0), rel=1e-8)
    with pytest.raises(DataError, match="window 0 s"):
        information_transfer_rate(0.7, 0.0)


def test_match_mismatch_is_the_expected_two_way_score():
    others = np.array([[0.1, 0.3, np.nan], [0.5, 0.5, 0.1]])
    credit = match_mismatch_credit(np.array([0.2, 0.5]), others)
    np.testing.assert_allclose(credit, [0.5, (0.5 + 0.5 + 1) / 3])


def test_mesd_equals_the_reference_numbers(fixtures_dir):
    given, expected = read_reference(fixtures_dir, "mesd")
    for name, curve in given["curves"].items():
        found = mesd(curve["tau"], curve["p"])
        want = expected[name]
        assert found.seconds == pytest.approx(want["mesd"], rel=1e-9)
        assert found.window_s == pytest.approx(want["tau_opt"], rel=1e-9)
        assert found.accuracy == pytest.approx(want["p_opt"], rel=1e-9)
        assert (found.n_states, found.target) == (want["N_opt"], want["k_target"])
    curve = given["curves"]["published_demo"]
    for name, options in (
        ("published_demo_Nmin10", {"fewest_states": 10}),
        ("published_demo_Nmin10_P0_0.85_c_0.7",
         {"fewest_states": 10, "confidence": 0.85, "comfort": 0.7}),
    ):  # fmt: skip
        found = mesd(curve["tau"], curve["p"], **options)
        assert found.seconds == pytest.approx(expected[name]["mesd"], rel=1e-9)
        assert found.n_states == expected[name]["N_opt"]


def test_expected_switch_duration_equals_the_reference_numbers(fixtures_dir):
    expected = read_reference(fixtures_dir, "mesd")[1]
    row = expected["esd_at_tau1"]
    seconds, n_states, target = expected_switch_duration(np.array(row["p"]), 1.0)
    np.testing.assert_allclose(seconds, row["esd"], rtol=1e-9)
    assert (n_states.tolist(), target.tolist()) == (row["N"], row["k"])
    perfect = expected["perfect_accuracy_analytic"]
    seconds, _, _ = expected_switch_duration(1.0, perfect["tau"])
    assert seconds[0] == perfect["esd"]


def test_hitting_times_are_those_of_the_chain():
    """The closed form against the linear equations of the birth-death chain itself."""
    p = 0.63
    seconds, _, target = expected_switch_duration(p, 1.0)
    k = int(target[0])
    moves = np.zeros((k - 1, k - 1))
    for i in range(k - 1):
        moves[i, max(i - 1, 0)] += 1 - p
        if i + 1 < k - 1:
            moves[i, i + 1] += p
    steps = np.linalg.solve(np.eye(k - 1) - moves, np.ones(k - 1))
    weight = (p / (1 - p)) ** -np.arange(k - 1.0)
    assert seconds[0] == pytest.approx(weight @ steps / weight.sum(), rel=1e-10)


def test_without_anything_above_chance_there_is_no_duration():
    assert mesd([1, 5], [0.5, 0.42]) is None
    assert mesd([5], [0.8]).window_s == 5
    with pytest.raises(DataError, match=r"not above \.5"):
        expected_switch_duration(0.5, 1.0)
