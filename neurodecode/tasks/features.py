"""Features of stimuli that linear encoders predict from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from neurodecode.store import EmbeddingStore

__all__ = ["Bands", "FeatureReader", "Features"]


class FeatureReader(Protocol):
    """Whatever knows features of stimuli."""

    def read(self, ids: Sequence[str]) -> np.ndarray:
        """Read features of shape (n_stimuli, ...)."""


@dataclass(frozen=True)
class Features:
    """Where the features of the stimuli are.

    Parameters
    ----------
    stores : sequence of EmbeddingStore
        One or more.
    target : str
        Name of the array in each of them.
    """

    stores: Sequence[EmbeddingStore]
    target: str

    def read(self, ids: Sequence[str]) -> np.ndarray:
        """Read features.

        Parameters
        ----------
        ids : sequence of str of length n
            Stimuli.

        Returns
        -------
        array of float32 of shape (n, ...)
            In the shape of the store, or flattened and joined if there are several.
        """
        blocks = [store.read(self.target, list(ids)) for store in self.stores]
        if len(blocks) == 1:
            return blocks[0]
        return np.concatenate([block.reshape(len(ids), -1) for block in blocks], axis=1)


@dataclass(frozen=True)
class Bands:
    """Features of several spaces, joined column by column, for an encoder that tells them apart.

    Parameters
    ----------
    parts : sequence of Features
        One for each band.
    """

    parts: Sequence[Features]

    @property
    def sizes(self) -> list[int]:
        """Features of each band."""
        return [
            sum(int(np.prod(store.shapes[part.target])) for store in part.stores)
            for part in self.parts
        ]

    def read(self, ids: Sequence[str]) -> np.ndarray:
        """Read features.

        Parameters
        ----------
        ids : sequence of str of length n
            Stimuli.

        Returns
        -------
        array of float32 of shape (n, sum(sizes))
            One band after the other.
        """
        return np.concatenate([each.read(ids).reshape(len(ids), -1) for each in self.parts], axis=1)
