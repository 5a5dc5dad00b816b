"""Stimuli that the report draws: what people did there, and what models say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.evaluation.scanpath.questions import Question, question_keys
from neurodecode.files import atomic_path
from neurodecode.scanpaths import Scanpaths
from neurodecode.store.gaze_predictions import GazePrediction
from neurodecode.store.hdf5 import FORMAT_VERSION, open_store
from neurodecode.store.scanpaths import get_scanpaths, put_scanpaths

__all__ = ["Example", "pick_examples", "read_examples", "write_examples"]

_LONGEST_SIDE = 480


@dataclass(frozen=True)
class Example:
    """One question with its answers.

    Parameters
    ----------
    dataset : str
        Where it is from.
    question : tuple of str
        Stimulus, task, target, caption.
    image : array of shape (height, width, 3), uint8
        The picture, at most 480 pixels wide or high.
    human : Scanpaths
        What people did, in pixels of the stimulus.
    models : mapping of str to Scanpaths
        Method -> first scanpath that it drew.
    maps : mapping of str to array of shape (rows, columns)
        Method -> log density.
    """

    dataset: str
    question: Question
    image: np.ndarray
    human: Scanpaths
    models: dict[str, Scanpaths]
    maps: dict[str, np.ndarray]


def pick_examples(
    data: GazeData, predictions: Sequence[GazePrediction], number: int
) -> list[Example]:
    """Take questions at equal distances in the order of their names, whatever the scores.

    Parameters
    ----------
    data : GazeData
        Viewers and pictures.
    predictions : sequence of GazePrediction
        All methods.
    number : int
        How many for each task of the viewers, among those with a picture.

    Returns
    -------
    list of Example
        By task.
    """
    keys = question_keys(data.scanpaths)
    shared = set.intersection(*(set(question_keys(p.scanpaths)) for p in predictions))
    known = sorted(key for key in shared if key.split("|")[0] in data.pictures)
    examples = []
    for task in sorted({key.split("|")[1] for key in known}):
        own = [key for key in known if key.split("|")[1] == task]
        places = np.unique(np.linspace(0, len(own) - 1, number).round().astype(int))
        examples += [_example(data, predictions, keys, own[place]) for place in places]
    return examples


def _example(
    data: GazeData, predictions: Sequence[GazePrediction], keys: np.ndarray, key: str
) -> Example:
    question: Question = tuple(key.split("|"))  # type: ignore[assignment]
    models, maps = {}, {}
    for each in predictions:
        own = np.flatnonzero(question_keys(each.scanpaths) == key)
        if each.method != "other_viewers":
            models[each.method] = each.scanpaths.select(own[:1])
        if key in each.maps:
            maps[each.method] = each.maps[key]
    human = data.scanpaths.select(keys == key)
    return Example(data.name, question, _small(data.pictures[question[0]]), human, models, maps)


def _small(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def write_examples(path: str | Path, examples: Sequence[Example]) -> None:
    """Write examples for the report.

    Parameters
    ----------
    path : path-like
        File to write.
    examples : sequence of Example
        What to store.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
        file.attrs.update(kind="gaze examples", format_version=FORMAT_VERSION)
        for number, example in enumerate(examples):
            group = file.create_group(f"{number:04d}")
            group.attrs.update(dataset=example.dataset, question=json.dumps(example.question))
            group["image"] = example.image
            put_scanpaths(group.create_group("human"), example.human)
            for name, scanpaths in example.models.items():
                put_scanpaths(group.create_group(f"models/{name}"), scanpaths)
            for name, values in example.maps.items():
                group[f"maps/{name}"] = values


def read_examples(path: str | Path) -> list[Example]:
    """Read examples.

    Parameters
    ----------
    path : path-like
        File written by `write_examples`.

    Returns
    -------
    list of Example
        All of them.

    Raises
    ------
    DataError
        If the file is missing or is something else.
    """
    with open_store(path, "gaze examples") as file:
        return [
            Example(
                str(group.attrs["dataset"]),
                tuple(json.loads(group.attrs["question"])),
                group["image"][...],
                get_scanpaths(group["human"]),
                {name: get_scanpaths(item) for name, item in group.get("models", {}).items()},
                {name: item[...] for name, item in group.get("maps", {}).items()},
            )
            for _, group in sorted(file.items())
        ]
