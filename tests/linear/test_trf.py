"""Temporal response functions: equal to mTRFpy, and what they do beyond it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from reference_numbers import read_reference

from neurodecode.errors import ConfigError, DataError
from neurodecode.linear.moments import lag_samples, lagged_moments
from neurodecode.linear.patterns import activation_patterns, trf_patterns
from neurodecode.linear.trf import TRF
from neurodecode.linear.trf_solve import leave_one_out, penalty_diagonals, solve_ridge


def test_moments_are_those_of_the_zero_padded_lagged_design(rng):
    x, y = rng.normal(size=(2, 57, 3)), rng.normal(size=(2, 57, 2))
    for lags in ([-4, -3, -2, -1, 0], [2, 3, 4], [-2, -1, 0, 1, 2, 3], [0], [-7, -6]):
        moments = lagged_moments(torch.tensor(x), torch.tensor(y), lags)
        for trial in range(2):
            design = np.zeros((57, len(lags), 3))
            for place, lag in enumerate(lags):
                for t in range(57):
                    if 0 <= t - lag < 57:
                        design[t, place] = x[trial, t - lag]
            design = design.reshape(57, -1)
            np.testing.assert_allclose(moments.xx[trial], design.T @ design, rtol=1e-10, atol=1e-11)
            np.testing.assert_allclose(moments.xy[trial], design.T @ y[trial], atol=1e-11)
            np.testing.assert_allclose(moments.x[trial], design.sum(0), atol=1e-11)


@pytest.mark.parametrize("penalty", [1, 100])
def test_equals_the_reference_numbers(fixtures_dir, penalty):
    given, expected = read_reference(fixtures_dir, "trf")
    expected = expected[f"lambda{penalty}"]
    stimuli = [np.array(trial) for trial in given["stimulus_trials"]]
    responses = [np.array(trial) for trial in given["response_trials"]]
    test = {"forward": given["test_stimulus"], "backward": given["test_response"]}
    for direction, name in (
        ("forward", "weights_in_lag_chan"),
        ("backward", "weights_chan_lag_out"),
    ):
        model = TRF(direction, given["tmin"], given["tmax"], [penalty])
        model.fit(stimuli, responses, given["fs"])
        want = expected[direction]
        np.testing.assert_allclose(model.weights_, want[name], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(model.bias_, want["bias"][0], rtol=1e-6)
        np.testing.assert_allclose(np.array(model.lags_) / given["fs"], want["times_s"], atol=1e-12)
        predicted = model.predict(np.array(test[direction]))
        if direction == "backward":
            np.testing.assert_allclose(predicted[:, 0], want["prediction_test"], rtol=1e-6)


@pytest.mark.parametrize("penalty", [1, 100])
def test_patterns_equal_the_reference_numbers(fixtures_dir, penalty):
    given, expected = read_reference(fixtures_dir, "trf")
    want = np.array(expected[f"lambda{penalty}"]["haufe"]["full_lagged_pattern_lag_by_chan"])
    model = TRF("backward", given["tmin"], given["tmax"], [penalty])
    parts = [
        model.moments(np.array(s), np.array(r), given["fs"])
        for s, r in zip(given["stimulus_trials"], given["response_trials"])
    ]
    model.fit_moments(parts, given["fs"])
    covariance = (parts[0] + parts[1]).centred()[0].numpy()
    patterns = trf_patterns(covariance, model.weights_)[:, :, 0].T
    # the reference states patterns per second of lag, and of weights that are per second too
    np.testing.assert_allclose(patterns * given["fs"] ** 2, want, rtol=1e-6, atol=1e-6)


def test_activation_patterns_equal_the_reference_numbers(fixtures_dir):
    given, expected = read_reference(fixtures_dir, "haufe")
    covariance = np.cov(np.array(given["X"]).T)
    patterns = activation_patterns(covariance, np.array(expected["filters_features_by_outputs"]))
    np.testing.assert_allclose(patterns, expected["patterns_cov_estimated_sources"], rtol=1e-6)


def _trials(rng, n_trials=4, n_times=(150, 170, 160, 140), n_features=2, n_channels=3):
    stimuli = [rng.normal(size=(n_times[k], n_features)) for k in range(n_trials)]
    mix = rng.normal(size=(n_features, n_channels))
    responses = [
        np.roll(s, 2, axis=0) @ mix + 2 * rng.normal(size=(len(s), n_channels)) + 1 for s in stimuli
    ]
    return stimuli, responses


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_equals_mtrf_also_in_what_it_chooses(rng, direction):
    mtrf = pytest.importorskip("mtrf", reason="mtrf is not installed")
    stimuli, responses = _trials(rng)
    penalties = [1e-3, 1e-1, 10.0, 1e3]
    theirs = mtrf.TRF(direction=1 if direction == "forward" else -1)
    scores = theirs.train(
        [s.copy() for s in stimuli], [r.copy() for r in responses], 32, -0.05, 0.21, penalties,
        k=-1, verbose=False,
    )  # fmt: skip
    ours = TRF(direction, -0.05, 0.21, penalties).fit(stimuli, responses, 32)
    np.testing.assert_allclose(ours.weights_, theirs.weights, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.bias_, theirs.bias[0], rtol=1e-6)
    np.testing.assert_allclose(ours.scores_.mean(axis=(0, 2)), scores, rtol=1e-6)
    assert ours.penalty_ == theirs.regularization


def test_banded_penalties_are_those_of_scaled_inputs(rng):
    stimuli, responses = _trials(rng)
    grid = list(itertools.product([0.1, 10.0], [0.5, 50.0]))
    model = TRF("forward", 0.0, 0.1, grid, bands=[1, 1]).fit(stimuli, responses, 32)
    assert model.scores_.shape == (4, 4, 3)
    # a penalty of its own is a scale of its own
    one = TRF("forward", 0.0, 0.1, [(0.1, 50.0)], bands=[1, 1]).fit(stimuli, responses, 32)
    scale = 1 / np.sqrt([0.1, 50.0])
    plain = TRF("forward", 0.0, 0.1, [1.0]).fit([s * scale for s in stimuli], responses, 32)
    np.testing.assert_allclose(one.weights_, plain.weights_ * scale[:, None, None], rtol=1e-8)


def test_many_penalties_and_few_give_the_same(rng):
    stimuli, responses = _trials(rng)
    model = TRF("backward", 0.0, 0.1, [1.0])
    total = sum(
        (model.moments(s, r, 32) for s, r in zip(stimuli[1:], responses[1:])),
        start=model.moments(stimuli[0], responses[0], 32),
    )
    many = penalty_diagonals(np.logspace(-2, 4, 45), len(model.lags(32)))
    by_eigenvectors, bias = solve_ridge(total, many, 32)
    by_factors, same = solve_ridge(total, many[7:9], 32)
    np.testing.assert_allclose(by_eigenvectors[7:9], by_factors, rtol=1e-8)
    np.testing.assert_allclose(bias[7:9], same, rtol=1e-8)


def test_correlations_of_left_out_trials_are_those_of_predictions(rng):
    stimuli, responses = _trials(rng)
    model = TRF("backward", 0.0, 0.1, [3.0])
    parts = [model.moments(s, r, 32) for s, r in zip(stimuli, responses)]
    scores, _ = leave_one_out(parts, penalty_diagonals([3.0], len(model.lags(32))), 32)
    model.fit(stimuli[:2] + stimuli[3:], responses[:2] + responses[3:], 32)
    predicted = model.predict(responses[2])
    for feature in range(2):
        r = np.corrcoef(predicted[:, feature], stimuli[2][:, feature])[0, 1]
        assert scores[2, 0, feature].item() == pytest.approx(r, rel=1e-9)


def test_relative_penalties_do_not_depend_on_units(rng):
    stimuli, responses = _trials(rng)
    small = [1e-6 * response for response in responses]
    volts = TRF("backward", 0.0, 0.1, [0.1, 10.0], relative=True).fit(stimuli, small, 32)
    model = TRF("backward", 0.0, 0.1, [0.1, 10.0], relative=True).fit(stimuli, responses, 32)
    np.testing.assert_allclose(volts.weights_ * 1e-6, model.weights_, rtol=1e-6)


def test_lags_are_whole_samples():
    assert lag_samples(0.0, 0.25, 64) == tuple(range(17))
    assert lag_samples(-0.01, 0.1, 30) == (-1, 0, 1, 2, 3)  # .1 * 30 is 3.0000000000000004
    with pytest.raises(ConfigError, match="later than the last"):
        lag_samples(0.3, 0.2, 64)


def test_bad_input_is_named(rng):
    model = TRF("backward", 0.0, 0.1, [1.0])
    with pytest.raises(DataError, match="50 samples of one signal and 48"):
        model.moments(np.ones((48, 1)), np.ones((50, 2)), 32)
    bad = np.ones((50, 2))
    bad[3:6] = np.nan
    with pytest.raises(DataError, match="field response: 6 values are not finite"):
        model.moments(np.ones((50, 1)), bad, 32)
    with pytest.raises(DataError, match="longer than a trial of 3"):
        model.moments(np.ones((3, 1)), np.ones((3, 2)), 32)
    with pytest.raises(ConfigError, match="linearly dependent"):
        TRF("backward", 0.0, 0.1, [0.0]).fit([rng.normal(size=(60, 1))], [np.ones((60, 2))], 32)
