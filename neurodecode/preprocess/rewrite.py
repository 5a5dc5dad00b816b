"""A store of epochs, written again with the steps that were fitted to its training trials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.preprocess.fitted import FittedSteps
from neurodecode.preprocess.recipe import Recipe
from neurodecode.recording import Recording, Source
from neurodecode.store import ResponseStore

__all__ = ["apply_to_store"]


class _Applied:
    """Slices of a store after the fitted steps."""

    def __init__(self, store: ResponseStore, steps: FittedSteps) -> None:
        self._store, self._steps = store, steps
        self.shape = store.shape

    def __getitem__(self, index: Any) -> np.ndarray:
        trials = np.arange(self.shape[0])[index]
        return self._steps.apply(self._store.read(trials), self._store.session[trials])


def apply_to_store(
    path: str | Path, trials: Sequence[int] | np.ndarray, recipe: Recipe, dtype: str = "float32"
) -> ResponseStore:
    """Fit the steps to training trials and rewrite a store with them.

    Parameters
    ----------
    path : path-like
        Store of epochs that are not scaled; replaced, complete or not at all.
    trials : sequence of int
        Training trials.
    recipe : Recipe
        What to fit.
    dtype : {"float32", "float16"}
        Type on disk.

    Returns
    -------
    ResponseStore
        The new store; ``info["preprocess"]["fitted"]`` says on how many trials it rests, and the
        statistics are features of its channels, see `FittedSteps.constants`.
    """
    store = ResponseStore(path)
    steps = FittedSteps.fit(store, trials, recipe)
    done = dict(store.info.get("preprocess", {}))
    done["fitted"] = {
        "scale": recipe.scale,
        "clamp": recipe.clamp,
        "whiten": recipe.whiten,
        "n_training_trials": len(trials),
        "sessions": sorted(steps.sessions),
    }
    recording = Recording(
        subject=store.subject,
        modality=store.modality,
        responses=_Applied(store, steps),
        stimulus_id=store.stimulus_id,
        session=store.session,
        run=store.run,
        features={name: store.feature(name) for name in store.feature_names()} | steps.constants(),
        units=steps.units or store.units,
        sfreq=store.sfreq,
        n_averaged=store.n_averaged,
        info={**store.info, "preprocess": done},
        sources=[Source(**each) for each in store.sources],
    )
    written = ResponseStore.write(path, recording, dataset=store.dataset, dtype=dtype)
    store.close()
    return written
