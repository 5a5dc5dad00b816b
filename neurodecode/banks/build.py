"""Building a bank, block by block; an interrupted build goes on where it stopped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from neurodecode.banks.bank import FORMAT, Bank
from neurodecode.banks.ivfpq import IvfPq
from neurodecode.banks.sources import Source, identity
from neurodecode.errors import DataError, naming_full_disk
from neurodecode.files import atomic_path, read_json, sha256, write_json
from neurodecode.folders import reserve
from neurodecode.progress import progress_bar
from neurodecode.store.hdf5 import FORMAT_VERSION, write_strings

__all__ = ["BankOptions", "build_bank"]


@dataclass(frozen=True)
class BankOptions:
    """How a bank is built.

    Parameters
    ----------
    index : {"flat", "ivfpq"}
        Exact search over all vectors; or inverted lists of product-quantised vectors, whose best
        candidates are then compared exactly.
    dtype : {"float32", "float16"}
        Of the vectors on disk; float16 rounds a cosine by about 1e-4.
    n_lists, n_bytes : int, optional
        Of ``ivfpq``: how many lists, and bytes of a vector's code, which must divide the
        dimension; by default about 4 sqrt(n) lists, and the largest divisor up to 96 bytes.
    n_train : int
        Vectors that lists and codes are fitted to, drawn at random.
    seed : int
        Of that draw and of the clustering.
    block : int
        Vectors read, embedded and written at a time.
    """

    index: Literal["flat", "ivfpq"] = "flat"
    dtype: Literal["float32", "float16"] = "float32"
    n_lists: int | None = None
    n_bytes: int | None = None
    n_train: int = 200_000
    seed: int = 0
    block: int = 4096


def build_bank(
    source: Source, out: str | Path, options: BankOptions | None = None, *, quiet: bool = False
) -> Bank:
    """Build a bank, or finish the one that was begun.

    Parameters
    ----------
    source : Source
        Vectors and what they stand for.
    out : path-like
        Folder of the bank; complete or not there. What is unfinished lies in a hidden folder
        beside it.
    options : BankOptions, optional
        How.
    quiet : bool
        No progress bar.

    Returns
    -------
    Bank
        The bank.

    Raises
    ------
    DataError
        If a vector is not finite or zero, the disk is full, or another bank is at `out`.
    ConfigError
        If the index needs FAISS and it is missing, or does not suit the vectors.
    """
    out, options = Path(out), options or BankOptions()
    request = {"source": identity(source), "options": asdict(options)}
    if out.exists():
        bank = Bank(out)
        if bank.about.get("request") != request:
            raise DataError("another bank is here", file=out, fix="delete it, or name another")
        return bank
    partial = out.with_name(f".{out.name}.partial")
    with naming_full_disk(out):
        work = _Build(source, partial, options, request)
        work.run(quiet)
        os.replace(partial, out)
    return Bank(out)


class _Build:
    """A bank that is being built in a folder."""

    def __init__(
        self, source: Source, folder: Path, options: BankOptions, request: dict[str, Any]
    ) -> None:
        self.source, self.folder, self.options = source, folder, options
        self.n = len(source.ids)
        self.state: dict[str, Any] = {"request": request, "done": {}}
        if (folder / "state.json").is_file():
            found = read_json(folder / "state.json")
            if found.get("request") == request:
                self.state = found
        if not self.state["done"]:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_json(folder / "state.json", self.state)

    def run(self, quiet: bool) -> None:
        """Do what is left to do."""
        dim = self._store_vectors(quiet)
        about: dict[str, Any] = {"index": self.options.index, "n": self.n, "dim": dim}
        if self.options.index == "ivfpq":
            about["ivfpq"] = self._store_index(dim, quiet)
        self._store_items()
        (self.folder / "state.json").unlink()
        sums = {path.name: sha256(path) for path in sorted(self.folder.iterdir())}
        embedding = dict(self.source.embedding)
        write_json(
            self.folder / "bank.json",
            FORMAT | about | {"embedding": embedding, "request": self.state["request"],
                              "sha256": sums},
        )  # fmt: skip

    def _blocks(self, name: str, quiet: bool, work: Callable[[int, int], None]) -> None:
        """Work through the rows, noting how far it has come."""
        with progress_bar(name, self.n, quiet=quiet) as advance:
            for start in range(self.state["done"].get(name, 0), self.n, self.options.block):
                stop = min(start + self.options.block, self.n)
                work(start, stop)
                self.state["done"][name] = stop
                write_json(self.folder / "state.json", self.state)
                advance(stop)

    def array(self, name: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Memory-map an array of the bank, new or begun."""
        path = self.folder / name
        if path.exists():
            return np.lib.format.open_memmap(path, mode="r+")
        reserve(self.folder, int(np.prod(shape)) * np.dtype(dtype).itemsize)
        with atomic_path(path) as temporary:
            np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
        return np.lib.format.open_memmap(path, mode="r+")

    def _store_vectors(self, quiet: bool) -> int:
        dim = int(np.prod(self.source.read(0, 1).shape[1:]))
        vectors = self.array("vectors.npy", (self.n, dim), self.options.dtype)

        def work(start: int, stop: int) -> None:
            values = np.asarray(self.source.read(start, stop), dtype=np.float32)
            values = values.reshape(stop - start, dim)
            norms = np.linalg.norm(values, axis=1)
            bad = np.flatnonzero(~np.isfinite(norms) | (norms == 0))
            if len(bad):
                raise DataError(
                    f"the embedding of {self.source.ids[start + bad[0]]} is zero or not finite",
                    field=self.source.embedding["array"],
                    fix="leave it out",
                )
            vectors[start:stop] = values / norms[:, None]
            vectors.flush()

        self._blocks("vectors", quiet, work)
        return dim

    def _store_index(self, dim: int, quiet: bool) -> dict[str, int]:
        vectors = np.load(self.folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        trained = self.folder / "codebooks.npy"
        if not trained.exists():
            rng = np.random.default_rng(self.options.seed)
            rows = rng.choice(self.n, min(self.n, self.options.n_train), replace=False)
            sample = vectors[np.sort(rows)].astype(np.float32)
            IvfPq.train(sample, self.n, self.options.n_lists, self.options.n_bytes,
                        self.options.seed).save(self.folder)  # fmt: skip
        index = IvfPq.load(self.folder)
        lists = self.array("rows-of-lists.npy", (self.n,), "int32")
        codes = self.array("codes.npy", (self.n, index.n_bytes), "uint8")

        def work(start: int, stop: int) -> None:
            lists[start:stop], codes[start:stop] = index.encode(vectors[start:stop])
            lists.flush()
            codes.flush()

        self._blocks("codes", quiet, work)
        index.write_lists(self.folder, lists, codes)
        for name in ("rows-of-lists.npy", "codes.npy"):
            (self.folder / name).unlink()
        return {"n_lists": index.n_lists, "n_bytes": index.n_bytes}

    def _store_items(self) -> None:
        path = self.folder / "items.h5"
        with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
            file.attrs.update(kind="bank", format_version=FORMAT_VERSION)
            write_strings(file, "id", self.source.ids)
            write_strings(file, "caption", self.source.captions)
