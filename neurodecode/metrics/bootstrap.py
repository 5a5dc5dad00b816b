"""Intervals by resampling stimuli.

Trials and voxels are not exchangeable with what a claim is about; other stimuli are. Subjects
who saw the same stimuli share their difficulty, so their scores are resampled together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import DataError

__all__ = ["Interval", "PerItem", "Statistic", "bootstrap_ci", "bootstrap_difference"]

#: Scores of items: (n_items,); (n_groups, n_items) of the same items; or group -> (n_items,).
PerItem = np.ndarray | Mapping[str, np.ndarray]
#: Reduces the last axis: ``statistic(values, axis=-1)``.
Statistic = Callable[..., np.ndarray]

_MAX_VALUES = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A statistic with its bootstrap interval.

    Parameters
    ----------
    value : float
        Statistic of the scores as they are.
    low, high : float or None
        Percentile interval; None where a group has a single item.
    level : float
        Coverage, e.g. .95.
    n_boot : int
        Resamples behind it.
    """

    value: float
    low: float | None
    high: float | None
    level: float
    n_boot: int


def _blocks(per_item: PerItem) -> list[np.ndarray]:
    """Arrays of shape (n_groups, n_items), each to be resampled on its own."""
    parts = per_item.values() if isinstance(per_item, Mapping) else [per_item]
    blocks = [np.atleast_2d(np.asarray(part, dtype=np.float64)) for part in parts]
    if not blocks or any(block.ndim != 2 or block.size == 0 for block in blocks):
        raise DataError("no scores to resample", field="per_item")
    n_undefined = sum(int(np.isnan(block).sum()) for block in blocks)
    if n_undefined:
        raise DataError(
            f"{n_undefined} scores are NaN",
            field="per_item",
            fix="decide what an undefined score counts, or leave those items out and say so",
        )
    return blocks


def _resampled(
    block: np.ndarray, statistic: Statistic, n_boot: int, rng: np.random.Generator
) -> np.ndarray:
    """Statistic of resampled items: (..., n_items) -> (..., n_boot), the same items throughout."""
    n_items = block.shape[-1]
    step = max(1, _MAX_VALUES // block.size)
    pieces = []
    for start in range(0, n_boot, step):
        size = (min(step, n_boot - start), n_items)
        pieces.append(statistic(block[..., rng.integers(n_items, size=size)], axis=-1))
    return np.concatenate(pieces, axis=-1)


def _interval(
    blocks: list[np.ndarray],
    contrast: Callable[[np.ndarray], np.ndarray],
    statistic: Statistic,
    n_boot: int,
    seed: int,
    level: float,
) -> Interval:
    """`contrast` turns statistics (..., n_groups, n_boot) into (n_groups, n_boot)."""
    if not 0 < level < 1 or n_boot < 1:
        raise ValueError(f"level {level} and n_boot {n_boot} make no interval")
    n_groups = sum(block.shape[-2] for block in blocks)
    streams = np.random.default_rng(seed).spawn(len(blocks))
    point, replicates = 0.0, np.zeros(n_boot)
    for block, rng in zip(blocks, streams, strict=True):
        point += float(contrast(statistic(block, axis=-1)[..., None]).sum())
        replicates += contrast(_resampled(block, statistic, n_boot, rng)).sum(axis=0)
    if min(block.shape[-1] for block in blocks) < 2:
        return Interval(point / n_groups, None, None, level, n_boot)
    low, high = np.quantile(replicates / n_groups, [(1 - level) / 2, (1 + level) / 2])
    return Interval(point / n_groups, float(low), float(high), level, n_boot)


def bootstrap_ci(
    per_item: PerItem,
    statistic: Statistic = np.mean,
    *,
    n_boot: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of a statistic over stimuli.

    Parameters
    ----------
    per_item : array of shape (n_items,) or (n_groups, n_items), or mapping of str to array
        Scores. A two-dimensional array holds subjects who saw the same stimuli in the same
        order: stimuli are resampled for all of them jointly. In a mapping, each subject has
        stimuli of its own and is resampled by itself.
    statistic : callable
        ``statistic(values, axis=-1)``; `numpy.mean`, `numpy.median`, ...
    n_boot : int
        Resamples.
    seed : int
        Of the resampling.
    level : float
        Coverage.

    Returns
    -------
    Interval
        Of the statistic, averaged over groups. It says how the mean of THESE subjects would
        vary with other stimuli, nothing about other subjects.

    Raises
    ------
    DataError
        If there are no scores, or undefined ones.

    References
    ----------
    Efron and Tibshirani 1993, chapter 13.
    """
    blocks = _blocks(per_item)
    return _interval(blocks, lambda values: values, statistic, n_boot, seed, level)


def bootstrap_difference(
    first: PerItem,
    second: PerItem,
    statistic: Statistic = np.mean,
    *,
    n_boot: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of the difference between two methods on the same stimuli.

    Parameters
    ----------
    first, second : as `per_item` of `bootstrap_ci`
        Scores of the same items in the same order; each resample takes the same items of both.
    statistic, n_boot, seed, level
        As for `bootstrap_ci`.

    Returns
    -------
    Interval
        Of ``statistic(first) - statistic(second)``, averaged over groups.

    Raises
    ------
    DataError
        If the two do not have the same groups and items.
    """
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        second = {name: second[name] for name in first if name in second}
    pairs = [_blocks(first), _blocks(second)]
    shapes = [[block.shape for block in blocks] for blocks in pairs]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"items do not pair up: {shapes[0]} and {shapes[1]}",
            field="per_item",
            fix="score both methods on the same stimuli",
        )
    blocks = [np.stack(pair) for pair in zip(*pairs, strict=True)]
    return _interval(blocks, lambda values: values[0] - values[1], statistic, n_boot, seed, level)
