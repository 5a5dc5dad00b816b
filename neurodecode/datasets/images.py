"""Pictures in files and archives: decoding them, and naming them by content."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.recording import content_id

__all__ = [
    "ImageFiles",
    "decode_image",
    "fit_square",
    "image_side",
    "list_zip_images",
    "unique_contents",
]

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")


def decode_image(data: bytes, file: str | Path, name: str = "") -> np.ndarray:
    """Decode a JPEG, PNG, ... into RGB pixels.

    Parameters
    ----------
    data : bytes
        Content of the file.
    file : path-like
        File the bytes are from, for the error message.
    name : str
        Member of an archive, for the error message.

    Returns
    -------
    array of uint8 of shape (height, width, 3)
        The pixels.

    Raises
    ------
    DataError
        If the bytes do not decode.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(
            "image does not decode", file=file, field=name or None, fix="download it again"
        ) from error


def fit_square(image: np.ndarray, size: int | None) -> np.ndarray:
    """Crop the central square of a picture and resize it.

    Parameters
    ----------
    image : array of uint8 of shape (height, width, 3)
        RGB pixels.
    size : int or None
        Side of the result in pixels; None leaves the picture alone.

    Returns
    -------
    array of uint8 of shape (size, size, 3)
        The picture (Lanczos).
    """
    if size is None or image.shape[:2] == (size, size):
        return image
    from PIL import Image

    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(image[top : top + side, left : left + side])
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))


def image_side(size: int | str | None) -> int | None:
    """Read the reader's option ``image_size``.

    Parameters
    ----------
    size : int, str or None
        Side in pixels; text if it comes from the command line.

    Returns
    -------
    int or None
        None leaves the pictures alone.

    Raises
    ------
    ConfigError
        If it is not a positive number.
    """
    if size is None:
        return None
    if not str(size).isdecimal() or int(size) < 1:
        raise ConfigError(f"image_size is {size}; give a positive number of pixels")
    return int(size)


def list_zip_images(archive: str | Path) -> list[str]:
    """Names of the pictures inside a zip archive, sorted.

    Parameters
    ----------
    archive : path-like
        A zip file.

    Returns
    -------
    list of str
        Member names, without folders and hidden files.

    Raises
    ------
    DataError
        If the file is missing or is not a zip file.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            names = opened.namelist()
    except FileNotFoundError as error:
        raise DataError("file is missing", file=archive, fix="download it") from error
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError("not a readable zip file", file=archive, fix="download it again") from error
    visible = [name for name in names if not Path(name).name.startswith(".")]
    return sorted(name for name in visible if name.lower().endswith(SUFFIXES))


class ImageFiles:
    """Pictures in files or zip members, decoded when they are read.

    Parameters
    ----------
    places : sequence of tuple of (Path, str)
        File and member of each picture; an empty member means the file itself.
    size : int or None
        Crop and resize to this side; None demands that all have the same size.

    Raises
    ------
    DataError
        On reading, if a picture does not decode or differs in size from the first.
    """

    def __init__(self, places: Sequence[tuple[Path, str]], size: int | None = None) -> None:
        self.places, self.size = list(places), size
        side = size or 0
        measure = self.places and size is None
        first = next(self.originals([0])).shape if measure else (side, side, 3)
        self.shape: tuple[int, ...] = (len(self.places), *first)

    def __len__(self) -> int:
        return len(self.places)

    def originals(self, numbers: Iterable[int] | None = None) -> Iterator[np.ndarray]:
        """Decode pictures as they were published, opening an archive once for its pictures.

        Parameters
        ----------
        numbers : iterable of int, optional
            Which pictures, in which order; all by default.

        Yields
        ------
        array of uint8 of shape (height, width, 3)
            RGB pixels.
        """
        chosen = range(len(self.places)) if numbers is None else numbers
        places = (self.places[number] for number in chosen)
        for file, run in groupby(places, key=lambda place: place[0]):
            members = [member for _, member in run]
            for member, data in zip(members, _read_all(file, members), strict=True):
                yield decode_image(data, file, member)

    def __getitem__(self, index: Any) -> np.ndarray:
        chosen = np.arange(len(self.places))[index]
        numbers = chosen.ravel().tolist()
        images = zip(numbers, self.originals(numbers), strict=True)
        fitted = [self._fit(number, image) for number, image in images]
        return np.array(fitted, dtype=np.uint8).reshape(chosen.shape + self.shape[1:])

    def _fit(self, number: int, original: np.ndarray) -> np.ndarray:
        image = fit_square(original, self.size)
        if image.shape != self.shape[1:]:
            file, member = self.places[number]
            raise DataError(
                f"image is {image.shape[1]}x{image.shape[0]} pixels, the first is"
                f" {self.shape[2]}x{self.shape[1]}",
                file=file,
                field=member or None,
                fix="give a common image size (--image-size)",
            )
        return image


def _read_all(file: Path, members: Sequence[str]) -> Iterator[bytes]:
    """Bytes of the members of an archive, or of the file itself for empty names."""
    member = ""
    try:
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(file)) if any(members) else None
            for member in members:
                yield archive.read(member) if archive and member else file.read_bytes()
    except FileNotFoundError as error:
        raise DataError("image is missing", file=file, fix="check the stimulus folder") from error
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError) as error:
        raise DataError(
            "image cannot be read", file=file, field=member or None, fix="download it again"
        ) from error


def unique_contents(images: Iterable[np.ndarray]) -> tuple[list[str], np.ndarray]:
    """Name pictures by content and find the first of each.

    Parameters
    ----------
    images : iterable of array of uint8 of shape (height, width, 3)
        Pictures, perhaps with repeats.

    Returns
    -------
    ids : list of str of length n
        Content id of each picture.
    first : array of int
        Increasing positions at which a content occurs for the first time.
    """
    ids: list[str] = []
    seen: dict[str, int] = {}
    for number, image in enumerate(images):
        ids.append(content_id(image))
        seen.setdefault(ids[-1], number)
    return ids, np.array(sorted(seen.values()), dtype=np.int64)
