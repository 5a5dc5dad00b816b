"""The encoder of a new subject against scikit-learn's Gaussian processes."""

from __future__ import annotations

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, WhiteKernel

from neurodecode.linear import LikelihoodIdentifier, RidgeEncoder, TransferEncoder

N, N_KNOWN, N_NEW = 30, 8, 7


def world(rng):
    """Known voxels with unequal regions; new ones are mixtures of those of their region."""
    features = rng.normal(size=(N + 9, N_KNOWN)) * np.linspace(0.5, 2, N_KNOWN)
    known = np.array(["a"] * 3 + ["b"] * 5)
    groups = np.array(["b", "a", "b", "a", "c", "b", "a"])
    mix = rng.normal(size=(N_KNOWN, N_NEW))
    mix *= (known[:, None] == groups[None]) | (groups == "c")[None]
    responses = features @ mix + rng.normal(size=(N + 9, N_NEW)) + 3.0
    return features, responses, groups, known


def scale(known, group):
    """Square roots of the prior's weights of the known voxels."""
    like = known == group
    return np.sqrt(1 / N_KNOWN + (like / like.sum() if like.any() else 0.0))


def test_prediction_is_that_of_the_likeliest_gaussian_process(rng):
    features, responses, groups, known = world(rng)
    encoder = TransferEncoder(groups, known).fit(features[:N], responses[:N])
    found = encoder.predict(features[N:])
    for voxel, group in enumerate(groups):
        inputs = features * scale(known, group)
        mean = responses[:N, voxel].mean()
        target = responses[:N, voxel] - mean
        unit = np.trace(inputs[:N] @ inputs[:N].T) / N
        models = []
        for noise in np.logspace(-3, 3, 19) * unit:
            whitened = inputs[:N] @ inputs[:N].T + noise * np.eye(N)
            amplitude = target @ np.linalg.solve(whitened, target) / N
            kernel = ConstantKernel(amplitude) * DotProduct(0.0) + WhiteKernel(amplitude * noise)
            kernel.set_params(**{
                name: "fixed" for name in kernel.get_params() if name.endswith("_bounds")
            })  # fmt: skip
            model = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None)
            models.append(model.fit(inputs[:N], target))
        best = max(models, key=lambda model: model.log_marginal_likelihood_value_)
        expected = best.predict(inputs[N:]) + mean
        np.testing.assert_allclose(found[:, voxel], expected, rtol=1e-4, atol=1e-4)


def test_without_regions_all_known_voxels_are_the_prior(rng):
    features, responses, _, _ = world(rng)
    plain = TransferEncoder().fit(features[:N], responses[:N]).predict(features[N:])
    one = TransferEncoder(["x"] * N_NEW, ["x"] * N_KNOWN).fit(features[:N], responses[:N])
    np.testing.assert_allclose(one.predict(features[N:]), plain, rtol=1e-4, atol=1e-4)


def test_known_voxels_help_where_trials_are_few(rng):
    """New voxels that do what known ones do are predicted better than from raw features."""
    raw = rng.normal(size=(300, 60))
    basis = rng.normal(size=(60, 4))
    known = raw @ basis @ rng.normal(size=(4, 20))
    responses = raw @ basis @ rng.normal(size=(4, N_NEW))
    responses += 0.5 * responses.std() * rng.normal(size=responses.shape)
    near = TransferEncoder().fit(known[:25], responses[:25]).predict(known[25:])
    far = RidgeEncoder().fit(raw[:25], responses[:25]).predict(raw[25:])
    error = [np.mean((each - responses[25:]) ** 2) for each in (near, far)]
    assert error[0] < 0.7 * error[1]


def test_identification_clones_it_with_its_regions(rng):
    features, responses, groups, known = world(rng)
    model = LikelihoodIdentifier(TransferEncoder(groups, known), n_folds=3)
    model.fit(features[:N], responses[:N])
    assert (model.predict(responses[N:], features[N:]) == np.arange(9)).mean() > 0.6


def test_constant_voxel_is_predicted_as_constant(rng):
    features, responses, _, _ = world(rng)
    responses[:, 2] = 5.0
    found = TransferEncoder().fit(features[:N], responses[:N]).predict(features[N:])
    np.testing.assert_allclose(found[:, 2], 5.0, atol=1e-3)
