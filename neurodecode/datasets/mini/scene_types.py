"""What a miniature scene is made of: the vocabulary and the two frozen records."""

from __future__ import annotations

from dataclasses import dataclass

CATEGORIES: tuple[str, ...] = (
    "ball", "box", "star", "house", "tree", "car",
    "boat", "fish", "cup", "flower", "face", "umbrella",
)  # fmt: skip
"""Object categories, in one-hot order."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 44, 44),
    "orange": (245, 138, 30),
    "yellow": (250, 216, 50),
    "green": (48, 168, 80),
    "blue": (44, 92, 214),
    "purple": (138, 66, 190),
    "pink": (246, 138, 184),
    "white": (246, 246, 242),
}
"""Object colours, name to RGB, in one-hot order."""

BACKGROUNDS: tuple[str, ...] = (
    "sky", "grass", "sand", "water", "night", "bricks", "stripes", "snow",
)  # fmt: skip
"""Backgrounds, in one-hot order."""

MAX_OBJECTS = 3
"""Largest number of objects in a scene."""


@dataclass(frozen=True)
class SceneObject:
    """One object of a scene.

    Parameters
    ----------
    category : str
        One of `CATEGORIES`.
    colour : str
        One of `COLOURS`.
    x, y : float
        Centre as a fraction of the image, x to the right and y downwards.
    size : float
        Side of the square the object is drawn into, as a fraction of the image.
    """

    category: str
    colour: str
    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Scene:
    """A picture described by its causes.

    Parameters
    ----------
    objects : tuple of SceneObject
        One to three objects, the first the largest (the "main" object).
    background : str
        One of `BACKGROUNDS`.
    texture_seed : int
        Seed of the background's texture and of the default choice of captions.
    """

    objects: tuple[SceneObject, ...]
    background: str
    texture_seed: int

    @property
    def main(self) -> SceneObject:
        """The largest object."""
        return self.objects[0]
