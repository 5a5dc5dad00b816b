"""Where an adapter begins, against a regression on very many noisy trials."""

from __future__ import annotations

import numpy as np

from neurodecode.adaptation.start import linear_estimate


def test_estimate_is_the_regression_from_noisy_trials(rng):
    responses = rng.normal(size=(40, 7)) + 2
    places = responses @ rng.normal(size=(7, 8)) + 0.3 * rng.normal(size=(40, 8)) - 1
    factor = rng.normal(size=(7, 7))
    weights, bias = linear_estimate(responses, factor @ factor.T, places)
    rows = np.repeat(np.arange(40), 5000)
    noisy = responses[rows] + rng.normal(size=(len(rows), 7)) @ factor.T
    design = np.column_stack([noisy, np.ones(len(rows))])
    expected, *_ = np.linalg.lstsq(design, places[rows], rcond=None)
    np.testing.assert_allclose(weights, expected[:-1].T, atol=0.02)
    np.testing.assert_allclose(bias, expected[-1], atol=0.05)


def test_without_noise_it_is_least_squares(rng):
    responses, places = rng.normal(size=(30, 7)), rng.normal(size=(30, 9))
    weights, bias = linear_estimate(responses, np.zeros((7, 7)), places)
    design = np.column_stack([responses, np.ones(30)])
    expected, *_ = np.linalg.lstsq(design, places, rcond=None)
    np.testing.assert_allclose(np.column_stack([weights, bias]), expected.T, atol=1e-4)
