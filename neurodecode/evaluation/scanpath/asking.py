"""Asking one model about the test stimuli of one fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.evaluation.scanpath.density_scores import DensityScores
from neurodecode.evaluation.scanpath.options import PredictOptions
from neurodecode.evaluation.scanpath.parts import Part
from neurodecode.evaluation.scanpath.questions import Question, questions
from neurodecode.gaze.model import Asked, ScanpathModel
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
    jobs = [
        _Job(question, own, *_lengths(lengths, tasks == question[1], rng, model, options))
        for question, own in questions(held)
    ]
    drawn, order = [], []
    scores = DensityScores(held, options.cell, options.seed)
    maps = {}
    for first in range(0, len(jobs), model.together):
        some = jobs[first : first + model.together]
        asked = [job.asked(data, options.n_samples) for job in some]
        for job, ask, found in zip(some, asked, model.predict_all(asked)):
            paths = job.labelled(found)
            drawn += paths
            if model.has_density:
                say = partial(_densities, model, ask, options.cell)
                # averaged over what the model itself would look at
                marginal = np.mean([np.exp(say(path)).mean(axis=0) for path in paths], axis=0)
                maps["|".join(job.question)] = np.log(marginal)
                for row in job.rows:
                    order.append(rows[row])
                    scores.add(say(held[row]), marginal, held[row])
            on_step()
    return Part(Scanpaths.from_list(drawn), np.array(order, np.int64), scores, maps, number)


@dataclass(frozen=True)
class _Job:
    """A question, whose viewers are known, and how long the answers are."""

    question: Question
    rows: np.ndarray
    lengths: tuple[int, ...]
    longest: int
    seed: int

    def asked(self, data: GazeData, n_samples: int) -> Asked:
        """As the model takes it."""
        stimulus, _, target, caption = self.question
        return Asked(_picture(data, stimulus), data.objects.get(stimulus), target or None,
                     caption or None, self.longest, n_samples, self.seed)  # fmt: skip

    def labelled(self, found: Scanpaths) -> list[Scanpath]:
        """Cut to length, with the question's labels."""
        names = dict(zip(("stimulus", "task", "target", "caption"), self.question, strict=True))
        return [
            replace(path, x=path.x[:n], y=path.y[:n], duration=path.duration[:n], **names)
            for path, n in zip(found, self.lengths)
        ]


def _lengths(
    lengths: np.ndarray,
    same: np.ndarray,
    rng: np.random.Generator,
    model: ScanpathModel,
    options: PredictOptions,
) -> tuple[tuple[int, ...], int, int]:
    """As long as training viewers' scanpaths of the same task, unless the model stops by itself."""
    usual = lengths[same] if same.any() else lengths
    own = rng.choice(usual, options.n_samples)
    longest = int(usual.max() if model.stops else own.max())
    cut = [longest] * len(own) if model.stops else own.tolist()
    return tuple(cut), longest, int(rng.integers(2**31))


def _densities(model: ScanpathModel, asked: Asked, cell: int, path: Scanpath) -> np.ndarray:
    """Along a scanpath."""
    given = {"objects": asked.objects, "target": asked.target, "caption": asked.caption}
    return model.log_densities(asked.image, path.xyt, cell=cell, **given)


def _picture(data: GazeData, stimulus: str) -> np.ndarray:
    """The picture, or black of its size for models that do not look at it."""
    if stimulus in data.pictures:
        return data.pictures[stimulus]
    width, height = data.scanpaths.size[stimulus]
    return np.zeros((height, width, 3), np.uint8)
