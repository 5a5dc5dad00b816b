"""What a recording adds to a model of gaze: which object was fixated, with EEG and without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.errors import DataError
from neurodecode.evaluation.scanpath.records import About, interval
from neurodecode.gaze.grid import cell_areas, cell_of
from neurodecode.gaze.model import ScanpathModel
from neurodecode.gaze.object_sequences import nearest_objects
from neurodecode.gaze.recorded import Recorded, SaccadeDecoder
from neurodecode.metrics.records import MetricRecord
from neurodecode.scanpaths import Objects, Scanpath

__all__ = ["recorded_records"]

_CELL, _FLOOR = 4, 1e-12


def recorded_records(
    data: GazeData,
    recordings: Sequence[Recorded],
    model: ScanpathModel,
    names: tuple[str, str],
    sides: dict[str, list[str]],
    about: About,
) -> list[MetricRecord]:
    """Say which object was fixated, from a model, from the recording, and from both.

    Parameters
    ----------
    data : GazeData
        Pictures and objects.
    recordings : sequence of Recorded
        Each viewer has a decoder of their own, fitted to training stimuli.
    model : ScanpathModel
        Fitted to training stimuli, with a density: what is known without a recording.
    names : tuple of str
        Of the model, and of the side that is asked about (``test`` or ``validation``).
    sides : dict of str to list of str
        Stimuli of each side.
    about : About
        What the records share.

    Returns
    -------
    list of MetricRecord
        ``accuracy`` of the model, of ``eeg`` and of both; ``information_gain_bits`` of
        both over the model alone: what the recording adds to a fixation.
    """
    prior_name, side = names
    nats, correct, owner = [], [], []
    for viewer in recordings:
        train = viewer.select(np.isin(viewer.stimulus, sides["train"]))
        asked = viewer.select(np.isin(viewer.stimulus, sides[side]))
        if not len(train.number) or not len(asked.number):
            raise DataError(f"viewer {viewer.viewer} has no fixations on a side of the split",
                            field="stimulus", fix="give the split of these viewers")  # fmt: skip
        decoder = SaccadeDecoder()
        decoder.fit(train.epochs, train.xy - _starts(train, data), train.stimulus.tolist())
        at = _starts(asked, data)
        objects = [data.objects[name] for name in asked.stimulus.tolist()]
        chosen = [_nearest(xy, here) for xy, here in zip(asked.xy, objects)]
        ways = [here.centres - start for here, start in zip(objects, at)]
        prior = _priors(model, asked, data)
        seen = [_normal(each) for each in decoder.log_likelihood(asked.epochs, ways)]
        both = [_normal(p + s) for p, s in zip(prior, seen)]
        for name, own in zip(asked.stimulus.tolist(), zip(prior, seen, both, chosen)):
            *guesses, true = own
            nats.append([guess[true] for guess in guesses])
            correct.append([_credit(guess, true) for guess in guesses])
            owner.append(name)
    scores, hits = np.array(nats), np.array(correct)
    gained = (scores[:, 2] - scores[:, 0]) / np.log(2)
    joint = f"{prior_name}_eeg"
    records = [
        _record(about, method, "accuracy", hits[:, k], owner)
        for k, method in enumerate((prior_name, "eeg", joint))
    ]
    return [*records, _record(about, joint, "information_gain_bits", gained, owner, prior_name)]


def _starts(viewer: Recorded, data: GazeData) -> np.ndarray:
    middle = np.array([data.scanpaths.size[name] for name in viewer.stimulus.tolist()]) / 2
    return np.where(np.isnan(viewer.before), middle, viewer.before)


def _nearest(xy: np.ndarray, objects: Objects) -> int:
    return int(nearest_objects(Scanpath(xy[:1], xy[1:], np.array([np.nan])), objects)[0])


def _normal(log_weight: np.ndarray) -> np.ndarray:
    return log_weight - np.logaddexp.reduce(log_weight)


def _credit(guess: np.ndarray, true: int) -> float:
    """1 if the true object is the likeliest, shared among ties."""
    best = np.isclose(guess, guess.max())
    return float(best[true]) / best.sum()


def _priors(model: ScanpathModel, asked: Recorded, data: GazeData) -> list[np.ndarray]:
    """Log probability of each object: the model's mass in its box, before each fixation."""
    found = []
    for row in range(len(asked.number)):
        first = row - int(asked.number[row])
        image = data.pictures[str(asked.stimulus[row])]
        seen = np.column_stack([asked.xy[first:row], np.full(row - first, np.nan)])
        given = {"objects": data.objects[str(asked.stimulus[row])],
                 "target": str(asked.target[row])}  # fmt: skip
        density = np.exp(model.log_density(image, seen, cell=_CELL, **given))
        size = image.shape[1], image.shape[0]
        mass = density * cell_areas(size, _CELL)
        found.append(_normal(np.log(_boxes(mass, given["objects"], size) + _FLOOR)))
    return found


def _boxes(mass: np.ndarray, objects: Objects, size: tuple[int, int]) -> np.ndarray:
    low, high = objects.boxes[:, :2], objects.boxes[:, :2] + objects.boxes[:, 2:] - 1e-3
    top, left = cell_of(*low.T, size, _CELL)
    bottom, right = cell_of(*high.T, size, _CELL)
    return np.array([mass[a : b + 1, c : d + 1].sum()
                     for a, b, c, d in zip(top, bottom, left, right)])  # fmt: skip


def _record(
    about: About,
    method: str,
    metric: str,
    values: np.ndarray,
    owner: list[str],
    reference: str = "",
) -> MetricRecord:
    """Mean over fixations, interval over stimuli."""
    _, number = np.unique(owner, return_inverse=True)
    total, count = np.bincount(number, values), np.bincount(number)
    numbers = interval(lambda rows: total[rows].sum(-1) / count[rows].sum(-1), len(total))
    return about.record(method, metric, (float(values.mean()), *numbers), len(total),
                        viewing="search_present", reference=reference)  # fmt: skip
