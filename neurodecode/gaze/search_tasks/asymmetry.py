"""Slopes of a searcher in the six tasks, and the asymmetry index with its interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from neurodecode.gaze.search_tasks.arrays import Display
from neurodecode.gaze.search_tasks.tasks import SearchTask
from neurodecode.metrics.functional.scanpath.asymmetry import asymmetry_index, search_slope
from neurodecode.nn.scanpath.visual_search import VisualSearch

__all__ = ["Asymmetry", "measure_asymmetry"]


@dataclass(frozen=True)
class Asymmetry:
    """What a searcher did in one task.

    Parameters
    ----------
    index : float
        ``(hard - easy) / (hard + easy)`` of the slopes, negative slopes counting as 0; above 0
        where the searcher finds hard what people do.
    low, high : float
        95 % bootstrap interval over displays.
    hard, easy : float
        Slopes in fixations an item.
    """

    index: float
    low: float
    high: float
    hard: float
    easy: float


def measure_asymmetry(
    search: VisualSearch,
    task: SearchTask,
    *,
    ppd: float,
    n_displays: int = 20,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> Asymmetry:
    """Let a model search, and compare slopes.

    Parameters
    ----------
    search : VisualSearch
        The searcher; takes three equal channels from -1 to 1. What lies beyond a display has
        the display's background.
    task : SearchTask
        One of `SEARCH_TASKS`.
    ppd : float
        Pixels per degree.
    n_displays : int
        Displays of each condition and set size.
    n_bootstrap : int
        Resamples.
    seed : int
        Of the displays and of the resamples.

    Returns
    -------
    Asymmetry
        Slopes and index.
    """
    rng = np.random.default_rng(seed)
    search = replace(search, background=task.background / 127.5 - 1)
    counts = {}
    for name in ("hard", "easy"):
        condition = getattr(task, name)
        counts[name] = [
            _fixations(search, [task.display(condition, n, rng, ppd) for _ in range(n_displays)])
            for n in task.set_sizes
        ]
    slopes = {name: _slope(task, each) for name, each in counts.items()}
    drawn = [
        _index(*(_slope(task, [rng.choice(c, len(c)) for c in counts[k]]) for k in counts))
        for _ in range(n_bootstrap)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Asymmetry(_index(slopes["hard"], slopes["easy"]), float(low), float(high), **slopes)


def _fixations(search: VisualSearch, displays: list[Display]) -> np.ndarray:
    """Fixations until the target; as many as there are items where it is not found."""
    images, targets = (
        torch.stack([_three(getattr(each, name)) for each in displays])
        for name in ("image", "target")
    )
    boxes = torch.tensor([each.box for each in displays], dtype=torch.float32)
    n_items = displays[0].n_items
    return search(images, targets, boxes, n_items).n_fixations.numpy().astype(float)


def _three(grey: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(grey.copy()).float() / 127.5 - 1).expand(3, -1, -1)


def _slope(task: SearchTask, counts: list[np.ndarray]) -> float:
    sizes = np.repeat(task.set_sizes, [len(each) for each in counts])
    return float(search_slope(sizes.astype(float), np.concatenate(counts)))


def _index(hard: float, easy: float) -> float:
    slopes = np.array([hard, easy])
    return float(asymmetry_index(slopes, [(0, 1)], human=np.array([1.0, 0.0]))[0])
