"""Some of the stimuli, for instance layouts that nothing was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from neurodecode.errors import ConfigError
from neurodecode.scanpaths import Scanpaths
from neurodecode.store.gaze_predictions import GazePrediction

__all__ = ["only_stimuli"]


def only_stimuli(
    prediction: GazePrediction, human: Scanpaths, patterns: Sequence[str]
) -> GazePrediction:
    """Leave out what was predicted for other stimuli.

    Parameters
    ----------
    prediction : GazePrediction
        Of one method.
    human : Scanpaths
        Of the data set that was predicted.
    patterns : sequence of str
        Shell patterns of names, such as ``array-2x4-*``.

    Returns
    -------
    GazePrediction
        Of the stimuli that fit one of them.

    Raises
    ------
    ConfigError
        If none fits.
    """
    rows = _fitting(prediction.scanpaths.stimulus, patterns)
    if not rows.any():
        raise ConfigError(f"{prediction.method} has no stimulus that fits {' '.join(patterns)}")
    kept = _fitting(human.stimulus[prediction.human], patterns)
    fixations = np.repeat(kept, human.n_fixations[prediction.human])
    return replace(
        prediction,
        scanpaths=prediction.scanpaths.select(rows),
        fold=prediction.fold[rows],
        human=prediction.human[kept],
        fixations={name: values[fixations] for name, values in prediction.fixations.items()},
        of_maps={name: values[kept] for name, values in prediction.of_maps.items()},
        maps={
            key: values for key, values in prediction.maps.items()
            if _fitting([key.split("|")[0]], patterns)[0]
        },
    )  # fmt: skip


def _fitting(names: Sequence[str] | np.ndarray, patterns: Sequence[str]) -> np.ndarray:
    return np.array([any(fnmatchcase(str(n), p) for p in patterns) for n in names], dtype=bool)
