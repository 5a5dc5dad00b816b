"""Higher visual voxels: tuned to what is in the scene, not to its pixels or any embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.datasets.mini.anatomy import Anatomy
from neurodecode.datasets.mini.scene_types import (
    BACKGROUNDS,
    CATEGORIES,
    COLOURS,
    MAX_OBJECTS,
    Scene,
)

__all__ = ["Selectivity", "late_responses", "make_selectivity"]

#: What the category regions prefer.
_PREFERRED = {
    "floc-faces": ("face",),
    "floc-places": ("house", "boat", "tree"),
    "floc-bodies": ("fish", "flower"),
    "floc-words": ("cup", "box", "star"),
}
_PREFERENCE = 2.5
#: stream: weight of category, colour, conjunction, background, count, size of the object
_WEIGHTS = {
    "ventral": (1.0, 0.7, 0.5, 0.8, 0.2, 0.3),
    "lateral": (1.0, 0.3, 0.4, 0.4, 0.4, 0.4),
    "parietal": (0.4, 0.3, 0.2, 0.3, 1.0, 0.9),
}


@dataclass(frozen=True)
class Selectivity:
    """What each voxel makes of the objects and of the background.

    Parameters
    ----------
    object : array of shape (n_voxels, n_categories, n_colours)
        Response to an object: category, colour and their conjunction.
    background : array of shape (n_voxels, n_backgrounds)
        Response to the background.
    count : array of shape (n_voxels, 3)
        Response to one, two or three objects.
    size : array of shape (n_voxels,)
        Slope on the size of the main object.
    x, y, sigma : array of shape (n_voxels,)
        Gaussian field in which objects count, in fractions of the picture.
    """

    object: np.ndarray
    background: np.ndarray
    count: np.ndarray
    size: np.ndarray
    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray


def make_selectivity(anatomy: Anatomy, rng: np.random.Generator) -> Selectivity:
    """Give each voxel its mixed selectivity.

    Every voxel is tuned to several factors at once, with random weights whose size depends on
    its stream; voxels of category regions prefer their categories on top of that. Voxels of
    early areas get a selectivity too, which the caller does not use.

    Parameters
    ----------
    anatomy : Anatomy
        The brain.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Selectivity
        One for each voxel of visual cortex.
    """
    n = anatomy.n_voxels
    streams = np.char.replace(anatomy.streams, "mid", "")
    scale = np.array([_WEIGHTS.get(name, _WEIGHTS["ventral"]) for name in streams])
    category, colour, both, ground, count, size = (scale[:, k] for k in range(scale.shape[1]))
    n_categories, n_colours = len(CATEGORIES), len(COLOURS)
    to_category = rng.standard_normal((n, n_categories)) * category[:, None]
    for volume, names in _PREFERRED.items():
        inside = anatomy.labels[volume] > 0
        for name in names:
            to_category[inside, CATEGORIES.index(name)] += _PREFERENCE
    to_colour = rng.standard_normal((n, n_colours)) * colour[:, None]
    to_both = rng.standard_normal((n, n_categories, n_colours)) * both[:, None, None]
    # the left hemisphere sees more of the right half
    contralateral = np.where(anatomy.position[:, 0] < 0, 0.6, 0.4)
    return Selectivity(
        object=to_category[:, :, None] + to_colour[:, None, :] + to_both,
        background=rng.standard_normal((n, len(BACKGROUNDS))) * ground[:, None],
        count=rng.standard_normal((n, MAX_OBJECTS)) * count[:, None],
        size=rng.standard_normal(n) * size,
        x=np.clip(contralateral + 0.15 * rng.standard_normal(n), 0, 1),
        y=np.clip(0.5 + 0.2 * rng.standard_normal(n), 0, 1),
        sigma=rng.uniform(0.2, 0.6, n),
    )


def late_responses(scenes: Sequence[Scene], selectivity: Selectivity) -> np.ndarray:
    """Compute the responses of all voxels to some scenes.

    Each object contributes its tuned response, weighted by the voxel's field at its place and
    by its size relative to a main object of 0.45; background, count and size add to that.

    Parameters
    ----------
    scenes : sequence of Scene of length n
        What is shown.
    selectivity : Selectivity
        Of n_voxels voxels.

    Returns
    -------
    array of float32 of shape (n, n_voxels)
        Responses without noise, in arbitrary units.
    """
    colours = list(COLOURS)
    flat = selectivity.object.reshape(len(selectivity.x), -1)
    main_size = np.array([scene.main.size for scene in scenes])
    grounds = [BACKGROUNDS.index(scene.background) for scene in scenes]
    counts = [len(scene.objects) - 1 for scene in scenes]
    out = selectivity.background[:, grounds] + selectivity.count[:, counts]
    out += selectivity.size[:, None] * (main_size - 0.49) / 0.06
    for place in range(MAX_OBJECTS):
        shown = [number for number, scene in enumerate(scenes) if len(scene.objects) > place]
        if not shown:
            continue
        items = [scenes[number].objects[place] for number in shown]
        kind = [
            CATEGORIES.index(item.category) * len(colours) + colours.index(item.colour)
            for item in items
        ]
        x, y, size = np.array([(item.x, item.y, item.size) for item in items]).T
        distance = (x - selectivity.x[:, None]) ** 2 + (y - selectivity.y[:, None]) ** 2
        field = np.exp(-distance / (2 * selectivity.sigma[:, None] ** 2))
        out[:, shown] += flat[:, kind] * field * size / 0.45
    return out.T.astype(np.float32)
