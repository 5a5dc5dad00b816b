"""Inverted lists of product-quantised vectors, kept as plain arrays.

FAISS clusters, encodes and searches; between the two lie arrays that are checked before they are
handed back to it (see `neurodecode.banks.bank`).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.banks.library import faiss_library
from neurodecode.errors import ConfigError, DataError
from neurodecode.files import atomic_path
from neurodecode.folders import reserve

__all__ = ["IvfPq"]

#: Values of one byte of a code, and training vectors that FAISS wants for each of them.
_N_CODES, _POINTS_EACH = 256, 39


class IvfPq:
    """Coarse centres and codebooks.

    Parameters
    ----------
    coarse : array of float32 of shape (n_lists, dim)
        Centre of each list.
    codebooks : array of float32 of shape (n_bytes, 256, dim / n_bytes)
        What each value of each byte stands for, of what is left after the centre.
    """

    def __init__(self, coarse: np.ndarray, codebooks: np.ndarray) -> None:
        self.coarse, self.codebooks = coarse, codebooks
        self.n_lists, self.dim = coarse.shape
        self.n_bytes = len(codebooks)
        faiss = faiss_library()
        self._quantizer = faiss.IndexFlatIP(self.dim)
        self._quantizer.add(coarse)
        self._pq = faiss.ProductQuantizer(self.dim, self.n_bytes, 8)
        faiss.copy_array_to_vector(codebooks.ravel(), self._pq.centroids)

    @classmethod
    def train(
        cls, sample: np.ndarray, n: int, n_lists: int | None, n_bytes: int | None, seed: int
    ) -> IvfPq:
        """Fit lists and codes.

        Parameters
        ----------
        sample : array of float32 of shape (n_sample, dim)
            Unit rows.
        n : int
            Vectors of the whole bank.
        n_lists, n_bytes : int, optional
            See `neurodecode.banks.BankOptions`.
        seed : int
            Of the clustering.

        Returns
        -------
        IvfPq
            Fitted.

        Raises
        ------
        ConfigError
            If there are too few vectors, or the bytes do not divide the dimension.
        """
        dim = sample.shape[1]
        least = _N_CODES * _POINTS_EACH
        if len(sample) < least:
            raise ConfigError(
                f"--index ivfpq is fitted to at least {least} vectors, here are {len(sample)};"
                " choose --index flat"
            )
        n_bytes = n_bytes or max(each for each in range(1, min(96, dim) + 1) if dim % each == 0)
        n_lists = n_lists or 2 ** round(math.log2(4 * math.sqrt(n)))
        n_lists = min(n_lists, len(sample) // _POINTS_EACH)
        if n_bytes < 1 or dim % n_bytes:
            raise ConfigError(f"--bytes {n_bytes} does not divide the dimension {dim}")
        faiss = faiss_library()
        quantizer = faiss.IndexFlatIP(dim)
        index = faiss.IndexIVFPQ(quantizer, dim, n_lists, n_bytes, 8, faiss.METRIC_INNER_PRODUCT)
        index.cp.seed = index.pq.cp.seed = seed + 1
        # centres are means of unit vectors; as unit vectors, the nearest is that of largest cosine
        index.cp.spherical = True
        index.train(sample)
        books = faiss.vector_to_array(index.pq.centroids)
        return cls(
            quantizer.reconstruct_n(0, n_lists), books.reshape(n_bytes, _N_CODES, dim // n_bytes)
        )

    def save(self, folder: Path) -> None:
        """Write ``coarse.npy`` and ``codebooks.npy``.

        Parameters
        ----------
        folder : Path
            Where to.
        """
        for name, values in {"coarse": self.coarse, "codebooks": self.codebooks}.items():
            with atomic_path(folder / f"{name}.npy") as temporary:
                np.save(temporary, values, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> IvfPq:
        """Read what `save` wrote.

        Parameters
        ----------
        folder : Path
            Where it lies.

        Returns
        -------
        IvfPq
            Without lists.

        Raises
        ------
        DataError
            If a file is missing, or the shapes do not fit.
        """
        try:
            coarse, books = (
                np.load(folder / f"{name}.npy", allow_pickle=False)
                for name in ("coarse", "codebooks")
            )
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"index is not readable ({error})", file=folder, fix=_FIX) from error
        fits = (
            coarse.ndim == 2
            and books.ndim == 3
            and books.shape[1] == _N_CODES
            and books.shape[0] * books.shape[2] == coarse.shape[1]
            and coarse.dtype == books.dtype == np.float32
        )
        if not fits:
            raise DataError("centres and codebooks do not fit", file=folder, fix=_FIX)
        return cls(np.ascontiguousarray(coarse), np.ascontiguousarray(books))

    def encode(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find list and code of vectors.

        Parameters
        ----------
        vectors : array of shape (n, dim)
            Unit rows.

        Returns
        -------
        lists : array of int of shape (n,)
            List of each.
        codes : array of uint8 of shape (n, n_bytes)
            Code of what the centre leaves.
        """
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        _, lists = self._quantizer.search(rows, 1)
        lists = lists[:, 0]
        return lists, self._pq.compute_codes(rows - self.coarse[lists])

    def write_lists(self, folder: Path, lists: np.ndarray, codes: np.ndarray) -> None:
        """Write ``lists.bin`` and ``sizes.npy``.

        Parameters
        ----------
        folder : Path
            Where to.
        lists : array of int of shape (n,)
            List of each row.
        codes : array of uint8 of shape (n, n_bytes)
            Code of each row.
        """
        order = np.argsort(lists, kind="stable").astype("<i8")
        sizes = np.bincount(lists, minlength=self.n_lists)
        with atomic_path(folder / "lists.bin") as temporary:
            reserve(folder, len(order) * (self.n_bytes + 8))
            with open(temporary, "wb") as file:
                for rows in np.split(order, np.cumsum(sizes)[:-1]):
                    file.write(codes[rows].tobytes())
                    file.write(rows.tobytes())
        with atomic_path(folder / "sizes.npy") as temporary:
            np.save(temporary, sizes.astype(np.int64), allow_pickle=False)

    def searcher(self, folder: Path, n: int) -> tuple[Any, Any]:
        """Put the FAISS index together over the mapped lists.

        Parameters
        ----------
        folder : Path
            Of the bank.
        n : int
            Vectors of the bank.

        Returns
        -------
        index : faiss.IndexIVFPQ
            Ready to search by inner product.
        lists : faiss.OnDiskInvertedLists
            FAISS does not keep these alive, nor this object: hold on to both.

        Raises
        ------
        DataError
            If sizes and file do not fit.
        """
        faiss = faiss_library()
        path = folder / "lists.bin"
        try:
            sizes = np.load(folder / "sizes.npy", allow_pickle=False)
            n_bytes_file = path.stat().st_size
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"index is not readable ({error})", file=folder, fix=_FIX) from error
        width = self.n_bytes + 8
        fits = (
            sizes.shape == (self.n_lists,)
            and sizes.dtype == np.int64
            and (sizes >= 0).all()
            and (sizes <= n).all()
            and int(sizes.sum()) == n
            and n_bytes_file == n * width
        )
        if not fits:
            raise DataError("lists do not fit the vectors", file=path, fix=_FIX)
        lists = faiss.OnDiskInvertedLists()
        lists.nlist, lists.code_size = self.n_lists, self.n_bytes
        lists.filename, lists.totsize, lists.read_only = str(path), n_bytes_file, True
        slots = faiss.OnDiskOneListVector()
        for size, start in zip(sizes.tolist(), (np.cumsum(sizes) - sizes).tolist(), strict=True):
            slot = faiss.OnDiskOneList()
            slot.size = slot.capacity = size
            slot.offset = start * width
            slots.push_back(slot)
        lists.lists = slots
        lists.do_mmap()
        index = faiss.IndexIVFPQ(
            self._quantizer, self.dim, self.n_lists, self.n_bytes, 8, faiss.METRIC_INNER_PRODUCT
        )
        faiss.copy_array_to_vector(self.codebooks.ravel(), index.pq.centroids)
        index.is_trained, index.ntotal = True, n
        index.replace_invlists(lists, False)
        return index, lists


_FIX = "build the bank again"
