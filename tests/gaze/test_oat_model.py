from __future__ import annotations

import numpy as np
import pytest

from neurodecode.errors import ConfigError, DataError
from neurodecode.gaze.exemplars import Exemplars
from neurodecode.gaze.oat import OatModel
from neurodecode.gaze.object_sequences import crop_objects, nearest_objects
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

COLOURS = {"tomato": (220, 40, 40), "leaf": (40, 180, 60), "plum": (90, 40, 200)}
SIZE = (96, 64)


def shelf(rng: np.random.Generator, n_objects: int) -> tuple[np.ndarray, Objects]:
    """A grey shelf with one thing of each kind, and more of the last two."""
    image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    cells = rng.permutation(24)[:n_objects]
    names = list(COLOURS) + list(rng.choice(["leaf", "plum"], n_objects - 3))
    boxes = []
    for cell, name in zip(cells, names, strict=True):
        left, top = 16 * (cell % 6) + rng.integers(0, 5), 16 * (cell // 6) + rng.integers(0, 5)
        image[top : top + 10, left : left + 11] = np.array(COLOURS[name]) + rng.integers(-20, 20, 3)
        boxes.append((left, top, 11, 10))
    return image, Objects(np.array(boxes), np.array(names))


def world(n: int, seed: int, n_objects: int | tuple[int, ...] = (3, 5, 8)):
    """Searchers for tomatoes look at one other thing, then at the tomato."""
    rng = np.random.default_rng(seed)
    pictures, objects, paths = {}, {}, []
    for i in range(n):
        name, here = f"s{i}", np.atleast_1d(n_objects)
        pictures[name], objects[name] = shelf(rng, here[i % len(here)])
        for viewer in range(4):
            order = [int(rng.integers(1, len(objects[name]))), 0]
            xy = objects[name].centres[order] + rng.uniform(-3, 3, (2, 2))
            paths.append(Scanpath(*xy.T, rng.lognormal(5.4, 0.3, 2), viewer=str(viewer),
                                  stimulus=name, target="tomato", size=SIZE))  # fmt: skip
    return Scanpaths.from_list(paths), pictures, objects


@pytest.fixture(scope="module")
def fitted() -> OatModel:
    network = {"width": 32, "depth": 1, "n_heads": 2, "dropout": 0.0}
    model = OatModel(
        appearance="cnn", network=network, training={"epochs": 14, "lr": 6e-3, "batch": 16}
    )
    return model.fit(*world(20, seed=0))


def test_it_finds_the_target_on_shelves_with_a_number_of_objects_never_seen(fitted):
    _, pictures, objects = world(8, seed=1, n_objects=6)
    found, lengths = [], []
    for name, image in pictures.items():
        drawn = fitted.predict(image, objects=objects[name], target="tomato",
                               n_fixations=6, n_samples=20, seed=3)  # fmt: skip
        assert not drawn.check().any()
        assert set(drawn.target) == {"tomato"}
        lengths += drawn.n_fixations.tolist()
        seen = [nearest_objects(path, objects[name]) for path in drawn]
        found += [path[1] == 0 for path in seen if len(path) > 1]
        inside = objects[name].at(drawn.x, drawn.y)
        assert (inside >= 0).all()
    assert np.mean(found) > 0.9  # .17 by chance
    assert min(lengths) >= 1
    assert abs(np.mean(lengths) - 2) < 0.3
    assert np.isfinite(drawn.duration).all()


def test_the_same_seed_draws_the_same_and_another_does_not(fitted):
    _, pictures, objects = world(1, seed=2)

    def draw(seed: int) -> np.ndarray:
        return fitted.predict(pictures["s0"], objects=objects["s0"], target="tomato",
                              n_fixations=4, n_samples=9, seed=seed).x  # fmt: skip

    np.testing.assert_array_equal(draw(5), draw(5))
    assert draw(5).shape != draw(6).shape or (draw(5) != draw(6)).any()


def test_crops_show_the_objects_and_places_are_shares_of_the_longer_side():
    image, objects = shelf(np.random.default_rng(0), 4)
    crops, places = crop_objects(image, objects)
    assert crops.shape == (4, 24, 24, 3)
    middle = crops[0].reshape(-1, 3).mean(0)
    assert np.abs(middle - COLOURS["tomato"]).max() < 45
    np.testing.assert_allclose(places * 96, objects.centres, rtol=1e-6)
    assert places.max() <= 1


def test_exemplars_come_from_other_pictures_where_there_are_others(rng):
    bank = Exemplars(per_category=2)
    crops = np.arange(4)[:, None, None, None] * np.ones((1, 2, 2, 3))
    bank.add("a", np.array(["cup", "cup", "cup", "box"]), crops)
    assert bank.draw("box", "a", rng)[0, 0, 0] == 3
    bank.add("b", np.array(["box"]), crops[:1])
    assert {bank.draw("box", "a", rng)[0, 0, 0] for _ in range(9)} == {0}
    assert {bank.draw("cup", "x", rng)[0, 0, 0] for _ in range(30)} == {0, 1}
    with pytest.raises(DataError, match=r"field target: target 'car' .*\(box, cup\)"):
        bank.draw("car", "a", rng)


def test_embedded_objects_tell_kinds_apart():
    network = {"width": 16, "depth": 1, "n_heads": 2}
    model = OatModel(network=network, training={"epochs": 1}).fit(*world(6, seed=0))
    image, objects = shelf(np.random.default_rng(5), 5)
    looks = model.looks(image, objects).crops
    assert looks.shape == (5, 2)  # three kinds, two directions
    drawn = model.predict(image, objects=objects, target="plum", n_fixations=3, n_samples=2)
    assert set(drawn.target) == {"plum"}


def test_bad_input_is_named(fitted):
    _, pictures, objects = world(1, seed=2)
    image, known = pictures["s0"], objects["s0"]
    some = {"n_fixations": 3}
    with pytest.raises(DataError, match="target 'car' is not among the objects"):
        fitted.predict(image, objects=known, target="car", **some)
    outside = Objects(np.array([[90, 10, 20, 10]]), np.array(["tomato"]))
    with pytest.raises(DataError, match=r"box of tomato .* is not inside 96 x 64"):
        fitted.predict(image, objects=outside, target="tomato", **some)
    with pytest.raises(DataError, match="needs objects and a target"):
        fitted.predict(image, target="tomato", **some)
    with pytest.raises(ConfigError, match="was not fitted"):
        OatModel().predict(image, objects=known, target="leaf", **some)
    with pytest.raises(ConfigError, match="at least 2 training pictures"):
        OatModel().fit(world(1, 0)[0], pictures, objects)
