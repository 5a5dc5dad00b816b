"""A bank on disk: unit vectors, what they stand for, and an index for approximate search.

A bank is a folder:

- ``bank.json``: format, size, where the embeddings come from, checksums of the other files;
- ``vectors.npy``: (n, dim), rows of unit length, memory-mapped;
- ``items.h5``: id and caption of each row;
- of an ``ivfpq`` bank besides: ``coarse.npy`` (n_lists, dim), ``codebooks.npy``, ``sizes.npy``
  (n_lists,), and ``lists.bin``, for each list the codes of its rows, then the rows, memory-mapped.

No file is in a format that FAISS parses or that Python unpickles: the index is put together from
arrays whose shapes and sizes are checked here, so a bank from elsewhere may be damaged or lie, but
cannot run code or make FAISS read outside of its files.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.errors import DataError
from neurodecode.files import read_json, sha256
from neurodecode.store.hdf5 import get_dataset, open_store

__all__ = ["FORMAT", "Bank"]

FORMAT = {"format": "neurodecode-bank", "version": 1}
_FIX = "build the bank again"


class Bank:
    """A finished bank, opened lazily.

    Parameters
    ----------
    path : path-like
        Folder of ``neurodecode bank build``.

    Raises
    ------
    DataError
        If it is missing, unfinished, of another format, or its files do not fit together.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not (self.path / "bank.json").is_file():
            raise DataError("no finished bank", file=self.path, fix="run `neurodecode bank build`")
        self.about: dict[str, Any] = read_json(self.path / "bank.json")
        if not isinstance(self.about, dict) or {k: self.about.get(k) for k in FORMAT} != FORMAT:
            raise self._error("bank.json", f"not a bank of version {FORMAT['version']}")
        try:
            self.n, self.dim = int(self.about["n"]), int(self.about["dim"])
            self.index, self.embedding = str(self.about["index"]), dict(self.about["embedding"])
            self._sums = {str(name): str(text) for name, text in self.about["sha256"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._error("bank.json", f"entry is missing or wrong ({error})") from error
        if self.vectors.shape != (self.n, self.dim) or self.vectors.dtype.kind != "f":
            raise self._error("vectors.npy", f"not {self.n} x {self.dim} numbers")

    def _error(self, name: str, problem: str) -> DataError:
        return DataError(problem, file=self.path / name, fix=_FIX)

    def array(self, name: str, *, mapped: bool = False) -> np.ndarray:
        """Read one of the bank's arrays.

        Parameters
        ----------
        name : str
            Its file.
        mapped : bool
            Map it instead of reading it.

        Returns
        -------
        array
            Never of Python objects.

        Raises
        ------
        DataError
            If the file is missing or is no such array.
        """
        try:
            return np.load(self.path / name, mmap_mode="r" if mapped else None, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise self._error(name, f"missing or not an array ({error})") from error

    @cached_property
    def vectors(self) -> np.ndarray:
        """Unit rows (n, dim), memory-mapped."""
        return self.array("vectors.npy", mapped=True)

    def items(self, rows: np.ndarray) -> tuple[list[str], list[str]]:
        """What rows stand for.

        Parameters
        ----------
        rows : array of int of shape (n_rows,)
            Row numbers, in any order.

        Returns
        -------
        ids, captions : list of str of length n_rows
            A caption is empty where there is none.
        """
        unique, inverse = np.unique(rows, return_inverse=True)
        found = []
        with open_store(self.path / "items.h5", "bank") as file:
            for name in ("id", "caption"):
                dataset = get_dataset(file, name)
                if len(dataset) != self.n:
                    raise self._error("items.h5", f"{len(dataset)} items, not {self.n}")
                values = dataset.asstr()[unique] if len(unique) else np.array([], dtype=object)
                found.append([str(values[number]) for number in inverse])
        return found[0], found[1]

    def check(self) -> None:
        """Compare every file with its checksum.

        Raises
        ------
        DataError
            If one has changed since the bank was built.
        """
        for name, expected in self._sums.items():
            path = self.path / name
            # a bank from elsewhere must not make us read files outside of its folder
            if Path(name).name != name or not path.is_file():
                raise self._error(name, "file is missing")
            if sha256(path) != expected:
                raise self._error(name, "has changed since the bank was built")
