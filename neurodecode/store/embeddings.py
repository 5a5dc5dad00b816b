"""Embeddings of stimuli on disk: several named arrays, one row a stimulus, resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurodecode.errors import DataError, naming_full_disk
from neurodecode.files import atomic_path
from neurodecode.folders import reserve
from neurodecode.store.hdf5 import (
    FORMAT_VERSION,
    get_dataset,
    open_store,
    read_strings,
    write_strings,
)

__all__ = ["EmbeddingStore", "embedding_fingerprint"]


def embedding_fingerprint(attrs: Mapping[str, Any]) -> str:
    """Digest of what an embedding depends on, the same for all stores made with one embedder.

    Parameters
    ----------
    attrs : mapping
        Embedder, model, weights and checksum, as in `EmbeddingStore.attrs`.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    # how many pictures were embedded at a time, and which of the arrays were kept, is not what
    # they were embedded with
    told = {name: value for name, value in attrs.items() if name not in ("batch_size", "arrays")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


class EmbeddingStore:
    """Named arrays with one row for each stimulus.

    Parameters
    ----------
    path : path-like
        File made by `create`.

    Raises
    ------
    DataError
        If the file is missing, broken, or from another format version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with open_store(self.path, "embeddings") as file:
            self.ids = read_strings(get_dataset(file, "id"))
            self.shapes = {name: item.shape[1:] for name, item in file["arrays"].items()}
            self.attrs: dict[str, Any] = json.loads(file.attrs["provenance"])
        self._rows = {stimulus: row for row, stimulus in enumerate(self.ids)}

    @classmethod
    def create(
        cls,
        path: str | Path,
        ids: Sequence[str],
        shapes: Mapping[str, tuple[int, ...]],
        attrs: Mapping[str, Any] | None = None,
        dtype: str = "float32",
    ) -> EmbeddingStore:
        """Make an empty store.

        Parameters
        ----------
        path : path-like
            File to make. While rows are missing, `missing` says which; a reader is refused.
        ids : sequence of str of length n
            Stimulus ids, in row order.
        shapes : mapping of str to tuple of int
            Shape of one row of each array, e.g. ``{"tokens": (17, 128)}``.
        attrs : mapping, optional
            Where the embeddings come from: model, weights, checksum. Plain JSON values.
        dtype : {"float32", "float16"}
            Type on disk.

        Returns
        -------
        EmbeddingStore
            The store.

        Raises
        ------
        DataError
            If there is no space for all rows.
        """
        n_values = len(ids) * sum(int(np.prod(shape)) for shape in shapes.values())
        with atomic_path(path) as temporary:
            reserve(temporary.parent, n_values * np.dtype(dtype).itemsize)
            with h5py.File(temporary, "w", libver="latest") as file:
                file.attrs.update(
                    kind="embeddings",
                    format_version=FORMAT_VERSION,
                    provenance=json.dumps(dict(attrs or {}), sort_keys=True),
                )
                write_strings(file, "id", list(ids))
                file["done"] = np.zeros(len(ids), dtype=bool)
                arrays = file.create_group("arrays")
                for name, shape in shapes.items():
                    arrays.create_dataset(name, (len(ids), *shape), dtype=dtype)
        return cls(path)

    def write(self, rows: Sequence[int] | np.ndarray, arrays: Mapping[str, np.ndarray]) -> None:
        """Fill rows, and mark them done only once all arrays are written.

        Parameters
        ----------
        rows : sequence of int of length n
            Increasing row numbers.
        arrays : mapping of str to array of shape (n, ...)
            One entry for each array of the store.

        Raises
        ------
        DataError
            If there is no space for the rows; those written before stay.
        """
        with naming_full_disk(self.path):
            # others may have filled the disk since `create` looked
            reserve(self.path.parent, sum(np.asarray(arrays[name]).nbytes for name in self.shapes))
            with open_store(self.path, "embeddings", "r+") as file:
                for name in self.shapes:
                    file["arrays"][name][rows] = arrays[name]
                file.flush()
                file["done"][rows] = True

    @property
    def fingerprint(self) -> str:
        """Digest of the embedder, see `embedding_fingerprint`."""
        return embedding_fingerprint(self.attrs)

    def block(self, name: str, start: int, stop: int) -> np.ndarray:
        """Read a run of rows; much faster than picking as many.

        Parameters
        ----------
        name : str
            Array, as stored.
        start, stop : int
            First row, and the one after the last.

        Returns
        -------
        array of float32 of shape (stop - start, ...)
            Whatever is there, filled or not: see `missing`.
        """
        with open_store(self.path, "embeddings") as file:
            return get_dataset(file, f"arrays/{name}")[start:stop].astype(np.float32)

    def __contains__(self, stimulus: object) -> bool:
        return stimulus in self._rows

    def missing(self) -> np.ndarray:
        """Rows not filled yet.

        Returns
        -------
        array of int
            Increasing row numbers.
        """
        with open_store(self.path, "embeddings") as file:
            return np.flatnonzero(~file["done"][:])

    def read(self, name: str, ids: Sequence[str] | None = None) -> np.ndarray:
        """Read an array.

        Parameters
        ----------
        name : str
            ``tokens``, ``pooled``, ``text``, ``latent``, ... as stored.
        ids : sequence of str of length n, optional
            Stimuli, in any order; all in row order by default.

        Returns
        -------
        array of float32 of shape (n, ...)
            The embeddings.

        Raises
        ------
        DataError
            If the array does not exist, a stimulus has no embedding, or rows are missing.
        """
        rows = np.arange(len(self.ids)) if ids is None else self.rows(ids)
        with open_store(self.path, "embeddings") as file:
            dataset = get_dataset(file, f"arrays/{name}")
            if not file["done"][:].all():
                raise DataError(
                    "embedding was interrupted", file=self.path, fix="run `neurodecode embed` again"
                )
            unique, inverse = np.unique(rows, return_inverse=True)
            return dataset[unique][inverse].astype(np.float32)

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """Row of each stimulus.

        Parameters
        ----------
        ids : sequence of str of length n
            Stimulus ids.

        Returns
        -------
        array of int of shape (n,)
            Row numbers.

        Raises
        ------
        DataError
            If a stimulus has no embedding.
        """
        try:
            return np.array([self._rows[stimulus] for stimulus in ids], dtype=np.int64)
        except KeyError as error:
            raise DataError(
                f"stimulus {error.args[0]} has no embedding",
                file=self.path,
                field="id",
                fix="run `neurodecode embed` on the stimuli of this data set",
            ) from error
