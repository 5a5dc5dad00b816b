"""Target embeddings of stimuli, in memory or read as needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neurodecode.errors import DataError
from neurodecode.store import EmbeddingStore

__all__ = ["TargetBank"]


class TargetBank:
    """Rows of several named embeddings, for a fixed list of stimuli.

    Parameters
    ----------
    files : mapping of str to path-like
        Name of an array (``tokens``, ``latent``, ...) and the embedding store that has it.
    stimuli : sequence of str
        Stimulus ids; their order numbers the rows.
    in_memory : bool
        Read everything once, or row by row when it is needed.
    optional : collection of str
        Stimuli that a store may lack, as long as another has them all; their embedding is NaN
        then.

    Raises
    ------
    DataError
        If a store lacks the array or a stimulus.
    """

    def __init__(
        self,
        files: Mapping[str, str | Path],
        stimuli: Sequence[str],
        *,
        in_memory: bool = True,
        optional: Collection[str] = (),
    ) -> None:
        self.stimuli = list(stimuli)
        self._stores = {name: EmbeddingStore(path) for name, path in files.items()}
        for name, store in self._stores.items():
            if name not in store.shapes:
                raise DataError(
                    f"no array {name!r} (found: {', '.join(sorted(store.shapes))})",
                    file=store.path,
                    field="embeddings",
                    fix="name the target as the embedder does",
                )
            required = [stimulus for stimulus in self.stimuli if stimulus not in optional]
            store.rows(required)
        if self._stores and not self.complete:
            next(iter(self._stores.values())).rows(self.stimuli)  # says what is missing
        self._arrays = (
            {name: self._from_store(name, self.stimuli) for name in self._stores}
            if in_memory and self.stimuli
            else {}
        )

    @cached_property
    def complete(self) -> frozenset[str]:
        """Targets that every stimulus has."""
        return frozenset(
            name
            for name, store in self._stores.items()
            if all(stimulus in store for stimulus in self.stimuli)
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of one row of each target."""
        return {name: tuple(store.shapes[name]) for name, store in self._stores.items()}

    def read(self, name: str, rows: np.ndarray) -> Tensor:
        """Read rows of one target.

        Parameters
        ----------
        name : str
            Name of the target.
        rows : array of int of shape (n,)
            Row numbers, in any order.

        Returns
        -------
        Tensor of float32 of shape (n, ...)
            The embeddings.
        """
        if name in self._arrays:
            return torch.from_numpy(self._arrays[name][rows])
        return torch.from_numpy(self._from_store(name, [self.stimuli[row] for row in rows]))

    def _from_store(self, name: str, ids: Sequence[str]) -> np.ndarray:
        store = self._stores[name]
        known = np.array([stimulus in store for stimulus in ids], dtype=bool)
        if known.all():
            return store.read(name, ids)
        values = np.full((len(ids), *store.shapes[name]), np.nan, dtype=np.float32)
        values[known] = store.read(name, [ids[row] for row in np.flatnonzero(known)])
        return values

    def moments(self, name: str, rows: np.ndarray, block: int = 256) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of a target over stimuli.

        Parameters
        ----------
        name : str
            Name of the target.
        rows : array of int of shape (n,)
            Training stimuli.
        block : int
            Rows read at a time.

        Returns
        -------
        mean, deviation : Tensor of the shape of one row
            Over the given stimuli.
        """
        total = torch.zeros(self.shapes[name], dtype=torch.float64)
        squares = torch.zeros_like(total)
        for start in range(0, len(rows), block):
            values = self.read(name, rows[start : start + block]).double()
            total += values.sum(dim=0)
            squares += values.square().sum(dim=0)
        mean = total / len(rows)
        variance = (squares / len(rows) - mean.square()).clamp(min=0)
        return mean.float(), variance.sqrt().float()
