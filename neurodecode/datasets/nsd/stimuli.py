"""NSD's pictures (`imgBrick`) and what COCO says about them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.datasets.images import fit_square
from neurodecode.datasets.nsd.paths import NsdPaths
from neurodecode.datasets.tables import read_table
from neurodecode.errors import DataError
from neurodecode.files import read_json
from neurodecode.store.hdf5 import get_dataset, open_hdf5

__all__ = ["Annotation", "ImageBrick", "read_annotations"]

Box = dict[str, Any]


class ImageBrick:
    """Pictures of NSD, read when they are asked for.

    Parameters
    ----------
    path : Path
        ``nsd_stimuli.hdf5``.
    rows : sequence of int, optional
        Which pictures, 0-based; all by default.
    size : int, optional
        Resize to this many pixels.

    Raises
    ------
    DataError
        If the file is missing or broken, or has no such row.
    """

    def __init__(
        self, path: Path, rows: Sequence[int] | np.ndarray | None = None, size: int | None = None
    ) -> None:
        self.path, self.size = path, size
        with open_hdf5(path) as file:
            brick = get_dataset(file, "imgBrick")
            total, *shape = brick.shape
            if len(shape) != 3 or shape[-1] != 3 or brick.dtype != np.uint8:
                raise DataError(
                    f"expected uint8 (n, height, width, 3), found {brick.dtype} {brick.shape}",
                    file=path,
                    field="imgBrick",
                )
        self.rows = np.arange(total) if rows is None else np.asarray(rows, dtype=np.int64)
        if len(self.rows) and not (self.rows.min() >= 0 and self.rows.max() < total):
            raise DataError(
                f"{total} pictures, but the design shows number {self.rows.max()}",
                file=path,
                field="imgBrick",
                fix="download the stimuli again",
            )
        self.shape = (len(self.rows), *(shape if size is None else (size, size, 3)))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        rows = self.rows[index]
        # HDF5 wants increasing, unique indices
        unique, inverse = np.unique(rows, return_inverse=True)
        try:
            with open_hdf5(self.path) as file:
                images = file["imgBrick"][unique]
        except OSError as error:
            raise DataError(
                "picture cannot be read", file=self.path, field="imgBrick", fix="download it again"
            ) from error
        fitted = np.array([fit_square(image, self.size) for image in images], dtype=np.uint8)
        return fitted[inverse].reshape(rows.shape + self.shape[1:])


@dataclass(frozen=True)
class Annotation:
    """What COCO says about one picture.

    Parameters
    ----------
    captions : tuple of str
        Descriptions.
    boxes : tuple of dict
        ``{"category": str, "bbox": [x, y, width, height]}`` in pixels of the cropped and
        resized picture.
    name : str
        COCO's name of the picture.
    """

    captions: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    name: str = ""

    @property
    def category(self) -> str:
        """Category of the largest object; empty if there is none."""
        if not self.boxes:
            return ""
        return str(max(self.boxes, key=lambda box: box["bbox"][2] * box["bbox"][3])["category"])


def read_annotations(
    paths: NsdPaths, rows: Sequence[int] | np.ndarray, size: tuple[int, int]
) -> list[Annotation] | None:
    """Read captions and boxes of some pictures.

    Parameters
    ----------
    paths : NsdPaths
        Where the files are.
    rows : sequence of int of length n
        Which pictures (0-based).
    size : tuple of int
        Height and width that boxes refer to, in pixels.

    Returns
    -------
    list of Annotation of length n, or None
        None if the annotation files are not there.

    Raises
    ------
    DataError
        If a file is broken or does not know a picture.
    """
    columns = ("cocoId", "cocoSplit", "cropBox", "nsdId")
    table = read_table(paths.stimulus_table, columns)
    known = dict(zip(table["nsdId"], zip(*table.values(), strict=True), strict=True))
    try:
        wanted = [known[str(row)] for row in rows]
    except KeyError as error:
        raise DataError(
            f"picture {error.args[0]} is not listed", file=paths.stimulus_table, field="nsdId"
        ) from error
    splits = sorted({split for _, split, _, _ in wanted})
    needed = [
        paths.annotations(kind, split) for kind in ("captions", "instances") for split in splits
    ]
    if not all(file.is_file() for file in needed):
        return None
    ids = {int(image) for image, _, _, _ in wanted}
    coco = {split: _Coco(paths, split, ids) for split in splits}
    return [coco[split].annotation(int(image), crop, size) for image, split, crop, _ in wanted]


class _Coco:
    """Captions and instances of one COCO split, for some images only."""

    def __init__(self, paths: NsdPaths, split: str, wanted: set[int]) -> None:
        self._file = paths.annotations("instances", split)
        captions = read_json(paths.annotations("captions", split))
        instances = read_json(self._file)
        self._captions: dict[int, list[str]] = defaultdict(list)
        self._boxes: dict[int, list[tuple[str, list[float]]]] = defaultdict(list)
        try:
            names = {entry["id"]: entry["name"] for entry in instances["categories"]}
            self._images = {e["id"]: e for e in instances["images"] if e["id"] in wanted}
            for entry in captions["annotations"]:
                if entry["image_id"] in wanted:
                    self._captions[entry["image_id"]].append(entry["caption"].strip())
            for entry in instances["annotations"]:
                if entry["image_id"] in wanted:
                    box = (names[entry["category_id"]], entry["bbox"])
                    self._boxes[entry["image_id"]].append(box)
        except (KeyError, TypeError) as error:
            raise DataError(f"not COCO annotations ({error})", file=self._file) from error

    def annotation(self, image: int, crop: str, size: tuple[int, int]) -> Annotation:
        """Say what COCO knows about an image, in pixels of NSD's crop of it."""
        try:
            entry = self._images[image]
            top, bottom, left, right = (float(part) for part in ast.literal_eval(crop))
        except (KeyError, ValueError, TypeError, SyntaxError) as error:
            raise DataError(
                f"image {image} or its cropBox {crop!r} is unknown", file=self._file
            ) from error
        frame = (entry["height"], entry["width"], top, bottom, left, right)
        boxes = ((name, _crop_box(box, frame, size)) for name, box in self._boxes[image])
        return Annotation(
            captions=tuple(self._captions[image]),
            boxes=tuple({"category": name, "bbox": box} for name, box in boxes if box),
            name=Path(str(entry.get("file_name", image))).name,
        )


def _crop_box(
    box: Sequence[float], frame: tuple[float, ...], size: tuple[int, int]
) -> list[float] | None:
    """Move a box from COCO's picture to NSD's, which is cropped and resized; None if outside.

    `cropBox` holds the fractions cut off at the top, bottom, left and right (NSD manual).
    """
    height, width, top, bottom, left, right = frame
    scale_x = size[1] / (width * (1 - left - right))
    scale_y = size[0] / (height * (1 - top - bottom))
    x0, x1 = (
        min(max((x - left * width) * scale_x, 0.0), size[1]) for x in (box[0], box[0] + box[2])
    )
    y0, y1 = (
        min(max((y - top * height) * scale_y, 0.0), size[0]) for y in (box[1], box[1] + box[3])
    )
    if x1 <= x0 or y1 <= y0:
        return None
    return [round(value, 2) for value in (x0, y0, x1 - x0, y1 - y0)]
