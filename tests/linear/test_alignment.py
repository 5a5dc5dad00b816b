"""Functional alignment: rotations that are known, subjects that share only some stimuli."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ortho_group

from neurodecode.errors import DataError
from neurodecode.linear import FunctionalAlignment

N_DIMENSIONS, N_SHARED, N_NEW = 6, 60, 40
N_VOXELS = {"01": 17, "02": 23, "03": 31}
SPREAD = np.array([3.0, 2.5, 2.0, 1.6, 1.3, 1.0])


class Brains:
    """Latent responses to stimuli, seen through each subject's own orthonormal voxel patterns."""

    def __init__(self, rng, noise=0.0):
        self.rng, self.noise = rng, noise
        self.latent = rng.normal(size=(N_SHARED + N_NEW, N_DIMENSIONS)) * SPREAD
        self.patterns = {
            name: ortho_group.rvs(n, random_state=rng)[:N_DIMENSIONS]
            for name, n in N_VOXELS.items()
        }
        self.gain = dict(zip(N_VOXELS, (1.0, 5.0, 0.3), strict=True))
        self.offset = {name: rng.normal(size=n) for name, n in N_VOXELS.items()}
        self.ids = [f"s{number:03d}" for number in range(N_SHARED + N_NEW)]

    def responses(self, name, rows):
        clean = self.latent[rows] @ self.patterns[name]
        noisy = clean + self.noise * self.rng.normal(size=clean.shape)
        return self.gain[name] * noisy + self.offset[name]

    def fit(self, n_components=N_DIMENSIONS, rows=None, **how):
        rows = rows or {name: np.arange(N_SHARED) for name in N_VOXELS}
        return FunctionalAlignment(n_components, **how).fit(
            {name: self.responses(name, own) for name, own in rows.items()},
            {name: [self.ids[row] for row in own] for name, own in rows.items()},
        )

    def new(self, model):
        rows = np.arange(N_SHARED, N_SHARED + N_NEW)
        return {name: model.transform(self.responses(name, rows), name) for name in N_VOXELS}


def r(a, b):
    return np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]


def test_known_rotations_are_undone_for_new_stimuli(rng):
    brains = Brains(rng)
    model = brains.fit()
    new = brains.new(model)
    for name in ("02", "03"):
        np.testing.assert_allclose(new[name], new["01"], atol=1e-4)
    # same geometry as the latent responses, up to one rotation and one scale
    latent = brains.latent[N_SHARED:]
    latent = latent - brains.latent[:N_SHARED].mean(axis=0)
    assert r(new["01"] @ new["01"].T, latent @ latent.T) == pytest.approx(1, abs=1e-5)


def test_rotations_are_orthogonal_and_the_template_is_the_mean(rng):
    brains = Brains(rng, noise=0.5)
    model = brains.fit()
    aligned = []
    for name, rotation in model.rotation_.items():
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(N_DIMENSIONS), atol=1e-10)
        aligned.append(model.pca_[name].components_.shape)
    assert aligned == [(N_DIMENSIONS, n) for n in N_VOXELS.values()]
    assert model.template_.shape == (N_SHARED, N_DIMENSIONS)


def test_noise_is_survived_and_components_alone_would_not_do(rng):
    brains = Brains(rng, noise=0.4)
    model = brains.fit()
    new = brains.new(model)
    rows = np.arange(N_SHARED, N_SHARED + N_NEW)
    plain = {name: model.pca_[name].transform(brains.responses(name, rows)) for name in N_VOXELS}
    aligned = np.mean([r(new["01"], new[name]) for name in ("02", "03")])
    unaligned = np.mean([abs(r(plain["01"], plain[name])) for name in ("02", "03")])
    assert aligned > 0.85
    assert aligned > unaligned + 0.2


def test_template_settles(rng):
    brains = Brains(rng, noise=0.4)
    model = brains.fit(n_iterations=200, tolerance=1e-9)
    assert model.n_iterations_ < 200


def test_order_and_private_stimuli_do_not_matter(rng):
    brains = Brains(rng)
    expected = brains.fit()
    rows = {
        name: rng.permutation(np.r_[:N_SHARED, N_SHARED + 5 * i : N_SHARED + 5 * i + 5])
        for i, name in enumerate(N_VOXELS)
    }
    model = brains.fit(rows=rows)
    assert model.shared_ == brains.ids[:N_SHARED] == expected.shared_
    for name, values in brains.new(model).items():
        np.testing.assert_allclose(values, brains.new(expected)[name], atol=1e-4)


def test_shuffled_stimuli_do_not_align(rng):
    brains = Brains(rng)
    rows = np.arange(N_SHARED)
    responses = {name: brains.responses(name, rows) for name in N_VOXELS}
    ids = {name: list(rng.permutation(brains.ids[:N_SHARED])) for name in N_VOXELS}
    new = brains.new(FunctionalAlignment(N_DIMENSIONS).fit(responses, ids))
    assert abs(r(new["01"], new["02"])) < 0.5


def broken(brains, **changed):
    rows = np.arange(N_SHARED)
    responses = {name: brains.responses(name, rows) for name in N_VOXELS}
    ids = {name: brains.ids[:N_SHARED] for name in N_VOXELS}
    responses |= changed.get("responses", {})
    ids |= changed.get("ids", {})
    return FunctionalAlignment(changed.get("n", N_DIMENSIONS)).fit(responses, ids)


@pytest.mark.parametrize(("changed", "message"), [
    ({"n": 60}, "60 stimuli are shared by all subjects; 60 components need 61"),
    ({"n": 18}, "subject 01, field n_components: 18 components of 17 voxels"),
    ({"n": 0}, "0 components"),
    ({"ids": {"02": ["x"] * 60}}, "subject 02, field stimulus_id: a stimulus occurs twice"),
    ({"ids": {"02": [f"s{i:03d}" for i in range(59)]}}, "59 stimuli for 60 responses"),
    ({"ids": {"02": [f"x{i}" for i in range(60)]}}, "0 stimuli are shared"),
    ({"ids": {"04": []}}, "alignment needs"),
    ({"responses": {"03": np.full((60, 31), np.nan)}}, "subject 03, field responses"),
    ({"responses": {"03": np.ones((60, 31))}}, "all responses are the same"),
])  # fmt: skip
def test_what_cannot_be_aligned_is_named(rng, changed, message):
    with pytest.raises(DataError, match=message):
        broken(Brains(rng), **changed)


def test_transform_knows_its_subjects(rng):
    brains = Brains(rng)
    model = brains.fit()
    with pytest.raises(DataError, match="known: 01, 02, 03"):
        model.transform(np.zeros((2, 17)), "04")
    with pytest.raises(DataError, match="16 voxels, aligned with 17"):
        model.transform(np.zeros((2, 16)), "01")
