"""Miniature viewers on disk, in COCO-Search18's layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from neurodecode.datasets.mini.gaze_look import look
from neurodecode.datasets.mini.gaze_policy import DEGREES, Viewer
from neurodecode.datasets.mini.gaze_scenes import LAYOUTS, View, sample_array, sample_view
from neurodecode.datasets.mini.scene_types import CATEGORIES
from neurodecode.errors import ConfigError
from neurodecode.files import write_json
from neurodecode.folders import atomic_folder
from neurodecode.progress import progress_bar
from neurodecode.scanpaths import Scanpath

__all__ = ["NEW_LAYOUTS", "GazeOptions", "simulate_gaze"]

#: Layouts that occur in the test split alone: other numbers and another arrangement of objects.
NEW_LAYOUTS = ("2x4", "4x4", "ring8")

_SEED_TAG = 0x67_61_7A_65
_SHARES = (("train", 0.6), ("valid", 0.75), ("test", 1.0))
_CONDITIONS = {"search_present": "present", "free_viewing": "freeview", "captioning": "captioned"}
_FILES = {
    "search_present": "coco_search18_fixations_TP.json",
    "free_viewing": "COCOFreeView_fixations_free.json",
    "captioning": "COCOFreeView_fixations_captioned.json",
}


@dataclass(frozen=True)
class GazeOptions:
    """Size of the miniature world of gaze.

    Parameters
    ----------
    viewers : int
        People; everybody sees everything.
    scenes : int
        Pictures for free viewing, captioned viewing and search.
    arrays : int
        Arrays of objects, for search.
    image_size : int
        Side of the pictures in pixels.
    seed : int
        Seed of everything.
    """

    viewers: int = 8
    scenes: int = 160
    arrays: int = 280
    image_size: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("viewers", 2), ("scenes", 7), ("arrays", 0), ("image_size", 32)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, is {getattr(self, name)}")


def simulate_gaze(out: str | Path, options: GazeOptions, *, quiet: bool = False) -> Path:
    """Write pictures, objects and scanpaths.

    Parameters
    ----------
    out : path-like
        Folder; replaced.
    options : GazeOptions
        How much.
    quiet : bool
        Without a progress bar.

    Returns
    -------
    Path
        The folder: `images/*.png`, `instances.json` (COCO's annotation format), one JSON of
        fixations for each task, `world.json`.
    """
    out = Path(out)
    rng = np.random.default_rng([_SEED_TAG, options.seed])
    people = [Viewer.sample(rng, str(number + 1)) for number in range(options.viewers)]
    views, splits = _views(rng, options)
    entries: dict[str, list[dict[str, Any]]] = {task: [] for task in _FILES}
    with atomic_folder(out, replace=True) as folder:
        (folder / "images").mkdir()
        with progress_bar("miniature viewers", len(views), quiet=quiet) as advance:
            for number, view in enumerate(views, start=1):
                pixels = view.pixels()
                Image.fromarray(pixels).save(folder / "images" / view.name)
                tasks = _FILES if view.name.startswith("scene") else ("search_present",)
                for task in tasks:
                    for person in people:
                        scanpath = look(rng, person, view, task, pixels=pixels)
                        entries[task].append(_entry(scanpath, view, splits[view.name]))
                advance(number)
        for task, name in _FILES.items():
            write_json(folder / name, entries[task])
        write_json(folder / "instances.json", _instances(views))
        write_json(
            folder / "world.json",
            {
                "screen": [options.image_size] * 2,
                "pixels_per_degree": options.image_size / DEGREES,
                "seed": options.seed,
            },
        )
    return out


def _views(rng: np.random.Generator, options: GazeOptions) -> tuple[list[View], dict[str, str]]:
    size = options.image_size
    views = [sample_view(rng, f"scene-{k:04d}.png", size) for k in range(options.scenes)]
    layouts = list(LAYOUTS)
    for number in range(options.arrays):
        layout = layouts[number % len(layouts)]
        views.append(sample_array(rng, f"array-{layout}-{number:04d}.png", layout, size))
    return views, {**_split(views[: options.scenes]), **_split(views[options.scenes :])}


def _split(views: Sequence[View]) -> dict[str, str]:
    """Pictures were drawn independently, so their order is a random one."""
    known = [view for view in views if view.name.split("-")[1] not in NEW_LAYOUTS]
    result = {view.name: "test" for view in views}
    for number, view in enumerate(known):
        share = (number + 0.5) / len(known)
        result[view.name] = next(name for name, end in _SHARES if share < end)
    return result


def _entry(scanpath: Scanpath, view: View, split: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": view.name,
        "subject": int(scanpath.viewer),
        "condition": _CONDITIONS[scanpath.task],
        "X": scanpath.x.tolist(),
        "Y": scanpath.y.tolist(),
        "T": scanpath.duration.tolist(),
        "length": len(scanpath),
        "split": split,
    }
    if scanpath.task == "search_present":
        kinds = [item.category for item in view.scene.objects]
        box = view.boxes()[kinds.index(view.target)]
        x, y = scanpath.xy[-1] - box[:2]
        on_target = 0 <= x < box[2] and 0 <= y < box[3]
        entry |= {"task": view.target, "bbox": box.tolist(), "correct": int(on_target)}
    if scanpath.caption:
        entry["caption"] = scanpath.caption
    return entry


def _instances(views: Iterable[View]) -> dict[str, Any]:
    images, annotations = [], []
    for number, view in enumerate(views, start=1):
        size = {"width": view.size, "height": view.size}
        images.append({"id": number, "file_name": view.name, **size})
        for item, box in zip(view.scene.objects, view.boxes().tolist()):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": CATEGORIES.index(item.category) + 1,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    categories = [{"id": k + 1, "name": name} for k, name in enumerate(CATEGORIES)]
    return {"images": images, "annotations": annotations, "categories": categories}
