"""Prediction files, opened without reading their arrays."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from neurodecode.errors import DataError
from neurodecode.store import Prediction
from neurodecode.store.hdf5 import open_store, read_strings
from neurodecode.store.predictions import read_window

__all__ = ["PredictionSource", "find_predictions"]


@dataclass(frozen=True)
class PredictionSource:
    """A file of predictions: what it is, without its numbers.

    Parameters
    ----------
    path : Path
        File written by `neurodecode.store.write_predictions`.
    """

    path: Path

    @cached_property
    def _header(self) -> dict[str, Any]:
        with open_store(self.path, "predictions") as file:
            groups = list(file.values())
            return {
                "method": str(file.attrs["method"]),
                "attrs": json.loads(file.attrs["attrs"]),
                "arrays": sorted({name for group in groups for name in group["arrays"]}),
                "ids": [
                    stimulus for group in groups for stimulus in read_strings(group["stimulus_id"])
                ],
            }

    @property
    def method(self) -> str:
        """Stable name of the method."""
        return self._header["method"]

    @property
    def attrs(self) -> dict[str, Any]:
        """How the predictions were made."""
        return self._header["attrs"]

    @property
    def array_names(self) -> list[str]:
        """Names of the arrays that occur in the file, sorted."""
        return self._header["arrays"]

    @property
    def stimulus_ids(self) -> list[str]:
        """All stimuli of the file, in its order, over subjects and folds."""
        return self._header["ids"]

    def read(self, arrays: Collection[str] | None = None) -> list[Prediction]:
        """Read the predictions.

        Parameters
        ----------
        arrays : collection of str, optional
            Only these arrays (those of a large embedding are best left on disk); all by default.

        Returns
        -------
        list of Prediction
            One for each subject and fold.
        """
        with open_store(self.path, "predictions") as file:
            return [
                Prediction(
                    subject=str(group.attrs["subject"]),
                    stimulus_id=read_strings(group["stimulus_id"]),
                    arrays={
                        name: item[...]
                        for name, item in group["arrays"].items()
                        if arrays is None or name in arrays
                    },
                    candidate_id=read_strings(group["candidate_id"]),
                    n_averaged=float(group.attrs["n_averaged"]),
                    fold=int(group.attrs["fold"]),
                    window=read_window(group),
                )
                for _, group in sorted(file.items())
            ]


def find_predictions(runs: str | Path) -> tuple[PredictionSource, ...]:
    """Find all prediction files under a folder of runs.

    Parameters
    ----------
    runs : path-like
        ``runs/<profile>``; may be absent.

    Returns
    -------
    tuple of PredictionSource
        Sorted by path. HDF5 files of another kind are passed over, and so are predictions that
        were made to select or weigh methods (sides ``train`` and ``validation``).
    """
    found = open_predictions(sorted(Path(runs).rglob("*.h5")), skip_others=True)
    return tuple(
        source for source in found if source.attrs.get("side") not in ("train", "validation")
    )


def open_predictions(
    paths: Iterable[str | Path], *, skip_others: bool = False
) -> tuple[PredictionSource, ...]:
    """Open prediction files.

    Parameters
    ----------
    paths : iterable of path-like
        The files.
    skip_others : bool
        Pass over files that are something else instead of refusing them.

    Returns
    -------
    tuple of PredictionSource
        In the order given.

    Raises
    ------
    DataError
        If a file is missing, broken, or not a file of predictions.
    """
    sources = []
    for path in paths:
        source = PredictionSource(Path(path))
        try:
            source.method  # noqa: B018 - reads the header, and so checks the file
        except DataError:
            if not skip_others:
                raise
            continue
        sources.append(source)
    return tuple(sources)
