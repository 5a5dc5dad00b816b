"""Refusing a split in which anything of the test set, or of validation, is in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from neurodecode.errors import DataError, LeakError
from neurodecode.recording import StimulusSet
from neurodecode.splits.duplicates import near_duplicates
from neurodecode.splits.types import Fold, Split, Trials

__all__ = ["check", "check_windows"]


def check(
    split: Split,
    subjects: Mapping[str, Trials] | None = None,
    stimuli: StimulusSet | None = None,
) -> None:
    """Refuse a split that leaks or that does not fit the data.

    Parameters
    ----------
    split : Split
        What to check.
    subjects : mapping of str to Trials, optional
        Recordings or stores; each of their trials must be on exactly one side.
    stimuli : StimulusSet, optional
        If given, pictures that look the same (`near_duplicates`) must be on one side, also
        those that nobody listed in ``split.duplicates``.

    Raises
    ------
    LeakError
        If a stimulus or a run is on two sides, or look-alikes or the stimuli of a group are on
        different sides.
    DataError
        If a fold has no training or no test part, or a trial belongs to no side.
    """
    duplicates = list(split.duplicates)
    if stimuli is not None and split.unit == "stimulus":
        duplicates += near_duplicates(stimuli.ids, stimuli.images)
    for number, fold in enumerate(split.folds):
        _check_disjoint(fold, number, split.unit)
        _check_together(fold, number, duplicates, "the same picture is")
        _check_together(fold, number, split.groups, "stimuli of one category are")
    for trials in (subjects or {}).values():
        for number in range(len(split.folds)):
            split.trials(number, trials)


def _check_disjoint(fold: Fold, number: int, unit: str) -> None:
    if not fold.train or not fold.test:
        raise DataError(f"fold {number} has no {'test' if fold.train else 'train'} part")
    for (one, first), (other, second) in combinations(fold.sides().items(), 2):
        common = sorted(set(first).intersection(second))
        if common:
            raise LeakError(
                f"fold {number}: {len(common)} {unit} keys are in both {one} and {other},"
                f" first: {common[0]}; make the split again with `neurodecode prepare`"
            )


def _check_together(fold: Fold, number: int, groups: Sequence[Sequence[str]], what: str) -> None:
    side_of = {key: side for side, keys in fold.sides().items() for key in keys}
    for group in groups:
        sides = {side_of[stimulus]: stimulus for stimulus in group if stimulus in side_of}
        if len(sides) > 1:
            where = ", ".join(f"{stimulus} in {side}" for side, stimulus in sorted(sides.items()))
            raise LeakError(
                f"fold {number}: {what} on two sides: {where};"
                " make the split again with `neurodecode prepare`"
            )


def check_windows(
    train: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray], *, margin: float = 0.0
) -> None:
    """Refuse windows of one recording that overlap across sides.

    Parameters
    ----------
    train, test : mapping of str to array of shape (n_windows, 2)
        For each recording the start and the stop of its windows, in one unit (samples or
        seconds). The stop is not part of the window.
    margin : float
        How far apart windows of the two sides must be at least, in the same unit.

    Raises
    ------
    LeakError
        If a test window overlaps a training window or is closer to it than the margin.
    DataError
        If a window stops before it starts.
    """
    for recording in sorted(set(train) & set(test)):
        sides = [np.asarray(side[recording], dtype=float).reshape(-1, 2) for side in (train, test)]
        if any((side[:, 1] <= side[:, 0]).any() for side in sides):
            raise DataError("a window stops before it starts", field=recording)
        learned, held_out = sides
        near = (held_out[:, None, 0] < learned[None, :, 1] + margin) & (
            learned[None, :, 0] < held_out[:, None, 1] + margin
        )
        if near.any():
            row, column = np.argwhere(near)[0]
            raise LeakError(
                f"recording {recording}: test window {tuple(held_out[row].tolist())} overlaps"
                f" training window {tuple(learned[column].tolist())} (margin {margin:g});"
                " split by blocks of time"
            )
