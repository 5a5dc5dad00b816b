from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from neurodecode.linear import (
    LikelihoodIdentifier,
    ResidualNoise,
    RidgeEncoder,
    held_out_predictions,
    likelihood_matrix,
)


def covariance(rng, n, scale=1.0):
    root = rng.normal(size=(n, n))
    return scale * (root @ root.T / n + 0.1 * np.eye(n))


def test_likelihood_of_the_fixture(fixtures_dir):
    content = json.loads((fixtures_dir / "likelihood_identification.json").read_text())
    inputs = {name: np.array(values) for name, values in content["inputs"].items()}
    noise = ResidualNoise().fit(inputs["training_residuals"])
    np.testing.assert_allclose(
        noise.covariance(), content["expected"]["ledoit_wolf_covariance"], rtol=1e-4, atol=1e-5
    )
    scores = likelihood_matrix(
        inputs["measured_image_by_voxel"], inputs["predicted_image_by_voxel"], noise
    )
    np.testing.assert_allclose(scores, content["expected"]["loglik_with_ledoit_wolf"], rtol=1e-4)
    assert scores.argmax(axis=1).tolist() == content["expected"]["argmax_with_ledoit_wolf"]


def test_averaging_shrinks_noise_but_not_model_error(rng):
    model, trial = covariance(rng, 7), covariance(rng, 7, 4.0)
    n_stimuli, repeats = 6000, 3
    error = rng.multivariate_normal(np.zeros(7), model, n_stimuli)
    trials = rng.multivariate_normal(np.zeros(7), trial, (n_stimuli, repeats))
    residuals = error + trials.mean(axis=1)
    deviations = (trials - trials.mean(axis=1, keepdims=True)) * np.sqrt(repeats / (repeats - 1))
    noise = ResidualNoise().fit(residuals, np.full(n_stimuli, repeats), deviations.reshape(-1, 7))
    for n in (1, 2, 3, 9):
        wanted = model + trial / n
        off = np.linalg.norm(noise.covariance(n) - wanted) / np.linalg.norm(wanted)
        assert off < 0.08, n


def overfitted(rng, n_fit=700, n_held_out=60, n_voxels=23):
    """Correlated noise, of which residuals of fitted stimuli show only half."""
    sigma = covariance(rng, n_voxels)
    fitted = rng.multivariate_normal(np.zeros(n_voxels), sigma / 2, n_fit)
    predicted = rng.normal(size=(n_held_out, n_voxels))
    noise = rng.multivariate_normal(np.zeros(n_voxels), sigma, n_held_out)
    return sigma, fitted, predicted + noise, predicted


def test_calibration_corrects_size_and_keeps_correlations(rng):
    sigma, fitted, measured, predicted = overfitted(rng)
    calibrated = ResidualNoise().calibrate(fitted, measured, predicted).covariance()
    few = ResidualNoise().fit(measured - predicted).covariance()

    def distance(found):
        return np.linalg.norm(found - sigma) / np.linalg.norm(sigma)

    assert distance(calibrated) < 0.25
    assert distance(calibrated) < 0.6 * distance(few)


def test_calibration_drops_correlations_that_do_not_hold(rng):
    _, fitted, _, predicted = overfitted(rng)
    measured = predicted + rng.normal(size=predicted.shape)  # held out: none at all
    found = ResidualNoise().calibrate(fitted, measured, predicted).covariance()
    kept = np.corrcoef(fitted.T)
    shrunk = found / np.sqrt(np.outer(np.diag(found), np.diag(found)))
    off = ~np.eye(len(found), dtype=bool)
    assert np.abs(shrunk[off]).mean() < 0.5 * np.abs(kept[off]).mean()


def test_a_few_repeats_do_not_decide(rng):
    residuals = rng.normal(size=(40, 5))
    noise = ResidualNoise().fit(residuals, np.ones(40), 100 * rng.normal(size=(4, 5)))
    np.testing.assert_array_equal(noise.covariance(1), noise.covariance(5))


