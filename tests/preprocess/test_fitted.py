"""Scaling and whitening: the reference's numbers, and training trials alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.preprocessing import RobustScaler

from neurodecode.errors import DataError
from neurodecode.preprocess.fitted import FittedSteps
from neurodecode.preprocess.recipe import Recipe
from neurodecode.preprocess.rewrite import apply_to_store
from neurodecode.preprocess.whitening import inverse_square_root, noise_covariance, whiten
from neurodecode.recording import Recording
from neurodecode.store import ResponseStore


@pytest.mark.parametrize("method", ["time", "epochs"])
def test_whitening_is_that_of_the_reference(fixtures_dir, method):
    content = json.loads((fixtures_dir / "mvnn.json").read_text())
    train, test = (np.array(content["inputs"][side]) for side in ("train", "test"))
    expected = content["expected"][method]
    trials = train.reshape(-1, *train.shape[2:])
    sigma = noise_covariance(trials, np.repeat(np.arange(5), 4), method=method)
    np.testing.assert_allclose(sigma, expected["sigma_train"], rtol=1e-7)
    whitener = inverse_square_root(sigma)
    np.testing.assert_allclose(whitener, expected["inverse_sqrt"], rtol=1e-7)
    found = whiten(test.reshape(-1, *test.shape[2:]), whitener).reshape(test.shape)
    np.testing.assert_allclose(found, expected["whitened_test"], rtol=1e-7)


def test_directions_without_variance_stay_silent(rng):
    epochs = rng.standard_normal((12, 4, 30))
    epochs -= epochs.mean(axis=1, keepdims=True)  # an average reference
    whitener = inverse_square_root(np.cov(np.moveaxis(epochs, 1, 0).reshape(4, -1)))
    white = whiten(epochs, whitener)
    values = np.linalg.eigvalsh(np.cov(np.moveaxis(white, 1, 0).reshape(4, -1)))
    np.testing.assert_allclose(values, [0, 1, 1, 1], atol=1e-9)


def test_time_needs_repeats(rng):
    with pytest.raises(DataError, match="no condition is repeated"):
        noise_covariance(rng.standard_normal((5, 3, 7)), np.arange(5), method="time")


@pytest.fixture
def store(tmp_path, rng):
    """20 trials of 3 channels and 9 times in sessions 1, 2 and 3; volts."""
    session = np.repeat([1, 2, 3], [9, 7, 4])
    scale = np.array([1.0, 3.0, 9.0])[:, None] * session[:, None, None] * 1e-6
    epochs = (scale * rng.standard_normal((20, 3, 9))).astype(np.float32)
    recording = Recording(
        "a", "eeg", epochs, np.array([f"s{k % 4}" for k in range(20)]), session, session,
        units="V", sfreq=50.0, features={"name": np.array(["x", "y", "z"])},
        info={"tmin": -0.1, "preprocess": {"n_events": 20}},
    )  # fmt: skip
    return ResponseStore.write(tmp_path / "sub-a.h5", recording, dataset="tiny")


def test_only_training_trials_count(store, rng):
    train = np.array([0, 2, 3, 5, 8, 9, 10, 13])  # none in session 3
    recipe = Recipe(whiten="epochs", clamp=4.0)
    steps = FittedSteps.fit(store, train, recipe)
    epochs = store.read(np.arange(20))
    changed = epochs.copy()
    held_out = np.setdiff1d(np.arange(20), train)
    changed[held_out] = 1e3 * rng.standard_normal((len(held_out), 3, 9))

    class Other:
        path, subject = store.path, "a"
        session, stimulus_id = store.session, store.stimulus_id

        @staticmethod
        def read(trials):
            return changed[trials]

    again = FittedSteps.fit(Other(), train, recipe)
    for session in (1, 2, 3):
        for name in ("centre", "width", "whitener"):
            one, other = (getattr(each.sessions[session], name) for each in (steps, again))
            np.testing.assert_array_equal(one, other)
    # session 3 has no training trial: it takes those of the others together
    both = FittedSteps.fit(store, train, Recipe(whiten="epochs", clamp=4.0)).sessions[3]
    pooled = np.moveaxis(epochs[train], 1, 0).reshape(3, -1)
    np.testing.assert_allclose(both.centre, np.median(pooled, axis=1), rtol=1e-6)


def test_robust_scaling_is_that_of_scikit_learn(store):
    train = np.arange(0, 9, 2)
    steps = FittedSteps.fit(store, train, Recipe(clamp=1.5))
    epochs = store.read(np.arange(9)).astype(np.float64)
    scaler = RobustScaler().fit(np.moveaxis(epochs[train], 1, -1).reshape(-1, 3))
    expected = (epochs - scaler.center_[:, None]) / scaler.scale_[:, None]
    found = steps.apply(epochs, np.ones(9, int))
    np.testing.assert_allclose(found, expected.clip(-1.5, 1.5), rtol=1e-5, atol=1e-6)
    assert np.abs(found).max() == 1.5


def test_store_says_what_was_fitted(store):
    done = apply_to_store(store.path, [0, 1, 2, 3, 9, 10, 11], Recipe(whiten="epochs"), "float16")
    assert done.shape == (20, 3, 9)
    assert done.dtype == np.float16
    assert done.units == "noise standard deviations"
    assert done.sfreq == 50.0
    assert done.info["preprocess"]["fitted"]["n_training_trials"] == 7
    assert done.info["preprocess"]["n_events"] == 20
    assert done.feature("name").tolist() == ["x", "y", "z"]
    assert np.isfinite(done.read(np.arange(20))).all()


def test_without_training_trials(store):
    with pytest.raises(DataError, match="no training trials"):
        FittedSteps.fit(store, [], Recipe())
