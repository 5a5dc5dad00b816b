"""Sizes of recordings, as a model is built from them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurodecode.context import BuildContext, Place
from neurodecode.store import ResponseStore

__all__ = ["context_of", "sensor_places"]


def context_of(
    stores: Mapping[str, ResponseStore], targets: Mapping[str, tuple[int, ...]]
) -> BuildContext:
    """Read sizes from stores.

    Parameters
    ----------
    stores : mapping of str to ResponseStore
        By subject; with or without a time axis.
    targets : mapping of str to tuple of int
        Shape of one target of each name.

    Returns
    -------
    BuildContext
        Everything a decoder is built from.
    """
    series = {name: store for name, store in stores.items() if len(store.shape) == 3}
    places = {name: sensor_places(store) for name, store in series.items()}
    return BuildContext(
        n_features={name: store.n_features for name, store in stores.items()},
        targets=dict(targets),
        n_times={name: store.shape[2] for name, store in series.items()},
        sfreq={name: store.sfreq for name, store in series.items() if store.sfreq is not None},
        positions={name: each for name, each in places.items() if each},
        modality={name: store.modality for name, store in stores.items()},
    )


def sensor_places(store: ResponseStore) -> tuple[Place, ...]:
    """Where the sensors of a store are.

    Parameters
    ----------
    store : ResponseStore
        Of MEG or EEG; feature ``position`` of shape (n_channels, 3) in metres, NaN if unknown.

    Returns
    -------
    tuple of Place of length n_channels
        Empty if no position is known.
    """
    if "position" not in store.feature_names():
        return ()
    values = np.asarray(store.feature("position"), dtype=float)
    known = np.isfinite(values).all(axis=1)
    if not known.any():
        return ()
    # as many digits as the store's single precision has: the sizes are compared and printed
    return tuple(
        tuple(round(number, 6) for number in place) if there else None
        for place, there in zip(values.tolist(), known.tolist(), strict=True)
    )
