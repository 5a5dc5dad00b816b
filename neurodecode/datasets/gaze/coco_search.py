"""COCO-Search18 and COCO-FreeView: search and free viewing of photographs, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.datasets.gaze.base import GAZE_DATASETS, GazeData, PictureFiles
from neurodecode.errors import DataError, about
from neurodecode.files import read_json
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["read_coco_freeview", "read_coco_search18"]

SCREEN = (1680, 1050)
_TASKS = {
    "present": "search_present",
    "absent": "search_absent",
    "freeview": "free_viewing",
    "captioned": "captioning",
}


@GAZE_DATASETS.register("coco-search18")
def read_coco_search18(
    root: Path, screen: tuple[int, int] = SCREEN, *, initial: bool = False
) -> GazeData:
    """Read COCO-Search18 (Chen et al. 2021, Scientific Reports 11, 8776).

    ``coco_search18_fixations_TP_*.json`` and ``..._TA_*.json`` in the folder; pictures in
    ``images/<task>/`` and ``coco_search18_images_TA/<task>/``. If ``instances.json`` (COCO's
    annotation format, boxes in pixels of the screen) is there, all objects are known, otherwise
    the target of each picture where it is present. From sites.google.com/view/cocosearch.

    Parameters
    ----------
    root : Path
        Folder.
    screen : tuple of int
        Width and height of the screen that coordinates refer to: 1680 x 1050 in the original,
        512 x 320 in later repackings. Pictures are fitted into it.
    initial : bool
        Keep the first fixation, which the experiment enforces at the middle of the screen.

    Returns
    -------
    GazeData
        ``info["split"]`` and ``info["correct"]`` of each scanpath (text, and 0, 1 or nan).

    Raises
    ------
    DataError
        If a file is missing or has another schema; the key is named.
    """
    paths = sorted(root.glob("coco_search18_fixations_*.json"))
    return _read("coco-search18", root, paths, screen, initial)


@GAZE_DATASETS.register("coco-freeview")
def read_coco_freeview(
    root: Path, screen: tuple[int, int] = SCREEN, *, initial: bool = False
) -> GazeData:
    """Read COCO-FreeView (Yang et al. 2023), free viewing of the same pictures.

    ``COCOFreeView_fixations_*.json`` in the folder, pictures as of `read_coco_search18`.

    Parameters
    ----------
    root : Path
        Folder.
    screen, initial
        As of `read_coco_search18`.

    Returns
    -------
    GazeData
        As of `read_coco_search18`.

    Raises
    ------
    DataError
        If a file is missing or has another schema; the key is named.
    """
    paths = sorted(root.glob("COCOFreeView_fixations_*.json"))
    return _read("coco-freeview", root, paths, screen, initial)


def _read(
    name: str, root: Path, paths: Sequence[Path], screen: tuple[int, int], initial: bool
) -> GazeData:
    if not paths:
        raise DataError("no file of fixations", file=root, fix="download the JSON files here")
    found, split, correct, n_still = [], [], [], 0
    boxes: dict[str, dict[tuple, str]] = {}
    for path in paths:
        for entry in _entries(path):
            scanpath = _scanpath(entry, path, tuple(screen), 0 if initial else 1)
            if entry.get("bbox"):
                box = tuple(float(v) for v in entry["bbox"])
                boxes.setdefault(scanpath.stimulus, {})[box] = scanpath.target
            if not len(scanpath):
                n_still += 1
                continue
            found.append(scanpath)
            split.append(str(entry.get("split", "")))
            correct.append(float(entry.get("correct", np.nan)))
    objects = {
        stimulus: Objects(np.array(list(known)), np.array(list(known.values())))
        for stimulus, known in boxes.items()
    }
    instances = root / "instances.json"
    if instances.is_file():
        known = _instances(instances)
        with about(file=instances):
            for stimulus, each in known.items():
                each.check(tuple(screen), stimulus)
        objects |= known
    return GazeData(
        name,
        Scanpaths.from_list(found),
        pictures=PictureFiles.in_folder(root, tuple(screen)),
        objects=objects,
        files=tuple(paths),
        info={"split": np.array(split), "correct": np.array(correct), "n_still": n_still},
    )


def _entries(path: Path) -> Iterator[Mapping[str, Any]]:
    content = read_json(path)
    if not isinstance(content, list):
        raise DataError("not a list of scanpaths", file=path, fix="download it again")
    for number, entry in enumerate(content):
        if not isinstance(entry, dict):
            raise DataError(f"entry {number} is no scanpath", file=path, fix="download it again")
        for key in ("name", "subject", "X", "Y", "T"):
            if key not in entry:
                raise DataError(
                    f"entry {number} lacks this key (it has {', '.join(sorted(entry))})",
                    file=path, field=key, fix="give the files of COCO-Search18 or COCO-FreeView",
                )  # fmt: skip
        yield entry


def _scanpath(
    entry: Mapping[str, Any], path: Path, screen: tuple[int, int], first: int
) -> Scanpath:
    try:
        columns = [np.asarray(entry[key], np.float32).reshape(-1) for key in ("X", "Y", "T")]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"coordinates of {entry['name']} are not numbers", file=path,
            subject=str(entry["subject"]), field="X",
        ) from error  # fmt: skip
    lengths = {len(column) for column in columns} | {int(entry.get("length", len(columns[0])))}
    if len(lengths) > 1:
        raise DataError(
            f"X, Y, T and length of {entry['name']} differ", file=path,
            subject=str(entry["subject"]), field="length", fix="download it again",
        )  # fmt: skip
    condition = str(entry.get("condition", "freeview"))
    if condition not in _TASKS:
        raise DataError(
            f"unknown condition {condition!r} (known: {', '.join(_TASKS)})", file=path,
            subject=str(entry["subject"]), field="condition",
        )  # fmt: skip
    task = _TASKS[condition]
    return Scanpath(
        *(column[first:] for column in columns),
        viewer=str(entry["subject"]),
        stimulus=str(entry["name"]),
        task=task,
        target=str(entry.get("task", "")) if task.startswith("search") else "",
        caption=str(entry.get("caption", "")),
        size=screen,
    )


def _instances(path: Path) -> dict[str, Objects]:
    content = read_json(path)
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or key not in content:
            raise DataError("key is missing", file=path, field=key, fix="give COCO's format")
    names = {image["id"]: str(image["file_name"]) for image in content["images"]}
    words = {category["id"]: str(category["name"]) for category in content["categories"]}
    grouped: dict[str, list[tuple[list[float], str]]] = {name: [] for name in names.values()}
    for item in content["annotations"]:
        if item["image_id"] not in names or item["category_id"] not in words:
            raise DataError(
                f"annotation {item.get('id')} is of an unknown image or category",
                file=path, field="annotations",
            )  # fmt: skip
        grouped[names[item["image_id"]]].append((item["bbox"], words[item["category_id"]]))
    return {
        name: Objects(np.array([box for box, _ in items]), np.array([word for _, word in items]))
        for name, items in grouped.items()
        if items
    }
