from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from neurodecode.linear import FeatureSpace


@pytest.fixture
def features(rng):
    return (rng.normal(size=(31, 2, 4)) @ rng.normal(size=(4, 4)) + 3).astype(np.float32)


def test_without_components_features_are_standardised(features):
    out = FeatureSpace().fit_transform(features)
    np.testing.assert_allclose(out, StandardScaler().fit_transform(features.reshape(31, 8)),
                               atol=1e-5)  # fmt: skip


def test_components_are_those_of_scikit_learn(features, rng):
    new = rng.normal(size=(5, 2, 4)).astype(np.float32)
    space = FeatureSpace(3).fit(features)
    scaler = StandardScaler().fit(features.reshape(31, 8))
    pca = PCA(3).fit(scaler.transform(features.reshape(31, 8)))
    expected = pca.transform(scaler.transform(new.reshape(5, 8)))
    np.testing.assert_allclose(np.abs(space.transform(new)), np.abs(expected), atol=1e-4)


@pytest.mark.parametrize(("whitening", "power"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_whitening_divides_by_a_power_of_the_deviation(features, whitening, power):
    plain = FeatureSpace(4).fit_transform(features)
    white = FeatureSpace(4, whitening).fit_transform(features)
    np.testing.assert_allclose(white, plain / plain.std(axis=0, ddof=1) ** power, rtol=1e-4)


@pytest.mark.parametrize("whitening", [0.0, 0.5])
def test_the_way_back(features, whitening):
    flat = features.reshape(31, 8)
    everything = FeatureSpace(8, whitening).fit(features)
    back = everything.inverse_transform(everything.transform(features))
    np.testing.assert_allclose(back, flat, atol=1e-2)
    plain = FeatureSpace().fit(features)
    np.testing.assert_allclose(
        plain.inverse_transform(plain.transform(features)), flat, rtol=1e-4, atol=1e-4
    )
    # what a few components leave out is that of the mean
    few = FeatureSpace(2, whitening).fit(features)
    np.testing.assert_allclose(
        few.inverse_transform(np.zeros((1, 2)))[0], flat.mean(axis=0), rtol=1e-4
    )
    coordinates = few.transform(features)
    np.testing.assert_allclose(
        few.transform(few.inverse_transform(coordinates)), coordinates, atol=1e-2
    )


def test_constant_feature_stays_zero_and_count_is_limited(features, rng):
    flat = features.reshape(31, 8).copy()
    flat[:, 2] = 5
    space = FeatureSpace(99).fit(flat)
    assert space.transform(flat).shape == (31, 8)
    moved = flat[:3] + 7 * (np.arange(8) == 2)
    shift = FeatureSpace().fit(flat).transform(moved) - FeatureSpace().fit(flat).transform(flat[:3])
    np.testing.assert_allclose(shift[:, 2], 7, rtol=1e-5)  # scale 1, not divided by zero
    assert np.isfinite(space.transform(moved)).all()


def test_it_is_a_scikit_learn_estimator():
    assert clone(FeatureSpace(7, 0.5, 3)).get_params() == {
        "n_components": 7, "whitening": 0.5, "seed": 3,
    }  # fmt: skip
