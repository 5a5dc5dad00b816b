from __future__ import annotations

import numpy as np

from neurodecode.linear import StackedLikelihood, stack_encoders
from neurodecode.metrics.functional.identification import log_likelihood_scores


def test_a_single_encoder_is_left_alone(rng):
    predicted, measured = rng.normal(size=(13, 7)), rng.normal(size=(13, 7))
    stack = stack_encoders([predicted], measured)
    np.testing.assert_array_equal(stack.combine([predicted]), predicted)
    np.testing.assert_array_equal(stack.held_out, predicted)


def test_weights_follow_who_predicts_which_voxel(rng):
    signal = rng.normal(size=(400, 8))
    first = signal * (np.arange(8) < 4)
    second = signal * (np.arange(8) >= 4)
    first = first + rng.normal(size=first.shape) * (np.arange(8) >= 4)
    second = second + rng.normal(size=second.shape) * (np.arange(8) < 4)
    stack = stack_encoders([first, second], signal + 0.1 * rng.normal(size=signal.shape))
    assert (stack.weights >= 0).all()
    assert (stack.weights[0, :4] > 0.8).all()
    assert (stack.weights[0, 4:] < 0.2).all()
    assert np.square(stack.combine([first, second]) - signal).mean() < 0.1


def test_a_useless_encoder_does_no_harm(rng):
    signal = rng.normal(size=(60, 9))
    good, noise = signal + 0.3 * rng.normal(size=signal.shape), rng.normal(size=signal.shape)
    stack = stack_encoders([good, noise], signal)
    error = np.square(stack.held_out - signal).mean()
    assert error < 1.1 * np.square(good - signal).mean()


def test_held_out_rows_do_not_depend_on_their_own_measurement(rng):
    predictions = [rng.normal(size=(20, 3)) for _ in range(2)]
    measured = rng.normal(size=(20, 3))
    changed = measured.copy()
    changed[4] += 50
    before = stack_encoders(predictions, measured).held_out
    after = stack_encoders(predictions, changed).held_out
    np.testing.assert_array_equal(before[4], after[4])
    assert not np.allclose(before, after)


def test_likelihood_of_a_stack_is_the_gaussian_of_its_residuals(rng):
    """Independent voxels: the covariance that is found is nearly the one of the noise."""
    n_fitted, n_held_out, n_voxels = 500, 300, 3
    spread = np.array([0.5, 1.0, 2.0])
    signal = rng.normal(size=(n_fitted + n_held_out, n_voxels))
    measured = signal + spread * rng.normal(size=signal.shape)
    halves = [2 * signal * (np.arange(3) != 2), signal * (np.arange(3) == 2)]
    model = StackedLikelihood().fit(
        [each[:n_fitted] for each in halves], measured[:n_fitted],
        [each[n_fitted:] for each in halves], measured[n_fitted:],
    )  # fmt: skip
    candidates = [each[:7] for each in halves]
    np.testing.assert_allclose(model.predict(candidates), signal[:7], atol=0.3)
    covariance = model.noise_.covariance(1)
    np.testing.assert_allclose(np.diag(covariance), spread**2, rtol=0.25)
    expected = log_likelihood_scores(measured[:9], model.predict(candidates), covariance)
    found = model.log_likelihood(measured[:9], candidates)
    assert found.shape == (9, 7)
    np.testing.assert_allclose(found, expected.numpy())
