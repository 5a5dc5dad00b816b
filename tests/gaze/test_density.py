from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import lognorm

from neurodecode.errors import ConfigError, DataError
from neurodecode.gaze.conspicuity import CHANNELS, conspicuity
from neurodecode.gaze.density import DensityModel
from neurodecode.gaze.density_training import mirrored, place_score
from neurodecode.gaze.grid import cell_areas
from neurodecode.gaze.likelihood import fit_beginnings, likelihood
from neurodecode.gaze.looks import cells_of, looks_of
from neurodecode.gaze.patch_features import PatchFeatures
from neurodecode.nn.scanpath.density import FixationDensity
from neurodecode.scanpaths import Scanpath, Scanpaths

SIZE = (96, 72)


def spot_world(n_pictures: int = 10, n_viewers: int = 3, seed: int = 0):
    """Grey pictures with a bright red spot; most fixations land on it, the rest return home."""
    rng = np.random.default_rng(seed)
    pictures, paths = {}, []
    for i in range(n_pictures):
        image = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
        image += rng.integers(0, 20, image.shape, np.uint8)
        x, y = rng.integers(8, SIZE[0] - 8), rng.integers(8, SIZE[1] - 8)
        image[y - 5 : y + 5, x - 5 : x + 5] = (250, 30, 30)
        pictures[f"p{i}"] = image
        for viewer in range(n_viewers + i % 2):
            n = int(rng.integers(2, 6))
            on = rng.random(n) < 0.8
            xs = np.where(on, x, SIZE[0] / 2) + 3 * rng.standard_normal(n)
            ys = np.where(on, y, SIZE[1] / 2) + 3 * rng.standard_normal(n)
            paths.append(Scanpath(xs, ys, rng.lognormal(5.5, 0.3, n), viewer=str(viewer),
                                  stimulus=f"p{i}", size=SIZE))  # fmt: skip
    return pictures, Scanpaths.from_list(paths)


@pytest.fixture(scope="module")
def fitted():
    pictures, scanpaths = spot_world()
    model = DensityModel(cells=12, held_out=5, network={"width": 16, "n_heads": 2},
                         training={"epochs": 15, "batch": 4, "lr": 1e-2})  # fmt: skip
    return model.fit(scanpaths, pictures), *spot_world(4, seed=1)


def small(grid=(3, 4)) -> FixationDensity:
    torch.manual_seed(0)
    net = FixationDensity(grid, 5, width=8, n_heads=2, position_dim=4).eval()
    for layer in (net.conspicuity, net.pointer.join, net.duration[1]):
        torch.nn.init.normal_(layer.weight)
    return net


def test_likelihood_is_the_chain_of_single_steps():
    net = small()
    scanpaths = Scanpaths.from_list([
        Scanpath(np.array([1.0, 7, 3]), np.array([1.0, 5, 2]), np.array([200, np.nan, 300]),
                 stimulus="a", size=(8, 6)),
        Scanpath(np.array([-3.0]), np.array([9.0]), np.array([150.0]), stimulus="b", size=(8, 6)),
    ])  # fmt: skip
    looks = looks_of(scanpaths, ["b", "a"], (3, 4))
    assert looks.cell.tolist() == [[[8, 0, 0]], [[0, 11, 5]]]
    assert looks.length.tolist() == [[1], [3]]
    features = torch.randn(2, 5, 3, 4)
    found = likelihood(net, net.encode(features), looks)
    assert found.where[0, 0, 1:].eq(0).all()
    assert found.how_long[1, 0, 1] == 0
    cell, times = looks.cell[1:, :, :], looks.duration[1:, :, :]
    for step in range(3):
        after = net(net.encode(features[1:]), cell[..., :step], times[..., :step])
        here = after.log_mass[0, 0, -1].flatten()
        torch.testing.assert_close(here.exp().sum(), torch.tensor(1.0))
        torch.testing.assert_close(found.where[1, 0, step], here[cell[0, 0, step]])
        mean, spread = net.log_durations(after, cell[..., : step + 1])
        mean, spread = mean[0, 0, -1].item(), spread[0, 0, -1].item()
        if step != 1:
            wanted = lognorm(spread, scale=np.exp(mean)).logpdf(times[0, 0, step].item())
            assert found.how_long[1, 0, step].item() == pytest.approx(wanted, rel=1e-4)


