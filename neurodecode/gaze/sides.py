"""Training, validation and test pictures of gaze data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neurodecode.datasets.gaze import GazeData
from neurodecode.errors import ConfigError

__all__ = ["Sides", "divide"]

#: Every so manieth picture that is not tested is for validation.
_VALIDATION = 6


class Sides(NamedTuple):
    """Names of pictures.

    Parameters
    ----------
    train, validation, test : list of str
        No picture is on two sides.
    """

    train: list[str]
    validation: list[str]
    test: list[str]


def divide(data: GazeData, stimuli: Sequence[str], n_folds: int, fold: int) -> Sides:
    """Divide pictures.

    Where the data set itself says of each scanpath on which side its picture is, that holds.
    Otherwise pictures are put in the order of the digest of their pixels, equal pictures next to
    each other and on one side, and dealt out to the folds.

    Parameters
    ----------
    data : GazeData
        With the pictures.
    stimuli : sequence of str
        Those to be divided.
    n_folds, fold : int
        Number of folds, and the one that is tested.

    Returns
    -------
    Sides
        All of `stimuli`.

    Raises
    ------
    ConfigError
        If there is no such fold, or a side would be empty.
    """
    if "split" in data.info:
        sides = _published(data, stimuli)
    elif not 0 <= fold < n_folds:
        raise ConfigError(f"fold {fold} of {n_folds}; folds are numbered from 0")
    else:
        sides = _dealt(data, stimuli, n_folds, fold)
    empty = [name for name, side in zip(Sides._fields, sides, strict=True) if not side]
    if empty:
        raise ConfigError(f"{data.name}: no {empty[0]} pictures among {len(stimuli)}")
    return sides


def _published(data: GazeData, stimuli: Sequence[str]) -> Sides:
    side = dict(zip(data.scanpaths.stimulus.tolist(), data.info["split"], strict=True))
    names = {"train": ("train",), "validation": ("valid", "validation", "val"), "test": ("test",)}
    return Sides(*([s for s in stimuli if side.get(s) in words] for words in names.values()))


def _dealt(data: GazeData, stimuli: Sequence[str], n_folds: int, fold: int) -> Sides:
    digest = {
        name: hashlib.sha256(np.ascontiguousarray(data.pictures[name])).hexdigest()
        for name in stimuli
    }
    number = {key: i for i, key in enumerate(sorted(set(digest.values())))}
    test = [name for name in stimuli if number[digest[name]] % n_folds == fold]
    rest = sorted({number[digest[n]] for n in stimuli if number[digest[n]] % n_folds != fold})
    kept = set(rest[::_VALIDATION])
    others = [name for name in stimuli if name not in test]
    validation = [name for name in others if number[digest[name]] in kept]
    return Sides([name for name in others if name not in validation], validation, test)
