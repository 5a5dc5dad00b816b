"""What every gaze data set yields, and the registry of their readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.datasets.images import SUFFIXES, decode_image
from neurodecode.errors import DataError, about
from neurodecode.registry import Registry
from neurodecode.scanpaths import Objects, Scanpaths

__all__ = ["GAZE_DATASETS", "GazeData", "PictureFiles", "letterbox", "load_gaze"]

#: Name -> reader: folder (and options of its own) -> `GazeData`.
GAZE_DATASETS: Registry[Callable[..., GazeData]] = Registry("gaze data set")


@dataclass(frozen=True)
class GazeData:
    """Scanpaths of a data set with what was looked at.

    Parameters
    ----------
    name : str
        Name of the data set.
    scanpaths : Scanpaths
        All of them; fixations off the image are among them.
    pictures : mapping of str to array of shape (height, width, 3), uint8
        Stimuli whose picture is there; the fixations may be of more.
    objects : mapping of str to Objects
        What lies where, of the stimuli where that is known.
    files : tuple of Path
        What was read.
    info : mapping of str to object
        Anything else: arrays with one entry for each scanpath (``split``, ``found``), counts of
        what was left out.
    """

    name: str
    scanpaths: Scanpaths
    pictures: Mapping[str, np.ndarray] = field(default_factory=dict)
    objects: Mapping[str, Objects] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)


def load_gaze(name: str, root: str | Path, **options: Any) -> GazeData:
    """Read a gaze data set and check it.

    Parameters
    ----------
    name : str
        Key of `GAZE_DATASETS`.
    root : path-like
        Its folder.
    **options
        Of the reader.

    Returns
    -------
    GazeData
        The content.

    Raises
    ------
    ConfigError
        If there is no such reader.
    DataError
        If a file is missing or broken, a scanpath is impossible (see `Scanpaths.check`), a box
        lies outside its image, or a target that was there is not among the known objects.
    """
    data = GAZE_DATASETS[name](Path(root), **options)
    with about(file=data.files[0] if data.files else root):
        if not len(data.scanpaths):
            raise DataError("no scanpath is left", fix="check that the files belong together")
        data.scanpaths.check()
        for stimulus, objects in data.objects.items():
            if stimulus in data.scanpaths.size:
                objects.check(data.scanpaths.size[stimulus], stimulus)
        _check_targets(data)
    return data


def _check_targets(data: GazeData) -> None:
    """Refuse a search for a present target that is not among the stimulus's known objects."""
    s = data.scanpaths
    searched = np.flatnonzero((s.task == "search_present") & (s.target != ""))
    for row in searched:
        objects = data.objects.get(str(s.stimulus[row]))
        if objects is not None and s.target[row] not in objects.category:
            with about(subject=str(s.viewer[row])):
                raise DataError(
                    f"target {str(s.target[row])!r} is not among the objects of"
                    f" {s.stimulus[row]} ({', '.join(sorted(set(objects.category.tolist())))})",
                    field="target", fix="name one of them",
                )  # fmt: skip


class PictureFiles(Mapping[str, np.ndarray]):
    """Pictures in files, decoded when asked for.

    Parameters
    ----------
    files : mapping of str to Path
        Stimulus -> file.
    frame : tuple of int, optional
        Width and height of the screen that pictures were fitted into (`letterbox`).
    """

    def __init__(self, files: Mapping[str, Path], frame: tuple[int, int] | None = None) -> None:
        self.files, self.frame = dict(files), frame

    @classmethod
    def in_folder(cls, folder: Path, frame: tuple[int, int] | None = None) -> PictureFiles:
        """All pictures of a folder, named by their files; those in sub-folders too.

        Parameters
        ----------
        folder : Path
            May be missing: no pictures then.
        frame : tuple of int, optional
            As above.

        Returns
        -------
        PictureFiles
            Name with suffix -> picture. Of equal names in several folders the first counts.
        """
        files: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                files.setdefault(path.name, path)
        return cls(files, frame)

    def __getitem__(self, name: str) -> np.ndarray:
        path = self.files[name]
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise DataError("picture is missing", file=path, fix="download it") from error
        image = decode_image(data, path)
        return image if self.frame is None else letterbox(image, self.frame)

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def size(self, name: str) -> tuple[int, int]:
        """Width and height of a picture, from its header.

        Parameters
        ----------
        name : str
            Stimulus.

        Returns
        -------
        tuple of int
            Of the screen, if there is one.

        Raises
        ------
        DataError
            If there is no such picture, or it is not one.
        """
        from PIL import Image, UnidentifiedImageError

        if self.frame is not None:
            return self.frame
        path = self.files.get(name)
        if path is None:
            raise DataError(
                f"picture of stimulus {name} is missing, and with it its size",
                field="stimulus",
                fix="download the pictures too",
            )
        try:
            with Image.open(path) as image:
                return image.size
        except (UnidentifiedImageError, OSError) as error:
            raise DataError("image does not decode", file=path, fix="download it again") from error


def letterbox(image: np.ndarray, frame: tuple[int, int]) -> np.ndarray:
    """Scale a picture until it fits into a screen, and centre it on black.

    Parameters
    ----------
    image : array of shape (height, width, 3), uint8
        Picture.
    frame : tuple of int
        Width and height of the screen.

    Returns
    -------
    array of shape (frame height, frame width, 3), uint8
        What the screen showed.
    """
    from PIL import Image

    height, width = image.shape[:2]
    if (width, height) == tuple(frame):
        return image
    scale = min(frame[0] / width, frame[1] / height)
    inner = round(width * scale), round(height * scale)
    scaled = np.asarray(Image.fromarray(image).resize(inner, Image.Resampling.LANCZOS))
    screen = np.zeros((frame[1], frame[0], 3), np.uint8)
    left, top = (frame[0] - inner[0]) // 2, (frame[1] - inner[1]) // 2
    screen[top : top + inner[1], left : left + inner[0]] = scaled
    return screen