def test_training_starts_at_the_centre_bias_of_the_training_pictures():
    _, scanpaths = spot_world()
    names = [f"p{i}" for i in range(10)]
    looks = looks_of(scanpaths, names, (6, 8))
    net = FixationDensity((6, 8), 5, width=8, n_heads=2)
    before = place_score(net, torch.randn(10, 5, 6, 8), looks)
    assert before == pytest.approx(-np.log(48), abs=1e-4)
    fit_beginnings(net, looks)
    prior = net.log_prior.exp()
    assert prior.sum() == pytest.approx(1, abs=1e-4)
    assert prior[2:4, 3:5].mean() > 1.6 * prior.mean()
    log = looks.duration[looks.valid].log()
    torch.testing.assert_close(net.log_duration, torch.stack([log.mean(), log.std()]))
    after = place_score(net, torch.randn(10, 5, 6, 8), looks)
    wanted = net.log_prior.flatten()[looks.cell[looks.valid]].mean().item()
    assert after == pytest.approx(wanted, abs=1e-4)
    assert after > before


def test_mirrored_pictures_have_mirrored_fixations():
    cell, valid = torch.tensor([[[0, 6, 0]]]), torch.tensor([[2]])
    looks = type(looks_of(spot_world()[1], ["p0"], (3, 4)))(cell, torch.rand(1, 1, 3), valid)
    features = torch.rand(1, 2, 3, 4)
    turned, other = mirrored(features, looks, 4)
    assert other.cell.tolist() == [[[3, 5, 0]]]
    assert turned[0, 1, 1, 1] == features[0, 1, 1, 2]


def test_it_learns_what_attracts_the_eye_and_says_it_of_new_pictures(fitted):
    model, pictures, scanpaths = fitted
    assert max(model.history) > model.history[0] + 0.7
    uniform = -np.log(SIZE[0] * SIZE[1])
    gain = []
    for path in scanpaths:
        log = model.log_densities(pictures[path.stimulus], path.xyt, cell=5)
        assert log.shape == (len(path), 15, 20)
        mass = (np.exp(log) * cell_areas(SIZE, 5)).sum((1, 2))
        np.testing.assert_allclose(mass, 1, atol=1e-6)
        row, column = (np.clip(v // 5, 0, n - 1).astype(int)
                       for v, n in ((path.y, 15), (path.x, 20)))  # fmt: skip
        gain.append(log[np.arange(len(path)), row, column] - uniform)
        last = model.log_density(pictures[path.stimulus], path.xyt[:1], cell=5)
        np.testing.assert_allclose(last, log[1], atol=1e-5)
    assert np.concatenate(gain).mean() > 1.0


def test_samples_follow_the_density_and_the_seed(fitted):
    model, pictures, _ = fitted
    image = pictures["p0"]
    drawn = model.predict(image, n_fixations=3, n_samples=300, seed=4, target="ball")
    assert len(drawn) == 300
    assert set(drawn.n_fixations) == {3}
    assert drawn.viewer[7] == "sample-7"
    assert drawn.target[0] == "ball"
    assert drawn.size == {"": SIZE}
    assert not drawn.check().any()
    again = model.predict(image, n_fixations=3, n_samples=300, seed=4)
    np.testing.assert_array_equal(drawn.x, again.x)
    assert np.median(drawn.duration) == pytest.approx(np.exp(5.5), rel=0.1)
    first = drawn.x[::3], drawn.y[::3]
    log = model.log_density(image, np.zeros((0, 3)), cell=24)
    counts = np.histogram2d(first[1], first[0], bins=[[0, 24, 48, 72], [0, 24, 48, 72, 96]])[0]
    np.testing.assert_allclose(counts / 300, np.exp(log) * 24**2, atol=0.12)


def test_conspicuity_sees_the_spot_and_survives_a_grey_picture():
    image = spot_world(1)[0]["p0"]
    found = conspicuity(image, (9, 12))
    assert found.shape == (9, 12, CHANNELS)
    np.testing.assert_allclose(found.mean((0, 1)), 0, atol=1e-4)
    red = (image[..., 0] > 200).reshape(9, 8, 12, 8).mean((1, 3))
    assert np.unravel_index(found[..., 1].argmax(), (9, 12)) == np.unravel_index(
        red.argmax(), (9, 12)
    )
    assert abs(conspicuity(np.full((40, 30, 3), 99, np.uint8), (4, 3))).max() < 0.02


def test_features_of_a_tower_can_be_joined(fitted):
    both = PatchFeatures("conspicuity+mini-clip", (6, 8))
    image = spot_world(1)[0]["p0"]
    assert both(image).shape == (CHANNELS + 128, 6, 8)
    assert both(image) is both(image)


def test_misuse_is_named():
    pictures, scanpaths = spot_world(1)
    with pytest.raises(ConfigError, match="at least 2 training pictures"):
        DensityModel().fit(scanpaths, pictures)
    with pytest.raises(ConfigError, match="was not fitted"):
        DensityModel().predict(pictures["p0"], n_fixations=2)
    with pytest.raises(DataError, match="nobody looked"):
        looks_of(scanpaths, ["other"], (3, 4))
    assert cells_of(np.array([[99.0, -5.0]]), (8, 6), (3, 4)).tolist() == [3]
