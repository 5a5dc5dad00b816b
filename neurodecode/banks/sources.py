"""Where the vectors of a bank come from: an embedding store, pictures, or captions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from neurodecode.embed.base import Embedder, TextEmbedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.store import EmbeddingStore, read_stimuli
from neurodecode.store.embeddings import embedding_fingerprint

__all__ = ["CaptionLines", "PictureFolder", "Source", "StoredEmbeddings"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


class Source(Protocol):
    """Rows of a bank, in a fixed order.

    Attributes
    ----------
    ids, captions : sequence of str of length n
        What each row stands for; a caption may be empty.
    embedding : mapping
        ``name``, ``array`` and ``fingerprint`` of the embedding, and its ``provenance``.
    """

    ids: Sequence[str]
    captions: Sequence[str]
    embedding: Mapping[str, Any]

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows from `start` to before `stop`, array of float of shape (n_rows, ...)."""


def identity(source: Source) -> str:
    """Digest of what a source holds, to tell an interrupted bank from another one.

    Parameters
    ----------
    source : Source
        The source.

    Returns
    -------
    str
        Hexadecimal.
    """
    digest = hashlib.sha256(json.dumps(dict(source.embedding), sort_keys=True).encode())
    for name, caption in zip(source.ids, source.captions, strict=True):
        digest.update(f"{name}\x1f{caption}\x1e".encode())
    return digest.hexdigest()


def _of_embedder(embedder: Embedder, array: str) -> dict[str, Any]:
    provenance = {"embedder": embedder.name, **embedder.provenance}
    return {
        "name": embedder.name,
        "array": array,
        "fingerprint": embedding_fingerprint(provenance),
        "provenance": provenance,
    }


class StoredEmbeddings:
    """An array of an embedding store.

    Parameters
    ----------
    path : path-like
        Store of ``neurodecode embed``.
    array : str
        ``pooled``, ``tokens``, ``text``, ...
    stimuli : path-like, optional
        Stimuli with captions.
    """

    def __init__(
        self, path: str | Path, array: str = "pooled", stimuli: str | Path | None = None
    ) -> None:
        self.store, self.array = EmbeddingStore(path), array
        if array not in self.store.shapes:
            raise DataError(
                f"no array {array!r} (found: {', '.join(sorted(self.store.shapes))})",
                file=path,
                field="--array",
            )
        if len(self.store.missing()):
            raise DataError("embedding was interrupted", file=path, fix="run `neurodecode embed`")
        self.ids = self.store.ids
        self.captions = [""] * len(self.ids)
        if stimuli is not None:
            known = read_stimuli(stimuli)
            if known.captions is not None:
                rows = known.rows(self.ids)
                self.captions = [" | ".join(known.captions[int(row)]) for row in rows]
        self.embedding = {
            "name": Path(path).stem,
            "array": array,
            "fingerprint": self.store.fingerprint,
            "provenance": self.store.attrs,
        }

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read rows."""
        return self.store.block(self.array, start, stop)


class PictureFolder:
    """Pictures in a folder and below; a text file of the same name holds the caption.

    Parameters
    ----------
    folder : path-like
        Where they lie; their ids are their paths from there.
    embedder : Embedder
        Embeds them.
    array : str
        Which of its arrays.
    """

    def __init__(self, folder: str | Path, embedder: Embedder, array: str = "pooled") -> None:
        self.folder, self.embedder, self.array = Path(folder), embedder, array
        files = self.folder.rglob("*")
        self.ids = sorted(
            path.relative_to(self.folder).as_posix()
            for path in files
            if path.suffix.lower() in _SUFFIXES and path.is_file()
        )
        if not self.ids:
            raise DataError("no pictures in this folder", file=folder, field="--images")
        self.captions = [self._caption(name) for name in self.ids]
        self.embedding = _of_embedder(embedder, array)

    def _caption(self, name: str) -> str:
        path = (self.folder / name).with_suffix(".txt")
        if not path.is_file():
            return ""
        return " ".join(path.read_text(encoding="utf-8", errors="replace").split())

    def read(self, start: int, stop: int) -> np.ndarray:
        """Embed pictures; those of one size go together."""
        pictures = [self._open(name) for name in self.ids[start:stop]]
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for number, picture in enumerate(pictures):
            by_shape.setdefault(picture.shape, []).append(number)
        rows: dict[int, np.ndarray] = {}
        for numbers in by_shape.values():
            arrays = self.embedder.encode_images(np.stack([pictures[n] for n in numbers]))
            if self.array not in arrays:
                raise ConfigError(
                    f"--array {self.array}: {self.embedder.name} makes {', '.join(sorted(arrays))}"
                )
            rows |= dict(zip(numbers, arrays[self.array], strict=True))
        return np.stack([rows[number] for number in range(len(pictures))])

    def _open(self, name: str) -> np.ndarray:
        path = self.folder / name
        try:
            with Image.open(path) as picture:
                return np.array(picture.convert("RGB"))  # a copy: torch wants it writable
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(
                f"not a readable picture ({error})", file=path, fix="repair or remove it"
            ) from error


class CaptionLines:
    """Captions in a text file, one a line.

    Parameters
    ----------
    path : path-like
        The file; ids are line numbers, from 1. Empty lines are passed over.
    embedder : TextEmbedder
        Embeds them.
    """

    def __init__(self, path: str | Path, embedder: Embedder) -> None:
        if not isinstance(embedder, TextEmbedder):
            raise ConfigError(f"--captions: {embedder.name} does not embed texts")
        self.embedder = embedder
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise DataError("not UTF-8 text", file=path, field="--captions") from error
        kept = [(str(number), " ".join(line.split())) for number, line in enumerate(lines, 1)]
        kept = [(number, line) for number, line in kept if line]
        if not kept:
            raise DataError("no captions in this file", file=path, field="--captions")
        self.ids, self.captions = [number for number, _ in kept], [line for _, line in kept]
        self.embedding = _of_embedder(embedder, "text")

    def read(self, start: int, stop: int) -> np.ndarray:
        """Embed captions."""
        return self.embedder.encode_texts(self.captions[start:stop])
