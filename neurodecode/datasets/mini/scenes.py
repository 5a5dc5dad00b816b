"""Procedural scenes: sampling, rendering, captions, boxes and latent factors.

The miniature world's pictures. Everything is a function of a small frozen `Scene`; the same scene
always gives the same pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from neurodecode.datasets.mini.backgrounds import paint_background
from neurodecode.datasets.mini.captions import captions, place_words, size_word
from neurodecode.datasets.mini.drawing import draw_object
from neurodecode.datasets.mini.scene_types import (
    BACKGROUNDS,
    CATEGORIES,
    COLOURS,
    MAX_OBJECTS,
    Scene,
    SceneObject,
)

__all__ = [
    "BACKGROUNDS", "CATEGORIES", "COLOURS", "MAX_OBJECTS", "Scene", "SceneObject", "boxes",
    "captions", "factor_vector", "factors", "place_words", "render", "sample_scene", "size_word",
]  # fmt: skip

SUPERSAMPLING = 4
_COUNT_PROBABILITIES = (0.5, 0.32, 0.18)
_MAIN_SIZE, _OTHER_SIZE = (0.38, 0.60), (0.20, 0.30)
_TRIES = 60


def _sample_object(rng: np.random.Generator, sizes: tuple[float, float]) -> SceneObject:
    size = float(rng.uniform(*sizes))
    # Objects stay inside the picture, up to a twentieth of their side.
    x, y = (float(v) for v in rng.uniform(0.45 * size, 1 - 0.45 * size, 2))
    category = CATEGORIES[int(rng.integers(len(CATEGORIES)))]
    colour = list(COLOURS)[int(rng.integers(len(COLOURS)))]
    return SceneObject(category, colour, round(x, 4), round(y, 4), round(size, 4))


def _clear(item: SceneObject, placed: list[SceneObject]) -> bool:
    """Whether an object overlaps those already there by less than a tenth of their sides."""
    return all(
        max(abs(item.x - p.x), abs(item.y - p.y)) > 0.45 * (item.size + p.size) for p in placed
    )


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draw a random scene.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Scene
        One to three objects that do not hide each other, the first the largest.
    """
    count = 1 + int(rng.choice(MAX_OBJECTS, p=_COUNT_PROBABILITIES))
    placed = [_sample_object(rng, _MAIN_SIZE)]
    for _ in range(_TRIES):
        if len(placed) == count:
            break
        item = _sample_object(rng, _OTHER_SIZE)
        if _clear(item, placed):
            placed.append(item)
    background = BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    return Scene(tuple(placed), background, int(rng.integers(2**31)))


def _lit(layer: Image.Image) -> Image.Image:
    """Shade a layer as if the light came from the top left."""
    pixels = np.asarray(layer, dtype=np.float32)
    side = pixels.shape[0]
    y, x = np.mgrid[:side, :side] / side
    light = 1.10 - 0.13 * (x + y)
    rgb = (pixels[..., :3] * light[..., None]).clip(0, 255)
    return Image.fromarray(np.concatenate([rgb, pixels[..., 3:]], axis=2).astype(np.uint8))


def _paste_object(canvas: Image.Image, item: SceneObject) -> None:
    side = item.size * canvas.size[0]
    layer = _lit(draw_object(item.category, COLOURS[item.colour], side))
    corner = tuple(round(c * canvas.size[0] - layer.size[0] / 2) for c in (item.x, item.y))
    shadow = layer.getchannel("A").filter(ImageFilter.BoxBlur(side * 0.03))
    shadow = shadow.point([v * 2 // 5 for v in range(256)])
    offset = (corner[0] + round(0.05 * side), corner[1] + round(0.06 * side))
    canvas.paste((10, 10, 20), offset, mask=shadow)
    canvas.paste(layer, corner, mask=layer)


def render(scene: Scene, size: int = 64) -> NDArray[np.uint8]:
    """Render a scene.

    Parameters
    ----------
    scene : Scene
        What to draw.
    size : int
        Side of the image in pixels; drawn four times as large and averaged down.

    Returns
    -------
    ndarray of shape (size, size, 3)
        RGB, uint8, a pure function of the scene and the size.
    """
    canvas = paint_background(scene.background, size * SUPERSAMPLING, scene.texture_seed)
    for item in reversed(scene.objects):
        _paste_object(canvas, item)
    return np.asarray(canvas.resize((size, size), Image.Resampling.BOX))


def boxes(scene: Scene, size: int = 64) -> list[list[float]]:
    """Bounding boxes of the objects, in COCO order.

    Parameters
    ----------
    scene : Scene
        The scene.
    size : int
        Side of the image in pixels.

    Returns
    -------
    list of list of float
        ``[x, y, width, height]`` in pixels for each object in order, clipped to the image, from
        the drawn outline without its shadow.
    """
    large = size * SUPERSAMPLING
    found = []
    for item in scene.objects:
        layer = draw_object(item.category, COLOURS[item.colour], item.size * large)
        left, top, right, bottom = layer.getbbox() or (0, 0, 0, 0)
        dx, dy = (round(c * large - layer.size[0] / 2) for c in (item.x, item.y))
        x0, x1 = (min(max(v + dx, 0), large) / SUPERSAMPLING for v in (left, right))
        y0, y1 = (min(max(v + dy, 0), large) / SUPERSAMPLING for v in (top, bottom))
        found.append([x0, y0, x1 - x0, y1 - y0])
    return found


def _one_hot(index: int, n: int) -> NDArray[np.float32]:
    return np.eye(n, dtype=np.float32)[index]


def factors(scene: Scene) -> dict[str, NDArray[np.float32]]:
    """Latent causes of a picture, for forward models.

    Parameters
    ----------
    scene : Scene
        The scene.

    Returns
    -------
    dict of str to ndarray of shape (n_values,)
        ``category`` (12), ``colour`` (8) and ``background`` (8) one-hot, of the main object;
        ``position`` (x, y) and ``size`` (1) of the main object in fractions of the image,
        ``place`` (9) the one-hot cell of the 3 x 3 grid (row by row), ``count`` (3) one-hot,
        ``others`` (12) the number of further objects of each category, and ``other_colours`` (8).
    """
    main, names = scene.main, list(COLOURS)
    column, row = place_words(main)
    cell = 3 * ("top", "middle", "bottom").index(row) + ("left", "centre", "right").index(column)
    others, other_colours = np.zeros(len(CATEGORIES)), np.zeros(len(names))
    for item in scene.objects[1:]:
        others[CATEGORIES.index(item.category)] += 1
        other_colours[names.index(item.colour)] += 1
    return {
        "category": _one_hot(CATEGORIES.index(main.category), len(CATEGORIES)),
        "colour": _one_hot(names.index(main.colour), len(names)),
        "background": _one_hot(BACKGROUNDS.index(scene.background), len(BACKGROUNDS)),
        "position": np.array([main.x, main.y], dtype=np.float32),
        "size": np.array([main.size], dtype=np.float32),
        "place": _one_hot(cell, 9),
        "count": _one_hot(len(scene.objects) - 1, MAX_OBJECTS),
        "others": others.astype(np.float32),
        "other_colours": other_colours.astype(np.float32),
    }


def factor_vector(scene: Scene) -> NDArray[np.float32]:
    """All latent factors of a scene in one vector, in the order of `factors`.

    Parameters
    ----------
    scene : Scene
        The scene.

    Returns
    -------
    ndarray of shape (n_factors,)
        The concatenated factors (63 values).
    """
    return np.concatenate(list(factors(scene).values()))
