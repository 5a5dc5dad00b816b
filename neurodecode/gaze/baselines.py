"""What a model has to beat: no knowledge, the middle of the picture, and how the eye moves."""

from __future__ import annotations

from typing import Self, Unpack

import numpy as np

from neurodecode.errors import DataError
from neurodecode.gaze.estimate import counts, smooth
from neurodecode.gaze.grid import cell_of, grid_shape, normalise
from neurodecode.gaze.model import SCANPATH_MODELS, Pictures, Viewing
from neurodecode.gaze.sampled import SampledModel, image_size
from neurodecode.scanpaths import Objects, Scanpaths

__all__ = ["CentreBias", "RandomWalk", "Uniform"]


@SCANPATH_MODELS.register("uniform")
class Uniform(SampledModel):
    """Every pixel is as likely as any other.

    Parameters
    ----------
    grid : int
        As of `SampledModel`.
    """

    needs_pictures = False

    def log_density(
        self,
        image: np.ndarray,
        history: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """See `ScanpathModel.log_density`.

        Parameters
        ----------
        image, history, cell, **about
            As there.

        Returns
        -------
        array of shape (rows, columns)
            The same everywhere.
        """
        width, height = image_size(image)
        return np.full(grid_shape((width, height), cell), -np.log(width * height))


@SCANPATH_MODELS.register("centre_bias")
class CentreBias(SampledModel):
    """Where people look whatever the picture: a kernel density of training fixations.

    Fixations are taken relative to width and height, so that pictures may differ in size.

    Parameters
    ----------
    sigma : float
        Deviation of the kernel as a share of the longer side (.03 is 24 of 800 pixels).
    grid : int
        As of `SampledModel`.
    """

    needs_pictures = False

    def __init__(self, sigma: float = 0.03, grid: int = 64) -> None:
        super().__init__(grid)
        self.sigma = sigma
        self._relative: np.ndarray | None = None
        self._known: dict[tuple, np.ndarray] = {}

    def fit(
        self, scanpaths: Scanpaths, pictures: Pictures, objects: dict[str, Objects] | None = None
    ) -> Self:
        """Learn from training viewers.

        Parameters
        ----------
        scanpaths : Scanpaths
            Of training stimuli. Fixations off the image are not used.
        pictures, objects
            Not used.

        Returns
        -------
        CentreBias
            Itself.
        """
        super().fit(scanpaths, pictures, objects)
        sizes = np.array([scanpaths.size[name] for name in scanpaths.stimulus])[scanpaths.owner]
        xy = np.stack([scanpaths.x, scanpaths.y], axis=1)[~scanpaths.off_image]
        self._relative = xy.astype(np.float64) / sizes[~scanpaths.off_image]
        self._known = {}
        return self

    def log_density(
        self,
        image: np.ndarray,
        history: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """See `ScanpathModel.log_density`.

        Parameters
        ----------
        image, history, cell, **about
            As there.

        Returns
        -------
        array of shape (rows, columns)
            The same for all pictures of one size.
        """
        return self.of_size(image_size(image), cell)

    def of_size(self, size: tuple[int, int], cell: int) -> np.ndarray:
        """The density for pictures of some size.

        Parameters
        ----------
        size : tuple of int
            Width and height in pixels.
        cell : int
            Side of a cell in pixels.

        Returns
        -------
        array of shape (rows, columns)
            Log density per square pixel.
        """
        if (size, cell) not in self._known:
            x, y = (_fitted(self._relative) * size).T
            density = smooth(counts(x, y, size, cell), size, cell, self.sigma * max(size))
            self._known[size, cell] = np.log(density)
        return self._known[size, cell]


@SCANPATH_MODELS.register("saccade_walk")
class RandomWalk(SampledModel):
    """Moves the eye as training viewers move it, blind to the picture.

    The next fixation is a training saccade away from the last one (Boccignone and Ferraro 2004 are
    among the first to model gaze so); the first is one away from the middle.

    Parameters
    ----------
    sigma : float
        Deviation of the kernel that smooths saccade vectors, as a share of the longer side.
    grid : int
        As of `SampledModel`.
    """

    needs_pictures = False

    def __init__(self, sigma: float = 0.03, grid: int = 64) -> None:
        super().__init__(grid)
        self.sigma = sigma
        self._steps: np.ndarray | None = None
        self._known: dict[tuple, np.ndarray] = {}

    def fit(
        self, scanpaths: Scanpaths, pictures: Pictures, objects: dict[str, Objects] | None = None
    ) -> Self:
        """Learn saccades from training viewers.

        Parameters
        ----------
        scanpaths : Scanpaths
            Of training stimuli.
        pictures, objects
            Not used.

        Returns
        -------
        RandomWalk
            Itself.
        """
        super().fit(scanpaths, pictures, objects)
        steps = []
        for scanpath in scanpaths:
            middle = np.array([scanpath.size]) / 2
            steps.append(np.diff(scanpath.xy, axis=0, prepend=middle) / max(scanpath.size))
        self._steps = np.concatenate(steps)
        self._known = {}
        return self

    def log_density(
        self,
        image: np.ndarray,
        history: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """See `ScanpathModel.log_density`.

        Parameters
        ----------
        image, history, cell, **about
            As there.

        Returns
        -------
        array of shape (rows, columns)
            Saccades from the last fixation, cut at the edges of the image.
        """
        size = image_size(image)
        rows, columns = grid_shape(size, cell)
        around = self._around(size, cell)
        last = history[-1, :2] if len(history) else np.array(size) / 2
        row, column = (int(v[0]) for v in cell_of(last[:1], last[1:2], size, cell))
        window = around[rows - 1 - row : 2 * rows - 1 - row][
            :, columns - 1 - column : 2 * columns - 1 - column
        ]
        return normalise(window, size, cell)

    def _around(self, size: tuple[int, int], cell: int) -> np.ndarray:
        """Density of saccade vectors on a grid twice as large, the last fixation in its middle."""
        if (size, cell) not in self._known:
            rows, columns = grid_shape(size, cell)
            field = ((2 * columns - 1) * cell, (2 * rows - 1) * cell)
            x, y = (_fitted(self._steps) * max(size) + np.array(field) / 2).T
            self._known[size, cell] = smooth(
                counts(x, y, field, cell), field, cell, self.sigma * max(size)
            )
        return self._known[size, cell]


def _fitted(values: np.ndarray | None) -> np.ndarray:
    if values is None:
        raise DataError("the model was not fitted", field="fit", fix="fit it to training viewers")
    return values
