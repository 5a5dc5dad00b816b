"""Spike counts on a scale on which their noise is even."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurodecode.store import ResponseStore

__all__ = ["CountStore", "open_responses"]


class CountStore(ResponseStore):
    """A store of spike counts that is read as their square roots.

    The variance of a count grows with its mean; that of its square root hardly does
    (Bartlett 1936), so that a Gaussian model fits it.

    Parameters
    ----------
    path : path-like
        Store of modality ``spikes``.
    """

    def read(self, trials: Sequence[int] | np.ndarray) -> np.ndarray:
        """Read square roots of counts; see `ResponseStore.read`."""
        return np.sqrt(super().read(trials))


def open_responses(path: str | Path) -> ResponseStore:
    """Open a store of responses for Gaussian models.

    Parameters
    ----------
    path : path-like
        File of one subject.

    Returns
    -------
    ResponseStore
        A `CountStore` for spike counts.

    Raises
    ------
    DataError
        If the file is missing or broken.
    """
    store = ResponseStore(path)
    return CountStore(path) if store.modality == "spikes" else store
