"""From fixations to fixated objects, and to what the network reads of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from neurodecode.nn.scanpath.object_scene import ObjectScene
from neurodecode.scanpaths import Objects, Scanpath

__all__ = ["CROP", "Search", "collate", "crop_objects", "nearest_objects"]

#: Side of the crops in pixels.
CROP = 24


@dataclass(frozen=True)
class Search:
    """One search of one picture.

    Parameters
    ----------
    crops : array of uint8 of shape (n_objects, side, side, 3), or float32 (n_objects, features)
        Its objects, or what a tower made of them.
    places : array of float32 of shape (n_objects, 2)
        Their centres, as shares of the longer side.
    prominence : array of float32 of shape (n_objects, 2)
        How large and how salient they are.
    target : array of shape (side, side, 3) or (features,)
        What is looked for.
    start : tuple of float
        Middle of the picture, in the same unit.
    fixated : array of int of shape (n_fixations,), optional
        Objects looked at, in order.
    """

    crops: np.ndarray
    places: np.ndarray
    prominence: np.ndarray
    target: np.ndarray
    start: tuple[float, float]
    fixated: np.ndarray = ()  # type: ignore[assignment]

    @property
    def features(self) -> int | None:
        """Width of what a tower made of the objects; None for crops."""
        return self.crops.shape[1] if self.crops.ndim == 2 else None


def crop_objects(
    image: np.ndarray, objects: Objects, side: int = CROP
) -> tuple[np.ndarray, np.ndarray]:
    """Cut objects out.

    Parameters
    ----------
    image : array of uint8 of shape (height, width, 3)
        RGB.
    objects : Objects
        At least one.
    side : int
        Of the crops in pixels.

    Returns
    -------
    crops : array of uint8 of shape (n_objects, side, side, 3)
        Each scaled to the same size.
    places : array of float32 of shape (n_objects, 2)
        Centres as shares of the longer side.

    Raises
    ------
    DataError
        If a box is not inside the picture.
    """
    height, width = image.shape[:2]
    objects.check((width, height))
    whole, crops = Image.fromarray(image), []
    for left, top, wide, high in objects.boxes:
        box = (left, top, left + wide, top + high)
        crops.append(whole.resize((side, side), Image.Resampling.BILINEAR, box=box))
    places = objects.centres / max(width, height)
    return np.stack([np.array(crop) for crop in crops]), places.astype(np.float32)


def nearest_objects(path: Scanpath, objects: Objects) -> np.ndarray:
    """Say which object each fixation belongs to.

    Parameters
    ----------
    path : Scanpath
        Fixations.
    objects : Objects
        At least one.

    Returns
    -------
    array of int of shape (n_fixations,)
        The smallest box that contains the fixation; where there is none, the box that is nearest.
    """
    inside = objects.at(path.x, path.y)
    low, high = objects.boxes[:, :2], objects.boxes[:, :2] + objects.boxes[:, 2:]
    beyond = np.maximum(low - path.xy[:, None], path.xy[:, None] - high).clip(min=0)
    return np.where(inside >= 0, inside, np.linalg.norm(beyond, axis=2).argmin(1))


def collate(searches: Sequence[Search]) -> tuple[ObjectScene, torch.Tensor, torch.Tensor]:
    """Pad searches to one batch.

    Parameters
    ----------
    searches : sequence of Search
        At least one.

    Returns
    -------
    scene : ObjectScene
        Pictures, each with as many objects as the fullest.
    fixated : Tensor of int of shape (n_batch, n_steps)
        Objects looked at; 0 after the last.
    lengths : Tensor of int of shape (n_batch,)
        Fixations of each.
    """
    n, most = len(searches), max(len(each.crops) for each in searches)
    steps = max(len(each.fixated) for each in searches)
    first = searches[0]
    crops = np.zeros((n, most, *first.crops.shape[1:]), first.crops.dtype)
    places, present = np.full((n, most, 2), 0.5, np.float32), np.zeros((n, most), bool)
    prominence = np.zeros((n, most, first.prominence.shape[1]), np.float32)
    fixated, lengths = np.zeros((n, steps), np.int64), np.zeros(n, np.int64)
    for i, each in enumerate(searches):
        count, lengths[i] = len(each.crops), len(each.fixated)
        crops[i, :count], places[i, :count], present[i, :count] = each.crops, each.places, True
        prominence[i, :count] = each.prominence
        fixated[i, : lengths[i]] = each.fixated
    scene = ObjectScene(
        _tensor(crops), torch.from_numpy(places), torch.from_numpy(present),
        _tensor(np.stack([each.target for each in searches])),
        torch.tensor([each.start for each in searches], dtype=torch.float32),
        torch.from_numpy(prominence),
    )  # fmt: skip
    return scene, torch.from_numpy(fixated), torch.from_numpy(lengths)


def _tensor(looks: np.ndarray) -> torch.Tensor:
    """Pixels on the scale 0 to 1, channels before rows; embeddings as they are."""
    found = torch.from_numpy(looks)
    return found.movedim(-1, -3) / 255 if looks.dtype == np.uint8 else found
