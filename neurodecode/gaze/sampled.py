"""Models that draw each fixation from their density."""

from __future__ import annotations

from typing import Self

import numpy as np

from neurodecode.gaze.grid import cell_areas
from neurodecode.gaze.model import Pictures, ScanpathModel
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["SampledModel", "draw_position", "image_size", "sample_names"]


def image_size(image: np.ndarray) -> tuple[int, int]:
    """Width and height of an image.

    Parameters
    ----------
    image : array of shape (height, width, ...)
        Any.

    Returns
    -------
    tuple of int
        Width, height.
    """
    return int(image.shape[1]), int(image.shape[0])


def sample_names(n_samples: int) -> list[str]:
    """Name the viewers of drawn scanpaths.

    Parameters
    ----------
    n_samples : int
        How many.

    Returns
    -------
    list of str
        ``sample-0``, ...
    """
    return [f"sample-{number}" for number in range(n_samples)]


def draw_position(
    rng: np.random.Generator, log_density: np.ndarray, size: tuple[int, int], cell: int
) -> tuple[float, float]:
    """Draw a position: a cell by its probability, then anywhere in it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    log_density : array of shape (rows, columns)
        Natural log of the density per square pixel.
    size : tuple of int
        Width and height in pixels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    tuple of float
        x and y, inside the image.
    """
    mass = (np.exp(log_density) * cell_areas(size, cell)).ravel()
    chosen = int(np.searchsorted(np.cumsum(mass), rng.random() * mass.sum(), side="right"))
    row, column = divmod(min(chosen, mass.size - 1), log_density.shape[1])
    left, top = column * cell, row * cell
    right, bottom = min(left + cell, size[0]), min(top + cell, size[1])
    return float(rng.uniform(left, right)), float(rng.uniform(top, bottom))


class SampledModel(ScanpathModel):
    """Draws fixation after fixation from `log_density`, and durations from those of training.

    Parameters
    ----------
    grid : int
        Cells along the longer side of the image when drawing.
    """

    has_density = True

    def __init__(self, grid: int = 64) -> None:
        self.grid = grid
        self.durations = np.full(1, np.nan)

    def fit(
        self, scanpaths: Scanpaths, pictures: Pictures, objects: dict[str, Objects] | None = None
    ) -> Self:
        """Remember how long training viewers fixate.

        Parameters
        ----------
        scanpaths : Scanpaths
            Of training stimuli.
        pictures, objects
            Not used here.

        Returns
        -------
        SampledModel
            Itself.
        """
        known = scanpaths.duration[np.isfinite(scanpaths.duration)]
        if known.size:
            self.durations = known
        return self

    def predict(
        self,
        image: np.ndarray,
        *,
        objects: Objects | None = None,
        target: str | None = None,
        caption: str | None = None,
        n_fixations: int,
        n_samples: int = 1,
        seed: int = 0,
    ) -> Scanpaths:
        """See `ScanpathModel.predict`.

        Parameters
        ----------
        image, objects, target, caption, n_fixations, n_samples, seed
            As there.

        Returns
        -------
        Scanpaths
            `n_samples` of `n_fixations` each.
        """
        rng = np.random.default_rng(seed)
        size = image_size(image)
        cell = max(-(-max(size) // self.grid), 1)
        given = {"cell": cell, "objects": objects, "target": target, "caption": caption}
        drawn = []
        for name in sample_names(n_samples):
            path = np.empty((n_fixations, 3))
            path[:, 2] = rng.choice(self.durations, n_fixations)
            for step in range(n_fixations):
                density = self.log_density(image, path[:step], **given)
                path[step, :2] = draw_position(rng, density, size, cell)
            drawn.append(
                Scanpath(*path.T, name, target=target or "", caption=caption or "", size=size)
            )
        return Scanpaths.from_list(drawn)
