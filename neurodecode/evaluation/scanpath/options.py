"""How models of scanpaths are asked, and whose scanpaths count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.errors import ConfigError

__all__ = ["PredictOptions", "chosen"]


@dataclass(frozen=True)
class PredictOptions:
    """How models are asked.

    Parameters
    ----------
    tasks : tuple of str
        Tasks of the data set that count; all of them if empty.
    n_samples : int
        Scanpaths drawn for each question.
    cell : int
        Side in pixels of the cells on which densities are compared.
    side : {"test", "validation"}
        Which stimuli are asked about.
    longest : int or None
        Fixations at most; by default as many as training viewers make.
    kernel : {"published", "learned"}
        Of ``other_viewers``: that of OSIE's protocol, or the likeliest on the training side.
    seed : int
        Of everything that is drawn.
    """

    tasks: tuple[str, ...] = ()
    n_samples: int = 5
    cell: int = 16
    side: str = "test"
    longest: int | None = None
    seed: int = 0
    kernel: str = "published"


def chosen(data: GazeData, names: list[str], options: PredictOptions) -> np.ndarray:
    """Which scanpaths are of some stimuli and of a task that counts.

    Parameters
    ----------
    data : GazeData
        Viewers.
    names : list of str
        Stimuli.
    options : PredictOptions
        Tasks.

    Returns
    -------
    array of bool of shape (n_scanpaths,)
        Mask.

    Raises
    ------
    ConfigError
        If the data set has no such task.
    """
    mask = np.isin(data.scanpaths.stimulus, names)
    if options.tasks:
        known = sorted(set(data.scanpaths.task.tolist()))
        unknown = sorted(set(options.tasks) - set(known))
        if unknown:
            raise ConfigError(f"{data.name} has no task {unknown[0]}; it has {', '.join(known)}")
        mask &= np.isin(data.scanpaths.task, list(options.tasks))
    return mask
