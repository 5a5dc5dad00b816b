"""One scanpath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["LABELS", "Scanpath"]

#: What is known of each scanpath, one string each, "" where it is unknown or does not apply.
LABELS = ("viewer", "stimulus", "task", "target", "caption")


@dataclass(frozen=True)
class Scanpath:
    """One viewer's fixations on one stimulus.

    Parameters
    ----------
    x, y : array of shape (n_fixations,)
        Pixels of the stimulus, x to the right, y down, from the corner of the top left pixel.
    duration : array of shape (n_fixations,)
        Milliseconds, NaN where unknown.
    viewer, stimulus, task, target, caption : str
        Who looked at what, what for, in search of what, with which words.
    size : tuple of int
        Width and height of the stimulus in pixels.
    """

    x: np.ndarray
    y: np.ndarray
    duration: np.ndarray
    viewer: str = ""
    stimulus: str = ""
    task: str = ""
    target: str = ""
    caption: str = ""
    size: tuple[int, int] = (0, 0)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def xy(self) -> np.ndarray:
        """Positions, (n_fixations, 2)."""
        return np.stack([self.x, self.y], axis=1)

    @property
    def xyt(self) -> np.ndarray:
        """Positions and durations in ms, (n_fixations, 3): the history that models take."""
        return np.stack([self.x, self.y, self.duration], axis=1)
