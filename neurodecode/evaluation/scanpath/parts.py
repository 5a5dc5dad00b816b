"""What was found out about the stimuli of one fold, and all folds together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.evaluation.scanpath.density_scores import (
    FIXATION_SCORES,
    MAP_SCORES,
    DensityScores,
)
from neurodecode.evaluation.scanpath.options import PredictOptions
from neurodecode.scanpaths import Scanpaths
from neurodecode.store.gaze_predictions import GazePrediction

__all__ = ["Part", "joined"]


@dataclass(frozen=True)
class Part:
    """What was found out about the stimuli of one fold.

    Parameters
    ----------
    drawn : Scanpaths
        Of the model.
    human : array of int of shape (n,)
        Rows of the viewers' scanpaths that were scored, in the order of `scores`.
    scores : DensityScores
        Theirs.
    maps : dict of str to array of shape (rows, columns)
        Question -> log density averaged over fixations.
    fold : int
        Which.
    """

    drawn: Scanpaths
    human: np.ndarray
    scores: DensityScores
    maps: dict[str, np.ndarray]
    fold: int


def joined(
    method: str, parts: Sequence[Part], options: PredictOptions, scheme: str
) -> GazePrediction:
    """Put folds together.

    Parameters
    ----------
    method : str
        Name in the records.
    parts : sequence of Part
        Of all folds.
    options : PredictOptions
        How they were asked, for the attributes.
    scheme : str
        Of the split.

    Returns
    -------
    GazePrediction
        All of them.
    """
    human = np.concatenate([part.human for part in parts])
    fixations = {
        name: np.concatenate([v for part in parts for v in part.scores.fixations[name]])
        for name in FIXATION_SCORES
        if human.size
    }
    of_maps = {
        name: np.array([v for part in parts for v in part.scores.of_maps[name]])
        for name in MAP_SCORES
        if human.size
    }
    return GazePrediction(
        method=method,
        scanpaths=Scanpaths.concatenate([part.drawn for part in parts]),
        fold=np.repeat([part.fold for part in parts], [len(part.drawn) for part in parts]),
        human=human,
        fixations=fixations,
        of_maps=of_maps,
        maps={name: values for part in parts for name, values in part.maps.items()},
        attrs={
            "cell": options.cell,
            "seed": options.seed,
            "side": options.side,
            "n_samples": options.n_samples,
            "tasks": list(options.tasks),
            "scheme": scheme,
        },
    )
