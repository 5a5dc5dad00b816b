"""Asking models of scanpaths about test stimuli, fold by fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.errors import ConfigError
from neurodecode.evaluation.scanpath.density_scores import (
    FIXATION_SCORES,
    MAP_SCORES,
    DensityScores,
)
from neurodecode.evaluation.scanpath.questions import Question, questions
from neurodecode.gaze.baselines import CentreBias
from neurodecode.gaze.model import ScanpathModel
from neurodecode.gaze.others import OtherViewers, best_kernel
from neurodecode.scanpaths import Scanpath, Scanpaths
from neurodecode.splits.pictures import picture_names
from neurodecode.splits.types import Split
from neurodecode.store.gaze_predictions import GazePrediction

__all__ = ["PredictOptions", "predict", "predict_others"]


@dataclass(frozen=True)
class PredictOptions:
    """How models are asked.

    Parameters
    ----------
    tasks : tuple of str
        Tasks of the data set that count; all of them if empty.
    n_samples : int
        Scanpaths drawn for each question.
    cell : int
        Side in pixels of the cells on which densities are compared.
    side : {"test", "validation"}
        Which stimuli are asked about.
    longest : int or None
        Fixations at most; by default as many as training viewers make.
    kernel : {"published", "learned"}
        Of ``other_viewers``: that of OSIE's protocol, or the likeliest on the training side.
    seed : int
        Of everything that is drawn.
    """

    tasks: tuple[str, ...] = ()
    n_samples: int = 5
    cell: int = 16
    side: str = "test"
    longest: int | None = None
    seed: int = 0
    kernel: str = "published"


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
        parts.append(_ask(model, data, np.flatnonzero(asked), train, number, options, on_step))
    return _joined(method, parts, options, split.scheme)


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
        parts.append(_Part(held, np.array(order, np.int64), scores, maps, number))
    return _joined("other_viewers", parts, options, split.scheme)


def chosen(data: GazeData, names: list[str], options: PredictOptions) -> np.ndarray:
    """Which scanpaths are of some stimuli and of a task that counts.

    Parameters
    ----------
    data : GazeData
        Viewers.
    names : list of str
        Stimuli.
    options : PredictOptions
        Tasks.

    Returns
    -------
    array of bool of shape (n_scanpaths,)
        Mask.

    Raises
    ------
    ConfigError
        If the data set has no such task.
    """
    mask = np.isin(data.scanpaths.stimulus, names)
    if options.tasks:
        known = sorted(set(data.scanpaths.task.tolist()))
        unknown = sorted(set(options.tasks) - set(known))
        if unknown:
            raise ConfigError(f"{data.name} has no task {unknown[0]}; it has {', '.join(known)}")
        mask &= np.isin(data.scanpaths.task, list(options.tasks))
    return mask


@dataclass(frozen=True)
class _Part:
    """What was found out about the stimuli of one fold."""

    drawn: Scanpaths
    human: np.ndarray
    scores: DensityScores
    maps: dict[str, np.ndarray]
    fold: int


def _ask(
    model: ScanpathModel,
    data: GazeData,
    rows: np.ndarray,
    train: np.ndarray,
    number: int,
    options: PredictOptions,
    on_step: Callable[[], None],
) -> _Part:
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
    return _Part(Scanpaths.from_list(drawn), np.array(order, np.int64), scores, maps, number)


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


def _joined(
    method: str, parts: list[_Part], options: PredictOptions, scheme: str
) -> GazePrediction:
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