def test_covariance_is_positive_definite_with_fewer_stimuli_than_voxels(rng):
    residuals = rng.normal(size=(9, 31)) * np.r_[np.ones(30), 0]
    deviations = 3 * rng.normal(size=(18, 31)) * np.r_[np.ones(30), 0]
    noise = ResidualNoise().fit(residuals, np.full(9, 2), deviations)
    for n in (1, 2, 50):
        assert np.linalg.eigvalsh(noise.covariance(n)).min() > 0


def test_rows_with_different_repeats_get_their_own_covariance(rng):
    noise = ResidualNoise()
    noise.residual_, noise.model_, noise.trial_ = np.eye(4), covariance(rng, 4), covariance(rng, 4)
    noise.inverse_n_ = 0.5
    measured, predicted = rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    scores = likelihood_matrix(measured, predicted, noise, np.array([1, 3, 1]))
    for row, n in enumerate((1, 3, 1)):
        sigma = noise.model_ + noise.trial_ / n
        wanted = [multivariate_normal(mean, sigma).logpdf(measured[row]) for mean in predicted]
        np.testing.assert_allclose(scores[row], wanted, rtol=1e-6)


def test_held_out_predictions_have_not_seen_their_stimulus(rng):
    features, responses = rng.normal(size=(60, 40)), rng.normal(size=(60, 7))
    encoder = RidgeEncoder(n_components=None, penalties=[1e-9])
    own = encoder.fit(features, responses).predict(features)
    held_out = held_out_predictions(encoder, features, responses, n_folds=4, seed=1)
    assert np.square(responses - own).mean() < 0.6  # 40 weights fit noise
    assert np.square(responses - held_out).mean() > 1.2


def make_world(rng, n_fit=150, n_test=30, n_voxels=11):
    weights = rng.normal(size=(6, n_voxels))
    features = rng.normal(size=(n_fit + n_test, 6))
    # strong noise in one direction that the signal also uses: whitening has to undo it
    shared = 6 * rng.normal(size=(n_fit + n_test, 1)) * np.sign(weights[:1])
    responses = features @ weights + shared + 0.7 * rng.normal(size=(n_fit + n_test, n_voxels))
    return features, responses, slice(None, n_fit), slice(n_fit, None)


def test_identification_beats_chance_and_unwhitened_distance(rng):
    features, responses, fit, test = make_world(rng)
    model = LikelihoodIdentifier(RidgeEncoder(n_components=None)).fit(features[fit], responses[fit])
    found = model.predict(responses[test], features[test])
    accuracy = np.mean(found == np.arange(30))
    predicted = model.encoder_.predict(features[test])
    distance = np.square(responses[test][:, None] - predicted[None]).sum(axis=2)
    plain = np.mean(distance.argmin(axis=1) == np.arange(30))
    assert accuracy > 0.7
    assert accuracy > plain + 0.2


def test_best_voxels_are_the_predictable_ones(rng):
    features = rng.normal(size=(150, 6))
    responses = features @ rng.normal(size=(6, 9)) + rng.normal(size=(150, 9))
    responses[:, [1, 4, 5]] = 30 * rng.normal(size=(150, 3))
    model = LikelihoodIdentifier(RidgeEncoder(n_components=None), n_voxels=6)
    model.fit(features, responses)
    assert model.voxels_.tolist() == [0, 2, 3, 6, 7, 8]
    assert model.noise_.covariance().shape == (6, 6)


@pytest.mark.parametrize("n_voxels", [None, 5])
def test_same_seed_same_scores(rng, n_voxels):
    features, responses, fit, test = make_world(rng)
    scores = [
        LikelihoodIdentifier(RidgeEncoder(4), n_voxels=n_voxels, seed=2)
        .fit(features[fit], responses[fit])
        .log_likelihood(responses[test], features[test])
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*scores)
