"""Asking models of scanpaths about test stimuli, fold by fold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.evaluation.scanpath.asking import ask_model
from neurodecode.evaluation.scanpath.density_scores import DensityScores
from neurodecode.evaluation.scanpath.options import PredictOptions, chosen
from neurodecode.evaluation.scanpath.parts import Part, joined
from neurodecode.evaluation.scanpath.questions import questions
from neurodecode.gaze.baselines import CentreBias
from neurodecode.gaze.model import ScanpathModel
from neurodecode.gaze.others import OtherViewers, best_kernel
from neurodecode.splits.pictures import picture_names
from neurodecode.splits.types import Split
from neurodecode.store.gaze_predictions import GazePrediction

__all__ = ["PredictOptions", "predict", "predict_others"]


def predict(
    method: str,
    build: Callable[[], ScanpathModel],
    data: GazeData,
    split: Split,
    options: PredictOptions,
    on_step: Callable[[], None] = lambda: None,
) -> GazePrediction:
    """Fit a model to the training side of each fold, and ask it about the test side.

    Densities are asked at the fixations that viewers made, given those before, because the grids
    of all fixations would take gigabytes; nothing is chosen by them.

    Parameters
    ----------
    method : str
        Name in the records.
    build : callable
        Makes a model that knows nothing yet.
    data : GazeData
        Viewers, pictures, objects.
    split : Split
        Of `split_pictures`.
    options : PredictOptions
        How.
    on_step : callable
        Called after each question.

    Returns
    -------
    GazePrediction
        Over all folds.
    """
    parts = []
    for number in range(len(split.folds)):
        sides = picture_names(split, number)
        train = chosen(data, sides["train"], options)
        model = build().fit(data.scanpaths.select(train), data.pictures, data.objects)
        asked = chosen(data, sides[options.side], options)
        if model.needs_pictures:
            asked &= np.isin(data.scanpaths.stimulus, list(data.pictures))
        parts.append(ask_model(model, data, np.flatnonzero(asked), train, number, options, on_step))
    return joined(method, parts, options, split.scheme)


def predict_others(
    data: GazeData,
    split: Split,
    options: PredictOptions,
    on_step: Callable[[], None] = lambda: None,
) -> GazePrediction:
    """Let the other viewers of a picture say where one looks: the ceiling, ``other_viewers``.

    Parameters
    ----------
    data, split, options, on_step
        As of `predict`.

    Returns
    -------
    GazePrediction
        The scanpaths are those of the viewers themselves; whoever compares them leaves out the
        pairs of one viewer.
    """
    parts = []
    for number in range(len(split.folds)):
        sides = picture_names(split, number)
        centre = CentreBias()
        train = data.scanpaths.select(chosen(data, sides["train"], options))
        centre.fit(train, data.pictures)
        rows = np.flatnonzero(chosen(data, sides[options.side], options))
        held = data.scanpaths.select(rows)
        learned = options.kernel == "learned"
        kernel = best_kernel(train, centre, options.cell) if learned else ()
        others = OtherViewers(held, centre, *kernel)
        scores = DensityScores(held, options.cell, options.seed)
        maps, order = {}, []
        for question, own in questions(held):
            densities = [others.log_density(row, cell=options.cell) for row in own]
            for row, density in zip(own, densities):
                scores.add(density, np.exp(density), held[row])
            maps["|".join(question)] = np.log(np.exp(densities).mean(axis=0))
            order += rows[own].tolist()
            on_step()
        parts.append(Part(held, np.array(order, np.int64), scores, maps, number))
    return joined("other_viewers", parts, options, split.scheme)
