"""The pictures among which the right one is sought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from neurodecode.banks import Bank
from neurodecode.banks.searcher import Searcher
from neurodecode.errors import ConfigError, DataError
from neurodecode.store import EmbeddingStore

__all__ = ["Gallery", "StoredGallery", "open_gallery"]

#: As many are compared for the confidence; of a gallery that is larger, the nearest.
MOST_COMPARED, MOST_OF_INDEX = 2000, 200


class _Rows(Protocol):
    """What a bank and a store of embeddings have in common."""

    n: int
    dim: int
    index: str
    embedding: Mapping[str, Any]

    @property
    def vectors(self) -> np.ndarray:
        """Unit rows (n, dim)."""

    def items(self, rows: np.ndarray) -> tuple[list[str], list[str]]:
        """Ids and captions."""


class StoredGallery:
    """An array of an embedding store, in memory, with the face of a bank.

    Parameters
    ----------
    path : path-like
        Store of ``neurodecode embed``.
    array : str
        Which array.

    Raises
    ------
    DataError
        If there is no such array, or a row is zero or missing.
    """

    index = "flat"

    def __init__(self, path: str | Path, array: str) -> None:
        store = EmbeddingStore(path)
        if array not in store.shapes:
            raise DataError(
                f"no array {array!r} (found: {', '.join(sorted(store.shapes))})",
                file=path,
                field="--array",
            )
        rows = store.read(array).reshape(len(store.ids), -1)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (np.isfinite(norms) & (norms > 0)).all():
            raise DataError("an embedding is zero or not finite", file=path, field=array)
        self.vectors, self.ids = rows / norms, list(store.ids)
        self.n, self.dim = rows.shape
        self.embedding = {"name": Path(path).stem, "array": array, "fingerprint": store.fingerprint}

    def items(self, rows: np.ndarray) -> tuple[list[str], list[str]]:
        """Give ids; a store has no captions.

        Parameters
        ----------
        rows : array of int of shape (n_rows,)
            Row numbers.

        Returns
        -------
        ids, captions : list of str of length n_rows
            Captions are empty.
        """
        return [self.ids[int(row)] for row in rows], [""] * len(rows)


class Gallery:
    """Finds the pictures nearest to a decoded embedding.

    Parameters
    ----------
    rows : Bank or StoredGallery
        The pictures.
    captions : mapping of str to str, optional
        Captions by id, where `rows` have none.
    """

    def __init__(self, rows: Bank | StoredGallery, captions: Mapping[str, str] | None = None):
        self.rows, self._captions = rows, captions or {}
        most = MOST_COMPARED if rows.index == "flat" else MOST_OF_INDEX
        self.n_compared = min(rows.n, most)
        self._search = Searcher(rows)

    def nearest(self, embedding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Seek an embedding.

        Parameters
        ----------
        embedding : array of shape (n, ...)
            Decoded embeddings.

        Returns
        -------
        cosines : array of float32 of shape (n, n_compared)
            Falling.
        rows : array of int of shape (n, n_compared)
            Which pictures; -1 where an approximate index found fewer.
        """
        return self._search(embedding, self.n_compared)

    def describe(self, rows: np.ndarray) -> list[tuple[str, str]]:
        """Name pictures.

        Parameters
        ----------
        rows : array of int of shape (n_rows,)
            Which.

        Returns
        -------
        list of (str, str)
            Id and caption.
        """
        ids, captions = self.rows.items(rows)
        return [
            (name, caption or self._captions.get(name, ""))
            for name, caption in zip(ids, captions, strict=True)
        ]

    def check(self, embedding: str, target: str, dim: int) -> None:
        """Refuse a decoder of other embeddings: their cosines would mean nothing.

        Parameters
        ----------
        embedding, target : str
            Name of the embedding and of its array that are decoded.
        dim : int
            Numbers of a decoded embedding.

        Raises
        ------
        ConfigError
            If they are not those of the gallery.
        """
        own = self.rows.embedding
        same = {target, own["array"]} in ({own["array"]}, {"pooled", "text"})
        if own["name"] != embedding or not same or self.rows.dim != dim:
            raise ConfigError(
                f"the decoder gives {target} of {embedding} ({dim} numbers), the pictures are"
                f" {own['array']} of {own['name']} ({self.rows.dim}); give --bank or --embeddings"
                " of the embedding that is decoded"
            )


def open_gallery(
    bank: str | Path | None,
    embeddings: str | Path | None,
    array: str,
    captions: Mapping[str, str] | None = None,
) -> Gallery:
    """Open a bank or a store of embeddings.

    Parameters
    ----------
    bank : path-like or None
        Folder of ``neurodecode bank build``.
    embeddings : path-like or None
        Or a store of ``neurodecode embed``.
    array : str
        Array of the store.
    captions : mapping of str to str, optional
        Captions by id.

    Returns
    -------
    Gallery
        The pictures.

    Raises
    ------
    ConfigError
        If none or both are given.
    """
    if (bank is None) == (embeddings is None):
        raise ConfigError("give one of --bank and --embeddings: the pictures to choose from")
    rows = Bank(bank) if bank is not None else StoredGallery(embeddings or "", array)
    return Gallery(rows, captions)


def truth_among(rows: np.ndarray, truth: Sequence[int]) -> np.ndarray:
    """Find the true pictures among those that were compared.

    Parameters
    ----------
    rows : array of int of shape (n, n_compared)
        From `Gallery.nearest`.
    truth : sequence of int of length n
        Row of the true picture of each.

    Returns
    -------
    array of int of shape (n,)
        Column of each; -1 where it is not among them.
    """
    same = rows == np.asarray(truth)[:, None]
    return np.where(same.any(axis=1), same.argmax(axis=1), -1)
