"""Asking one model about the test stimuli of one fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.evaluation.scanpath.density_scores import DensityScores
from neurodecode.evaluation.scanpath.options import PredictOptions
from neurodecode.evaluation.scanpath.parts import Part
from neurodecode.evaluation.scanpath.questions import Question, questions
from neurodecode.gaze.model import ScanpathModel
from neurodecode.scanpaths import Scanpath, Scanpaths

__all__ = ["ask_model"]


def ask_model(
    model: ScanpathModel,
    data: GazeData,
    rows: np.ndarray,
    train: np.ndarray,
    number: int,
    options: PredictOptions,
    on_step: Callable[[], None],
) -> Part:
    """Draw scanpaths, and ask the density at the fixations of viewers.

    Parameters
    ----------
    model : ScanpathModel
        Fitted.
    data : GazeData
        Viewers, pictures, objects.
    rows : array of int
        Scanpaths of the viewers that are asked about.
    train : array of bool of shape (n_scanpaths,)
        Those whose lengths the model's scanpaths have.
    number : int
        Of the fold.
    options : PredictOptions
        How.
    on_step : callable
        Called after each question.

    Returns
    -------
    Part
        Of this fold.
    """
    held = data.scanpaths.select(rows)
    lengths = data.scanpaths.n_fixations[train]
    if options.longest is not None:
        lengths = np.minimum(lengths, options.longest)
    tasks = data.scanpaths.task[train]
    rng = np.random.default_rng([options.seed, number])
    drawn, order = [], []
    scores = DensityScores(held, options.cell, options.seed)
    maps = {}
    for question, own in questions(held):
        stimulus, task, target, caption = question
        image = _picture(data, stimulus)
        usual = lengths[tasks == task] if (tasks == task).any() else lengths
        given: dict[str, Any] = {
            "objects": data.objects.get(stimulus),
            "target": target or None,
            "caption": caption or None,
        }
        paths = _draw(model, image, question, given, usual, rng, options)
        drawn += paths
        if model.has_density:

            def ask(path: Scanpath, image=image, given=given) -> np.ndarray:
                """Densities along a scanpath."""
                return model.log_densities(image, path.xyt, cell=options.cell, **given)

            # averaged over what the model itself would look at
            marginal = np.mean([np.exp(ask(path)).mean(axis=0) for path in paths], axis=0)
            maps["|".join(question)] = np.log(marginal)
            for row in own:
                order.append(rows[row])
                scores.add(ask(held[row]), marginal, held[row])
        on_step()
    return Part(Scanpaths.from_list(drawn), np.array(order, np.int64), scores, maps, number)


def _picture(data: GazeData, stimulus: str) -> np.ndarray:
    """The picture, or black of its size for models that do not look at it."""
    if stimulus in data.pictures:
        return data.pictures[stimulus]
    width, height = data.scanpaths.size[stimulus]
    return np.zeros((height, width, 3), np.uint8)


def _draw(
    model: ScanpathModel,
    image: np.ndarray,
    question: Question,
    given: dict[str, Any],
    lengths: np.ndarray,
    rng: np.random.Generator,
    options: PredictOptions,
) -> list[Scanpath]:
    """As long as training viewers' scanpaths, unless the model stops by itself."""
    stimulus, task, target, caption = question
    own = rng.choice(lengths, options.n_samples)
    longest = int(lengths.max() if model.stops else own.max())
    paths = model.predict(
        image,
        **given,
        n_fixations=longest,
        n_samples=options.n_samples,
        seed=int(rng.integers(2**31)),
    )
    return [
        replace(
            path,
            x=path.x[: longest if model.stops else n],
            y=path.y[: longest if model.stops else n],
            duration=path.duration[: longest if model.stops else n],
            stimulus=stimulus,
            task=task,
            target=target,
            caption=caption,
            size=(image.shape[1], image.shape[0]),
        )
        for path, n in zip(paths, own)
    ]
