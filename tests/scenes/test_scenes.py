"""Scenes: sampled, drawn, described and boxed consistently."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neurodecode.datasets.mini.drawing import DRAWERS
from neurodecode.datasets.mini.scenes import (
    BACKGROUNDS,
    CATEGORIES,
    COLOURS,
    Scene,
    SceneObject,
    boxes,
    captions,
    factor_vector,
    factors,
    place_words,
    render,
    sample_scene,
    size_word,
)


def _one(category: str, colour: str, background: str, **place: float) -> Scene:
    item = SceneObject(category, colour, **{"x": 0.5, "y": 0.5, "size": 0.5, **place})
    return Scene((item,), background, 11)


@pytest.fixture
def scenes(rng: np.random.Generator) -> list[Scene]:
    return [sample_scene(rng) for _ in range(60)]


def test_every_category_has_a_drawer() -> None:
    assert set(DRAWERS) == set(CATEGORIES)
    assert len(CATEGORIES) == 12
    assert (len(COLOURS), len(BACKGROUNDS)) == (8, 8)


def test_sampling_is_seeded_and_varied(scenes: list[Scene]) -> None:
    again = np.random.default_rng(7)
    assert scenes == [sample_scene(again) for _ in range(60)]
    assert {len(s.objects) for s in scenes} == {1, 2, 3}
    assert {s.main.category for s in scenes} == set(CATEGORIES)
    assert {s.background for s in scenes} == set(BACKGROUNDS)


def test_main_object_is_the_largest_and_none_hides_another(scenes: list[Scene]) -> None:
    for scene in scenes:
        sizes = [item.size for item in scene.objects]
        assert max(sizes) == sizes[0]
        for i, a in enumerate(scene.objects):
            for b in scene.objects[:i]:
                assert max(abs(a.x - b.x), abs(a.y - b.y)) > 0.45 * (a.size + b.size)


def test_rendering_is_a_pure_function_of_the_scene(scenes: list[Scene]) -> None:
    for scene in scenes[:5]:
        image = render(scene)
        assert image.dtype == np.uint8
        assert image.shape == (64, 64, 3)
        np.testing.assert_array_equal(image, render(scene))
        other = render(dataclasses.replace(scene, texture_seed=scene.texture_seed + 1))
        if scene.background != "stripes":
            assert (image != other).any()
    assert render(scenes[0], size=45).shape == (45, 45, 3)


@pytest.mark.parametrize("colour", list(COLOURS))
def test_object_has_its_colour(colour: str) -> None:
    image = render(_one("ball", colour, "night")).astype(float)
    # left of the light wedge of the ball
    patch = image[30:34, 18:22].reshape(-1, 3).mean(axis=0)
    distances = {name: np.abs(patch - np.array(rgb)).sum() for name, rgb in COLOURS.items()}
    assert min(distances, key=distances.get) == colour


@pytest.mark.parametrize("category", CATEGORIES)
def test_box_holds_exactly_what_the_object_adds(category: str) -> None:
    scene = _one(category, "red", "snow", x=0.42, y=0.56)
    empty = render(Scene((dataclasses.replace(scene.main, size=0.01, x=0.99, y=0.99),), "snow", 11))
    changed = np.abs(render(scene).astype(int) - empty).sum(axis=2) > 150
    changed[-2:, -2:] = False
    rows, columns = np.nonzero(changed)
    ((x, y, width, height),) = boxes(scene)
    assert x - 1 <= columns.min()
    assert y - 1 <= rows.min()
    # the shadow falls to the lower right, by at most a tenth of the object
    assert columns.max() <= x + width + 4
    assert rows.max() <= y + height + 4
    assert columns.max() - columns.min() >= 0.8 * width
    assert rows.max() - rows.min() >= 0.8 * height


def test_boxes_stay_inside_the_image(scenes: list[Scene]) -> None:
    for scene in scenes:
        found = boxes(scene, size=48)
        assert len(found) == len(scene.objects)
        for x, y, width, height in found:
            assert 0 <= x < x + width <= 48
            assert 0 <= y < y + height <= 48


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (0.2, 0.2, ("left", "top")),
        (0.42, 0.58, ("centre", "middle")),
        (0.9, 0.59, ("right", "bottom")),
    ],
)
def test_place_words(x: float, y: float, words: tuple[str, str]) -> None:
    assert place_words(SceneObject("cup", "blue", x, y, 0.3)) == words


@pytest.mark.parametrize(("size", "word"), [(0.31, "small"), (0.32, "medium"), (0.48, "large")])
def test_size_word(size: float, word: str) -> None:
    assert size_word(SceneObject("cup", "blue", 0.5, 0.5, size)) == word


def test_captions_name_objects_colours_and_relation() -> None:
    scene = Scene(
        (SceneObject("house", "purple", 0.3, 0.3, 0.5), SceneObject("fish", "pink", 0.8, 0.3, 0.2)),
        "grass",
        5,
    )
    texts = captions(scene, n=7)
    assert len(texts) == 7
    assert texts == captions(scene, n=7)
    for text in texts:
        assert "purple" in text
        assert "pink fish" in text
        assert "grass" in text or "meadow" in text
        assert "top left" in text
    assert any("to the right of it" in text for text in texts)
    assert captions(scene, rng=np.random.default_rng(1)) != captions(scene)


def test_factors_agree_with_the_scene(scenes: list[Scene]) -> None:
    for scene in scenes:
        values = factors(scene)
        assert CATEGORIES[int(values["category"].argmax())] == scene.main.category
        assert list(COLOURS)[int(values["colour"].argmax())] == scene.main.colour
        assert BACKGROUNDS[int(values["background"].argmax())] == scene.background
        np.testing.assert_allclose(values["position"], [scene.main.x, scene.main.y], rtol=1e-6)
        assert values["others"].sum() == values["other_colours"].sum() == len(scene.objects) - 1
        assert values["count"].argmax() == len(scene.objects) - 1
        column, row = place_words(scene.main)
        cell = values["place"].argmax()
        assert (["left", "centre", "right"][cell % 3], ["top", "middle", "bottom"][cell // 3]) == (
            column,
            row,
        )
        assert factor_vector(scene).shape == (63,)
        assert factor_vector(scene).dtype == np.float32
