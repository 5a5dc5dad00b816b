"""Baselines: proper densities, learned from training viewers, drawn from reproducibly."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.datasets.gaze import load_gaze
from neurodecode.errors import ConfigError, DataError
from neurodecode.gaze import saliency  # noqa: F401  registers its model
from neurodecode.gaze.baselines import CentreBias, RandomWalk
from neurodecode.gaze.grid import cell_areas, cell_of
from neurodecode.gaze.model import SCANPATH_MODELS
from neurodecode.gaze.others import OtherViewers, best_kernel
from neurodecode.gaze.saliency import SaliencyWithInhibition, centre_surround
from neurodecode.metrics.functional import scanpath as fn
from neurodecode.scanpaths import Scanpath, Scanpaths

NAMES = ["uniform", "centre_bias", "saccade_walk", "saliency_ior"]
SIZE = (90, 70)


@pytest.fixture
def pictures(rng):
    return {name: rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8) for name in "ab"}


@pytest.fixture
def viewers(rng):
    paths = []
    for viewer in "123":
        for stimulus in "ab":
            x, y = rng.normal((30, 20), 6, (7, 2)).T
            paths.append(Scanpath(x, y, rng.uniform(90, 300, 7), viewer, stimulus, size=SIZE))
    return Scanpaths.from_list(paths)


def test_the_registry_knows_the_baselines():
    assert set(NAMES) <= set(SCANPATH_MODELS)
    with pytest.raises(ConfigError, match="unknown scanpath model 'oracle'"):
        SCANPATH_MODELS["oracle"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cell", [1, 8])
def test_densities_sum_to_one(viewers, pictures, name, cell):
    model = SCANPATH_MODELS[name]().fit(viewers, pictures)
    densities = model.log_densities(pictures["a"], viewers[0].xyt[:3], cell=cell)
    assert densities.shape == (3, -(-70 // cell), -(-90 // cell))
    mass = (np.exp(densities) * cell_areas(SIZE, cell)).sum(axis=(1, 2))
    np.testing.assert_allclose(mass, 1)


@pytest.mark.parametrize("name", NAMES)
def test_scanpaths_are_drawn_reproducibly(viewers, pictures, name):
    model = SCANPATH_MODELS[name]().fit(viewers, pictures)
    given = {"n_fixations": 9, "n_samples": 7, "target": "cup"}
    first, again, other = (model.predict(pictures["a"], seed=s, **given) for s in (3, 3, 4))
    assert first.n_fixations.tolist() == [9] * 7
    assert not first.check().any()
    assert set(first.target) == {"cup"}
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.x != other.x).any()
    assert np.isin(first.duration, viewers.duration).all()


def test_draws_follow_the_density(viewers, pictures):
    model = CentreBias(sigma=0.2, grid=9).fit(viewers, pictures)
    drawn = model.predict(pictures["a"], n_fixations=800)
    density = np.exp(model.of_size(SIZE, 10)) * cell_areas(SIZE, 10)
    row, column = cell_of(drawn.x, drawn.y, SIZE, 10)
    share = np.zeros_like(density)
    np.add.at(share, (row, column), 1 / 800)
    np.testing.assert_allclose(share, density, atol=0.05)


def test_the_centre_bias_scales_with_the_picture(viewers, pictures):
    model = CentreBias().fit(viewers, pictures)
    small, large = model.of_size(SIZE, 10), model.of_size((180, 140), 20)
    np.testing.assert_allclose(np.exp(small), 4 * np.exp(large), rtol=1e-6)
    row, column = np.unravel_index(small.argmax(), small.shape)
    assert abs(10 * column + 5 - 30) <= 10
    assert abs(10 * row + 5 - 20) <= 10
    with pytest.raises(DataError, match="not fitted"):
        CentreBias().of_size(SIZE, 10)


def test_the_random_walk_moves_as_training_viewers_do(pictures):
    right = Scanpath([55.0, 65, 75], [35.0] * 3, [90.0] * 3, "1", "a", size=SIZE)
    model = RandomWalk(sigma=0.02).fit(Scanpaths.from_list([right]), pictures)
    density = model.log_density(pictures["a"], np.array([[20.0, 50, 100]]), cell=5)
    row, column = np.unravel_index(density.argmax(), density.shape)
    assert (5 * column + 2.5, 5 * row + 2.5) == pytest.approx((30, 50), abs=3)
    start = model.log_density(pictures["a"], np.zeros((0, 3)), cell=5)
    assert 5 * (start.max(axis=0).argmax() + 0.5) == pytest.approx(55, abs=3)


def test_salience_finds_what_stands_out(viewers):
    image = np.full((70, 90, 3), 120, np.uint8)
    image[10:20, 60:72] = (240, 20, 20)
    salience = centre_surround(image)
    y, x = np.unravel_index(salience.argmax(), salience.shape)
    assert (x / salience.shape[1] * 90, y / salience.shape[0] * 70) == pytest.approx(
        (66, 15), abs=9
    )
    model = SaliencyWithInhibition(strength=0.8)
    model.fit(viewers, {})
    before = model.log_density(image, np.zeros((0, 3)), cell=5)
    after = model.log_density(image, np.array([[66.0, 15, 100]]), cell=5)
    assert after[3, 13] < before[3, 13] - 0.8


def test_the_share_of_salience_is_learned(pictures):
    image = np.full((70, 90, 3), 120, np.uint8)
    image[10:20, 60:72] = (240, 20, 20)
    elsewhere = Scanpath([20.0] * 40, [50.0] * 40, [99.0] * 40, "1", "d", size=SIZE)

    def looking_at(x, y):
        there = Scanpath([x] * 8, [y] * 8, [99.0] * 8, "1", "c", size=SIZE)
        return Scanpaths.from_list([there, elsewhere])

    on, off = looking_at(66.0, 15.0), looking_at(20.0, 50.0)
    drawn = {"c": image}
    share = SaliencyWithInhibition().fit(on, drawn).share
    assert share > 0.2 > SaliencyWithInhibition().fit(off, drawn).share


def test_other_viewers_leave_out_the_one_who_is_predicted(viewers, pictures):
    centre = CentreBias().fit(viewers, pictures)
    others = OtherViewers(viewers, centre)
    seen = others.others(2)
    assert set(seen.viewer) == {"1", "3"}
    assert set(seen.stimulus) == {"a"}
    # moving the predicted viewer's fixations changes nothing
    moved = viewers.x.copy()
    moved[viewers.offsets[2] : viewers.offsets[3]] = 5.0
    from dataclasses import replace

    again = OtherViewers(replace(viewers, x=moved), centre)
    np.testing.assert_array_equal(others.log_density(2, cell=5), again.log_density(2, cell=5))
    alone = viewers.select(viewers.viewer == "1")
    with pytest.raises(DataError, match="nobody else looked at a"):
        OtherViewers(alone, centre).log_density(0)


def test_a_wider_kernel_is_learned_where_viewers_differ_more(rng, pictures):
    def kernel(spread):
        paths = [
            Scanpath(
                *(rng.normal((30, 35), spread, (3, 2)).T), np.full(3, 99.0), viewer, s, size=SIZE
            )
            for viewer in "123"
            for s in "ab"
        ]
        viewers = Scanpaths.from_list(paths)
        return best_kernel(viewers, CentreBias().fit(viewers, pictures), 5)[0]

    assert kernel(9.0) > kernel(1.0)


@pytest.mark.realdata
def test_the_reference_numbers_of_osie(real_data):
    """Every seventh image is test; 8-pixel cells, kernel of 24 pixels, .1 centre bias."""
    data = load_gaze("osie", real_data / "osie")
    scanpaths = data.scanpaths
    names = sorted(set(scanpaths.stimulus))
    test = np.isin(scanpaths.stimulus, names[::7])
    centre = CentreBias().fit(scanpaths.select(~test), {})
    size, held = (800, 600), scanpaths.select(test)
    others = OtherViewers(held, centre)
    middle = centre.of_size(size, 8)
    nats, gold, nss, gold_nss = [], [], [], []
    for row, path in enumerate(held):
        at = cell_of(path.x, path.y, size, 8)
        density = others.log_density(row, cell=8)
        nats.append(fn.log_likelihood(middle, *at))
        gold.append(fn.log_likelihood(density, *at))
        nss.append(fn.nss(np.exp(middle), *at))
        gold_nss.append(fn.nss(np.exp(density), *at))
    nats, gold = np.concatenate(nats), np.concatenate(gold)
    uniform = np.full(len(nats), -np.log(800 * 600))
    assert fn.information_gain(nats, uniform).mean() == pytest.approx(0.50, rel=0.03)
    assert fn.information_gain(gold, nats).mean() == pytest.approx(2.10, rel=0.03)
    assert np.concatenate(nss).mean() == pytest.approx(0.82, rel=0.03)
    assert np.concatenate(gold_nss).mean() == pytest.approx(3.52, rel=0.03)
