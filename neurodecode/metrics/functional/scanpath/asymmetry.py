"""Search asymmetry: finding A among B is not as hard as finding B among A."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["asymmetry_index", "search_slope"]


def search_slope(set_size: np.ndarray, time: np.ndarray) -> float:
    """Least-squares slope of search time (or number of fixations) on the number of items.

    Parameters
    ----------
    set_size, time : array of shape (n,)
        Items, and milliseconds or fixations.

    Returns
    -------
    float
        Per item.
    """
    return float(np.polyfit(np.asarray(set_size, np.float64), np.asarray(time, np.float64), 1)[0])


def asymmetry_index(
    slopes: np.ndarray, pairs: Sequence[tuple[int, int]], human: np.ndarray
) -> np.ndarray:
    """How much steeper search is in what is the harder condition for people.

    Gupta et al. 2021 (NeurIPS): (H - E) / (H + E), where negative slopes count as 0.

    Parameters
    ----------
    slopes : array of shape (n_conditions,)
        Of a model, or of people.
    pairs : sequence of tuple of int
        Conditions that exchange target and distractors.
    human : array of shape (n_conditions,)
        People's slopes; they say which condition of a pair is the harder one.

    Returns
    -------
    array of shape (n_pairs,)
        Above 0 if the model is asymmetric in the same direction; 0 if both slopes are 0.
    """
    slopes, human = np.maximum(slopes, 0).astype(np.float64), np.asarray(human, np.float64)
    result = []
    for first, second in pairs:
        hard, easy = (first, second) if human[first] >= human[second] else (second, first)
        total = slopes[hard] + slopes[easy]
        result.append((slopes[hard] - slopes[easy]) / total if total > 0 else 0.0)
    return np.array(result)
