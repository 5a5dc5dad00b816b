"""Attention as a hidden Markov chain, in files and in streams."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference_numbers import read_reference

from neurodecode.auditory.decisions import start_state, step, switches
from neurodecode.auditory.markov import (
    filtered,
    fixed_lag,
    likeliest_path,
    log_evidence,
    smoothed,
    stay_matrix,
)
from neurodecode.auditory.state_space import StateSpaceMemory, state_step, tune_state_space
from neurodecode.errors import ConfigError


@pytest.fixture
def reference(fixtures_dir):
    given, expected = read_reference(fixtures_dir, "attention_smoothing")
    names = ("log_likelihood_time_by_state", "transition", "initial")
    return [np.array(given[name]) for name in names], expected


def test_equals_the_sum_over_all_paths(reference):
    chain, expected = reference
    np.testing.assert_allclose(chain[1], stay_matrix(2, 0.9))
    np.testing.assert_allclose(filtered(*chain), expected["filtered"], rtol=1e-8)
    np.testing.assert_allclose(smoothed(*chain), expected["smoothed"], rtol=1e-8)
    np.testing.assert_allclose(fixed_lag(*chain, 2), expected["fixed_lag_2"], rtol=1e-8)
    assert log_evidence(*chain) == pytest.approx(expected["log_evidence"], rel=1e-8)
    path, joint = likeliest_path(*chain)
    assert path.tolist() == expected["viterbi"]
    assert joint == pytest.approx(expected["viterbi_log_joint"], rel=1e-8)


def test_a_stream_gives_what_a_file_gives(rng):
    like, move = rng.normal(size=(23, 3)), stay_matrix(3, 0.8)
    initial = np.array([0.5, 0.3, 0.2])
    state, posterior, moved = start_state(initial), [], []
    for number, row in enumerate(like):
        decision, state = step(row, state, move, threshold=0.6)
        again, _ = step(row, state, move, threshold=0.6)
        assert not np.array_equal(again.posterior, decision.posterior)  # the state is what counts
        posterior.append(decision.posterior)
        moved += [number] * decision.switched
    np.testing.assert_allclose(posterior, filtered(like, move, initial), rtol=1e-12)
    assert moved == switches(np.array(posterior), 0.6).tolist()
    assert moved


def test_a_switch_is_found_where_it_was():
    like = np.zeros((40, 2))
    like[:20, 0], like[20:, 1] = 1.0, 1.0
    move = stay_matrix(2, 0.95)
    path, _ = likeliest_path(like, move, [0.5, 0.5])
    assert path.tolist() == [0] * 20 + [1] * 20
    # a filter has to be convinced first
    (late,) = switches(filtered(like, move, np.array([0.5, 0.5])))
    assert 21 <= late <= 25
    assert switches(smoothed(like, move, np.array([0.5, 0.5]))).tolist() == [20]


def test_impossible_chains_are_refused():
    with pytest.raises(ConfigError, match="stay is 1 with 2 talkers"):
        stay_matrix(2, 1.0)


def test_state_space_filter_equals_the_published_one(fixtures_dir):
    _, expected = read_reference(fixtures_dir, "attention_smoothing")
    expected = expected["state_space"]
    model = tune_state_space(expected["r1"][:20], expected["r2"][:20], forwards=True)
    np.testing.assert_allclose(model.mu, expected["tuned_on_first_20"]["mu"], rtol=1e-8)
    np.testing.assert_allclose(model.rho, expected["tuned_on_first_20"]["rho"], rtol=1e-8)
    memory, found = StateSpaceMemory(), []
    for first, second in zip(expected["r1"], expected["r2"], strict=True):
        estimate, memory = state_step(first, second, memory, model)
        found.append((estimate.mean, estimate.upper, estimate.lower))
    np.testing.assert_allclose(found, expected["mean_lower_upper"], rtol=1e-5)
    # smoothed from the last window back it says nearly the same
    memory, model = StateSpaceMemory(), replace(model, forwards=False)
    for first, second in zip(expected["r1"], expected["r2"], strict=True):
        estimate, memory = state_step(first, second, memory, model)
    assert estimate.lower < estimate.mean < estimate.upper
    assert estimate.mean == pytest.approx(expected["mean_lower_upper"][-1][0], abs=0.02)
    with pytest.raises(ConfigError, match="vary"):
        tune_state_space([0.1, 0.1], [0.2, 0.3])
