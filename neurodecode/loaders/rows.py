"""Which trials make up one row of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = [
    "BatchPlan", "Row", "SubjectRows", "SyntheticRow", "group_by_stimulus", "repeat_groups",
]  # fmt: skip


class Row(NamedTuple):
    """One row of a batch: trials of one stimulus that are averaged.

    Parameters
    ----------
    subject : int
        Number of the subject in the data set.
    trials : tuple of int
        Trial numbers in the subject's store.
    """

    subject: int
    trials: tuple[int, ...]


class SyntheticRow(NamedTuple):
    """One row of a batch: what an encoder predicts for a picture, with fresh noise.

    Parameters
    ----------
    subject : int
        Number of the subject in the data set.
    picture : int
        Row of the subject's synthetic responses.
    seed : int
        Of the noise.
    """

    subject: int
    picture: int
    seed: int


class BatchPlan(NamedTuple):
    """What one training batch is made of.

    Parameters
    ----------
    rows : list of Row
        Measured trials.
    synthetic : list of SyntheticRow
        Predicted ones.
    negatives : list of int
        Rows of the target bank to contrast against; those of the batch itself are left out.
    """

    rows: list[Row]
    synthetic: list[SyntheticRow]
    negatives: list[int]


@dataclass(frozen=True)
class SubjectRows:
    """Trials of one subject on one side of a fold, stimulus by stimulus.

    Parameters
    ----------
    stimulus : tuple of str of length n_stimuli
        Stimulus ids, sorted, each once.
    trials : tuple of tuple of int of length n_stimuli
        Trial numbers of each stimulus, increasing.
    """

    stimulus: tuple[str, ...]
    trials: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.stimulus)


def group_by_stimulus(
    trials: Sequence[int] | np.ndarray, stimulus_id: Sequence[str] | np.ndarray
) -> SubjectRows:
    """Collect the repeats of each stimulus.

    Parameters
    ----------
    trials : sequence of int of length n
        Trial numbers.
    stimulus_id : sequence of str of length n_trials
        Stimulus of every trial of the store.

    Returns
    -------
    SubjectRows
        Stimuli in sorted order with their trials.
    """
    repeats: dict[str, list[int]] = {}
    for trial in sorted(int(number) for number in trials):
        repeats.setdefault(str(stimulus_id[trial]), []).append(trial)
    names = tuple(sorted(repeats))
    return SubjectRows(names, tuple(tuple(repeats[name]) for name in names))


def repeat_groups(trials: tuple[int, ...], repeats: int | None) -> list[tuple[int, ...]]:
    """Divide the repeats of one stimulus into groups that are averaged.

    Parameters
    ----------
    trials : tuple of int
        Trials of the stimulus.
    repeats : int or None
        How many make a group; None for all of them, and so if there are fewer.

    Returns
    -------
    list of tuple of int
        Disjoint groups of equal size, in the order of recording; what is left over is in none.
    """
    if repeats is None or repeats >= len(trials):
        return [trials]
    starts = range(0, len(trials) - repeats + 1, repeats)
    return [trials[start : start + repeats] for start in starts]
