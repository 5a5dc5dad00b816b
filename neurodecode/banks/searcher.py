"""Finding the rows of a bank that are most like a decoded embedding."""

from __future__ import annotations

import numpy as np

from neurodecode.banks.bank import Bank
from neurodecode.banks.ivfpq import IvfPq
from neurodecode.banks.library import faiss_library
from neurodecode.errors import ConfigError, DataError

__all__ = ["Searcher", "search"]

_QUERIES, _BLOCK = 256, 65_536


def search(
    bank: Bank, queries: np.ndarray, k: int, *, n_probe: int = 32, refine: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Find the `k` most similar rows of each query.

    Parameters
    ----------
    bank : Bank
        Where to search.
    queries : array of shape (n_queries, ...)
        Decoded embeddings; flattened, they have the bank's dimension.
    k : int
        How many; at most as many as the bank holds.
    n_probe, refine : int
        See `Searcher`.

    Returns
    -------
    cosines : array of float32 of shape (n_queries, k)
        Falling.
    rows : array of int of shape (n_queries, k)
        Rows of the bank; -1 where an approximate index found fewer than `k`.

    Raises
    ------
    DataError
        If a query is zero, not finite, or of another dimension.
    ConfigError
        If a number is out of range.
    """
    return Searcher(bank, n_probe=n_probe, refine=refine)(queries, k)


class Searcher:
    """Searches a bank, again and again.

    Parameters
    ----------
    bank : Bank
        Where to search.
    n_probe : int
        Of ``ivfpq``: how many lists are looked through.
    refine : int
        Of ``ivfpq``: this many times `k` candidates are compared exactly, with their vectors;
        0 ranks by the codes alone.
    """

    def __init__(self, bank: Bank, *, n_probe: int = 32, refine: int = 10) -> None:
        if n_probe < 1 or refine < 0:
            raise ConfigError("--probe must be at least 1, --refine at least 0")
        self.bank, self.refine = bank, refine
        self.index = None
        if bank.index == "ivfpq":
            parts = IvfPq.load(bank.path)
            if parts.dim != bank.dim:
                raise DataError("centres are of another dimension", file=bank.path / "coarse.npy")
            self.index, *self._alive = *parts.searcher(bank.path, bank.n), parts
            self.index.nprobe = min(n_probe, parts.n_lists)

    def __call__(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Search; see `search`."""
        if not 1 <= k <= self.bank.n:
            raise ConfigError(f"--top is {k}; the bank holds {self.bank.n}")
        rows = _unit(queries, self.bank.dim)
        find = self._exact if self.index is None else self._approximate
        parts = [find(rows[s : s + _QUERIES], k) for s in range(0, len(rows), _QUERIES)]
        if not parts:
            return np.empty((0, k), np.float32), np.empty((0, k), np.int64)
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _exact(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        cosines = np.empty((len(queries), 0), np.float32)
        found = np.empty((len(queries), 0), np.int64)
        for start in range(0, self.bank.n, _BLOCK):
            block = np.ascontiguousarray(self.bank.vectors[start : start + _BLOCK], np.float32)
            near, rows = _nearest(queries, block, min(k, len(block)))
            cosines, found = _best(np.hstack([cosines, near]), np.hstack([found, rows + start]), k)
        return cosines, found

    def _approximate(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        wanted = min(self.bank.n, k * max(1, self.refine))
        cosines, rows = self.index.search(queries, wanted)
        if (rows >= self.bank.n).any() or (rows < -1).any():
            raise DataError(
                "points to rows that do not exist",
                file=self.bank.path / "lists.bin",
                fix="build the bank again",
            )
        if self.refine:
            for number, query in enumerate(queries):
                known = rows[number] >= 0
                # in the order of the file, since it is mapped
                order = np.argsort(rows[number][known])
                chosen = rows[number][known][order]
                exact = self.bank.vectors[chosen].astype(np.float32) @ query
                cosines[number, known] = exact[np.argsort(order)]
        cosines[rows < 0] = -np.inf
        return _best(cosines, rows, k)


def _unit(queries: np.ndarray, dim: int) -> np.ndarray:
    values = np.asarray(queries, dtype=np.float32)
    values = values.reshape(len(values), -1)
    if len(values) and values.shape[1] != dim:
        raise DataError(
            f"embeddings of {values.shape[1]} numbers, the bank has {dim}", field="--array"
        )
    norms = np.linalg.norm(values, axis=1)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise DataError("a decoded embedding is zero or not finite", field="--array")
    return np.ascontiguousarray(values / norms[:, None])


def _nearest(queries: np.ndarray, block: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` largest inner products of each query: FAISS where it is installed, it is faster."""
    try:
        faiss = faiss_library()
    except ConfigError:
        products = queries @ block.T
        rows = np.argpartition(-products, k - 1, axis=1)[:, :k]
        return np.take_along_axis(products, rows, 1), rows
    return faiss.knn(queries, block, k, metric=faiss.METRIC_INNER_PRODUCT)


def _best(cosines: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest first, the smaller row first among equals."""
    order = np.lexsort((rows, -cosines), axis=1)[:, :k]
    return np.take_along_axis(cosines, order, 1), np.take_along_axis(rows, order, 1)
