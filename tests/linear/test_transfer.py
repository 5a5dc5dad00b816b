"""The encoder of a new subject against scikit-learn's Gaussian processes."""

from __future__ import annotations

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, WhiteKernel

from neurodecode.linear import (
    LikelihoodIdentifier,
    RidgeEncoder,
    TransferEncoder,
    TransferIdentifier,
)
from neurodecode.linear.spatial_noise import noise_correlation

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


def test_several_labels_add_up(rng):
    """A voxel of region b in band 1 is twice as much like the known voxel that shares both."""
    features, responses, groups, known = world(rng)
    bands = np.array(["1", "", "", "2", "", "1", ""])
    theirs = np.array(["", "2", "", "1", "1", "", "", ""])
    labels = [groups, bands]
    found = TransferEncoder(labels, [known, theirs]).fit(features[:N], responses[:N])
    # by hand, for the first: all eight, the five of region b, the two of band 1
    share = np.full(8, 1 / 8) + (known == "b") / 5 + (theirs == "1") / 2
    one = TransferEncoder().fit(features[:N] * np.sqrt(share * 8), responses[:N, :1])
    expected = one.predict(features[N:] * np.sqrt(share * 8))[:, 0]
    np.testing.assert_allclose(found.predict(features[N:])[:, 0], expected, rtol=1e-4, atol=1e-4)


def test_leaving_one_out_is_leaving_one_out(rng):
    """Residuals and variance are those of a process that never saw the stimulus."""
    features, responses, groups, known = world(rng)
    encoder = TransferEncoder(groups, known).fit(features[:N], responses[:N])
    for voxel in (0, 4):
        inputs = features[:N] * scale(known, groups[voxel])
        gram = inputs @ inputs.T
        target = responses[:N, voxel] - responses[:N, voxel].mean()
        # the amplitude that is likeliest for a ratio of noise to signal: equation 5.8 by hand
        ratios = np.logspace(-3, 3, 19) * np.trace(gram) / N
        amplitudes = [target @ np.linalg.solve(gram + r * np.eye(N), target) / N for r in ratios]
        amplitude = min(
            amplitudes, key=lambda a: abs(a * ratios[amplitudes.index(a)] - encoder.noise_[voxel])
        )
        variances = []
        for one in range(N):
            left = np.arange(N) != one
            cross = amplitude * gram[one, left]
            seen = amplitude * gram[np.ix_(left, left)] + encoder.noise_[voxel] * np.eye(N - 1)
            weights = np.linalg.solve(seen, cross)
            residual = target[one] - weights @ target[left]
            np.testing.assert_allclose(encoder.residuals_[one, voxel], residual, rtol=1e-6)
            variances.append(amplitude * gram[one, one] - weights @ cross)
        np.testing.assert_allclose(encoder.variance_[voxel], np.mean(variances), rtol=1e-6)


def test_noise_falls_off_with_distance(rng):
    """Sampled from a known correlation, it comes back closer than the sample's own."""
    positions = rng.integers(0, 9, size=(60, 3)).astype(float)
    positions += rng.uniform(-0.3, 0.3, size=positions.shape)
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    true = 0.4 * np.exp(-(distance**2) / (2 * 1.5**2)) + 0.1
    np.fill_diagonal(true, 1)
    drawn = rng.multivariate_normal(np.zeros(60), true, size=40) * rng.uniform(1, 3, size=60)
    found = noise_correlation(drawn, positions)
    sample = noise_correlation(drawn)
    away = ~np.eye(60, dtype=bool)
    assert np.abs(found - true)[away].mean() < 0.7 * np.abs(sample - true)[away].mean()
    assert np.linalg.eigvalsh(found).min() > 0


def test_some_pairs_say_as_much_as_all(rng, monkeypatch):
    positions = rng.normal(size=(40, 3)) * 3
    drawn = rng.normal(size=(70, 40))
    drawn[:, 1:] += 0.7 * drawn[:, :-1]
    whole = noise_correlation(drawn, positions)
    monkeypatch.setattr("neurodecode.linear.spatial_noise._MOST_PAIRS", 600)
    some = noise_correlation(drawn, positions)
    assert 0 < np.abs(some - whole).max() < 0.1


def test_identifier_tells_noise_of_trials_from_its_own_error(rng):
    features, responses, groups, known = world(rng)
    counts = np.full(N, 2)
    model = TransferIdentifier(TransferEncoder(groups, known), rng.normal(size=(N_NEW, 3)))
    model.fit(features[:N], responses[:N], counts)
    one, two = (np.diag(model.noise_.covariance(n)) for n in (1, 2))
    np.testing.assert_allclose(one - two, model.encoder_.noise_, rtol=1e-6)
    # unit noise was put in, here as that of averages of two
    assert 0.4 < np.median(model.encoder_.noise_) < 2
    assert (model.predict(responses[N:], features[N:]) == np.arange(9)).mean() > 0.6


def test_identifier_with_a_constant_voxel(rng):
    features, responses, groups, known = world(rng)
    responses[:, 2] = 5.0
    model = TransferIdentifier(TransferEncoder(groups, known)).fit(features[:N], responses[:N])
    assert np.isfinite(model.log_likelihood(responses[N:], features[N:])).all()
