"""Captions of miniature scenes: paraphrases that name what is there, its colour and its place."""

from __future__ import annotations

import numpy as np

from neurodecode.datasets.mini.scene_types import Scene, SceneObject

_BACKGROUND_PHRASES: dict[str, tuple[str, ...]] = {
    "sky": ("in the sky", "against a blue sky with clouds", "in front of the cloudy sky"),
    "grass": ("on the grass", "in a green meadow", "on a grassy field"),
    "sand": ("on the sand", "on a sandy beach", "in the desert sand"),
    "water": ("on the water", "in the sea", "over the waves of the water"),
    "night": ("at night", "under the stars at night", "in the dark night"),
    "bricks": ("in front of a brick wall", "against the bricks", "by a wall of bricks"),
    "stripes": ("on grey stripes", "against a striped wall", "in front of stripes"),
    "snow": ("in the snow", "on a snowy day", "while snow is falling"),
}
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "ball": ("ball",), "box": ("box", "crate"), "star": ("star",), "house": ("house", "home"),
    "tree": ("tree", "pine tree"), "car": ("car",), "boat": ("boat", "sailing boat"),
    "fish": ("fish",), "cup": ("cup", "mug"), "flower": ("flower",),
    "face": ("face", "smiling face"), "umbrella": ("umbrella",),
}  # fmt: skip
_OPENINGS = ("", "a picture of ", "a drawing of ", "there is ", "we see ")
_LEFT, _RIGHT = 0.42, 0.58


def place_words(item: SceneObject) -> tuple[str, str]:
    """Name the column and the row an object is in.

    Parameters
    ----------
    item : SceneObject
        The object.

    Returns
    -------
    tuple of str
        One of left, centre, right and one of top, middle, bottom.
    """
    column = "left" if item.x < _LEFT else "right" if item.x > _RIGHT else "centre"
    row = "top" if item.y < _LEFT else "bottom" if item.y > _RIGHT else "middle"
    return column, row


def size_word(item: SceneObject) -> str:
    """Name the size of an object: small, medium or large."""
    return "small" if item.size < 0.32 else "large" if item.size >= 0.48 else "medium"


def _article(words: str) -> str:
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def _noun(item: SceneObject, rng: np.random.Generator, with_size: bool) -> str:
    name = str(rng.choice(_SYNONYMS[item.category]))
    size = f"{size_word(item)} " if with_size else ""
    return _article(f"{size}{item.colour} {name}")


def _place(item: SceneObject, rng: np.random.Generator) -> str:
    column, row = place_words(item)
    if column == "centre" and row == "middle":
        return str(rng.choice(["in the centre", "in the middle of the picture"]))
    if column == "centre":
        return f"at the {row}"
    if row == "middle":
        return f"on the {column}"
    return str(rng.choice([f"at the {row} {column}", f"in the {row} {column} corner"]))


def _relation(item: SceneObject, main: SceneObject) -> str:
    dx, dy = item.x - main.x, item.y - main.y
    if abs(dx) >= abs(dy):
        return "to the right of" if dx > 0 else "to the left of"
    return "below" if dy > 0 else "above"


def _one(scene: Scene, rng: np.random.Generator, style: int) -> str:
    main, others = scene.main, scene.objects[1:]
    ground = str(rng.choice(_BACKGROUND_PHRASES[scene.background]))
    noun, place = _noun(main, rng, with_size=style != 3), _place(main, rng)
    listed = " and ".join(_noun(o, rng, with_size=style == 1) for o in others)
    beside = " and ".join(
        f"{_noun(o, rng, with_size=False)} {_relation(o, main)} it" for o in others
    )
    opening = _OPENINGS[style]
    if style in (0, 1):
        tail = f" with {beside}" if others else ""
        return f"{opening}{noun} {place} {ground}{tail}"
    if style == 2:
        tail = f" and {listed}" if others else ""
        return f"{opening}{noun}{tail} {ground}, {noun.split(' ', 1)[1]} {place}"
    if style == 3:
        tail = f", with {beside}" if others else ", alone"
        return f"{ground} {opening}{noun} {place}{tail}"
    tail = f" near {listed}" if others else ""
    return f"{opening}{noun}{tail} {ground}, {place}"


def captions(scene: Scene, n: int = 5, rng: np.random.Generator | None = None) -> list[str]:
    """Describe a scene in several ways.

    Parameters
    ----------
    scene : Scene
        What to describe.
    n : int
        Number of paraphrases; the five sentence forms are used in turn.
    rng : numpy.random.Generator, optional
        Source of the wording. By default it is seeded with the scene's texture seed, so that a
        scene always has the same captions.

    Returns
    -------
    list of str
        `n` captions in lower case.
    """
    source = np.random.default_rng(scene.texture_seed) if rng is None else rng
    return [_one(scene, source, k % len(_OPENINGS)) for k in range(n)]
