"""What the miniature viewers look at: scenes, and arrays of objects to search in."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from neurodecode.datasets.mini.drawing import draw_object
from neurodecode.datasets.mini.scene_types import BACKGROUNDS, CATEGORIES, COLOURS
from neurodecode.datasets.mini.scenes import Scene, SceneObject, boxes, render, sample_scene

__all__ = ["LAYOUTS", "View", "object_similarity", "object_words", "sample_array", "sample_view"]

#: Layout of a search array -> places of its objects, as fractions of the picture.
LAYOUTS: dict[str, tuple[tuple[float, float], ...]] = {
    f"{rows}x{columns}": tuple(
        ((column + 0.5) / columns, (row + 0.5) / rows)
        for row in range(rows)
        for column in range(columns)
    )
    for rows, columns in ((2, 3), (3, 3), (3, 4), (2, 4), (4, 4))
} | {
    f"ring{n}": tuple(
        (0.5 + 0.36 * float(np.sin(a)), 0.5 - 0.36 * float(np.cos(a)))
        for a in 2 * np.pi * np.arange(n) / n
    )
    for n in (6, 8)
}

_JITTER, _FILL = 0.12, 0.62


@dataclass(frozen=True)
class View:
    """A picture with what viewers are asked about it.

    Parameters
    ----------
    name : str
        File name.
    scene : Scene
        What is in it.
    target : str
        Category that is searched for; exactly one object has it.
    caption : str
        Words that captioned viewers read: one of the objects.
    """

    name: str
    scene: Scene
    target: str
    caption: str
    size: int = field(default=128, repr=False)

    def pixels(self) -> np.ndarray:
        """Draw the picture, uint8 of shape (size, size, 3)."""
        return render(self.scene, self.size)

    def boxes(self) -> np.ndarray:
        """Left, top, width, height of the objects in pixels, (n_objects, 4)."""
        return np.array(boxes(self.scene, self.size))


def object_words(item: SceneObject) -> str:
    """Name an object by colour and category.

    Parameters
    ----------
    item : SceneObject
        The object.

    Returns
    -------
    str
        ``an orange cup``.
    """
    return f"{'an' if item.colour[0] in 'aeiou' else 'a'} {item.colour} {item.category}"


def _captioned(scene: Scene, rng: np.random.Generator) -> str:
    return object_words(scene.objects[int(rng.integers(len(scene.objects)))])


def sample_view(rng: np.random.Generator, name: str, size: int) -> View:
    """Draw a scene with at least two objects, all of different categories.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    name : str
        File name.
    size : int
        Side in pixels.

    Returns
    -------
    View
        Target and caption name one object each.
    """
    while True:
        scene = sample_scene(rng)
        kinds = [item.category for item in scene.objects]
        if len(kinds) >= 2 and len(set(kinds)) == len(kinds):
            return View(name, scene, str(rng.choice(kinds)), _captioned(scene, rng), size)


def sample_array(rng: np.random.Generator, name: str, layout: str, size: int) -> View:
    """Draw an array of objects, exactly one of them of the target's category.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    name : str
        File name.
    layout : str
        A key of `LAYOUTS`; objects are jittered around its places.
    size : int
        Side in pixels.

    Returns
    -------
    View
        With the target at a random place.
    """
    places = np.array(LAYOUTS[layout])
    distance = np.hypot(*np.moveaxis(places[:, None] - places[None], -1, 0))
    spacing = distance[distance > 0].min()
    target = str(rng.choice(CATEGORIES))
    others = [category for category in CATEGORIES if category != target]
    kinds = [str(rng.choice(others)) for _ in places]
    kinds[int(rng.integers(len(places)))] = target
    side = float(min(_FILL * spacing, 0.3))
    jitter = rng.uniform(-1, 1, places.shape) * _JITTER * spacing
    items = tuple(
        SceneObject(kind, str(rng.choice(list(COLOURS))), round(x, 4), round(y, 4), round(side, 4))
        for kind, (x, y) in zip(kinds, (places + jitter).tolist())
    )
    scene = Scene(items, str(rng.choice(BACKGROUNDS)), int(rng.integers(2**31)))
    return View(name, scene, target, _captioned(scene, rng), size)


@cache
def object_similarity() -> np.ndarray:
    """How alike objects of two categories look, beyond that all of them are objects.

    Returns
    -------
    array of shape (12, 12)
        In the order of `CATEGORIES`: correlation of drawings in one colour, less the mean of
        different categories, not below 0; 1 on the diagonal.
    """
    drawings = []
    for category in CATEGORIES:
        layer = draw_object(category, COLOURS["white"], 64).resize((16, 16))
        pixels = np.asarray(layer, np.float64)
        drawings.append((pixels[..., :3].mean(axis=2) * pixels[..., 3]).ravel())
    alike = np.corrcoef(drawings)
    usual = alike[~np.eye(len(alike), dtype=bool)].mean()
    return np.clip((alike - usual) / (1 - usual), 0, 1)
