"""What every model of scanpaths can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Self, TypedDict, Unpack

import numpy as np

from neurodecode.registry import Registry
from neurodecode.scanpaths import Objects, Scanpaths

__all__ = ["SCANPATH_MODELS", "Asked", "Pictures", "ScanpathModel", "Viewing"]

#: Stimulus name -> uint8 RGB image of shape (height, width, 3), read when asked for.
Pictures = Mapping[str, np.ndarray]

#: Name, as in the records and in `params.yaml`, -> class.
SCANPATH_MODELS: Registry[type[ScanpathModel]] = Registry("scanpath model")


class Viewing(TypedDict, total=False):
    """What a viewer looks for: keyword arguments of `ScanpathModel.log_density`.

    Parameters
    ----------
    objects : Objects or None
        What lies where.
    target : str or None
        Category that is searched for.
    caption : str or None
        Words that the viewer has in mind.
    """

    objects: Objects | None
    target: str | None
    caption: str | None


@dataclass(frozen=True)
class Asked:
    """One question to a model: the arguments of `ScanpathModel.predict`.

    Parameters
    ----------
    image, objects, target, caption, n_fixations, n_samples, seed
        As there.
    """

    image: np.ndarray
    objects: Objects | None
    target: str | None
    caption: str | None
    n_fixations: int
    n_samples: int
    seed: int


class ScanpathModel(ABC):
    """A model of scanpaths.

    Subclasses register in `SCANPATH_MODELS`, and override `fit` if they learn from viewers and
    `log_density` if they have one (then ``has_density`` is true).
    """

    #: Whether `log_density` is available.
    has_density: ClassVar[bool] = False
    #: Whether the model needs objects, a target or a caption to predict.
    needs: ClassVar[tuple[str, ...]] = ()
    #: Whether the model ends a scanpath by itself; others are cut to the length of viewers' ones.
    stops: ClassVar[bool] = False
    #: Whether the model looks at the picture; others can be asked about stimuli without one.
    needs_pictures: ClassVar[bool] = True
    #: How many questions are best answered at once.
    together: ClassVar[int] = 1

    def fit(
        self,
        scanpaths: Scanpaths,
        pictures: Pictures,
        objects: Mapping[str, Objects] | None = None,
    ) -> Self:
        """Learn from training viewers; models that learn nothing stay as they are.

        Parameters
        ----------
        scanpaths : Scanpaths
            Of training stimuli only.
        pictures : mapping of str to array of shape (height, width, 3), uint8
            The training stimuli.
        objects : mapping of str to Objects, optional
            Their objects.

        Returns
        -------
        ScanpathModel
            Itself.
        """
        return self

    @abstractmethod
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
        """Draw scanpaths for one stimulus.

        The viewer starts at the middle of the stimulus; that starting point is not part of the
        scanpath.

        Parameters
        ----------
        image : array of shape (height, width, 3), uint8
            RGB.
        objects : Objects, optional
            What lies where.
        target : str, optional
            Category that is searched for.
        caption : str, optional
            Words that the viewer has in mind.
        n_fixations : int
            Length of each scanpath; models that stop by themselves (search) may stop sooner,
            never without a fixation.
        n_samples : int
            How many scanpaths.
        seed : int
            The same seed, the same scanpaths.

        Returns
        -------
        Scanpaths
            `n_samples` of them; viewers are ``sample-0``, ..., the stimulus is ``""`` with the
            size of the image; target and caption as given; durations in ms, or NaN.
        """

    def predict_all(self, asked: Sequence[Asked]) -> list[Scanpaths]:
        """Answer several questions; models that are faster so override it.

        Parameters
        ----------
        asked : sequence of Asked
            Questions.

        Returns
        -------
        list of Scanpaths
            `predict` of each.
        """
        answers = []
        for each in asked:
            given = {item.name: getattr(each, item.name) for item in fields(Asked)}
            answers.append(self.predict(given.pop("image"), **given))
        return answers

    def log_density(
        self,
        image: np.ndarray,
        history: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """Say where the next fixation goes.

        Parameters
        ----------
        image : array of shape (height, width, 3), uint8
            RGB.
        history : array of shape (n_previous, 3)
            x and y in pixels and duration in ms (NaN where unknown) of the fixations so far,
            the first first; none at the start.
        cell : int
            Side of the cells of the grid in pixels.
        **about
            Objects, target and caption as in `predict`, all optional.

        Returns
        -------
        array of shape (ceil(height / cell), ceil(width / cell))
            Natural logarithm of the probability density per square pixel in each cell: its
            exponential times the area of each cell that lies in the image (`gaze.grid`) sums
            to 1. Row r covers y from ``r * cell``, column c covers x from ``c * cell``.

        Raises
        ------
        NotImplementedError
            If the model has no density (``has_density`` is false).
        """
        raise NotImplementedError(f"{type(self).__name__} has no density")

    def log_densities(
        self,
        image: np.ndarray,
        fixations: np.ndarray,
        *,
        cell: int = 1,
        **about: Unpack[Viewing],
    ) -> np.ndarray:
        """Say before each fixation of a scanpath where it goes, knowing those before it.

        Models that can do this at once override it.

        Parameters
        ----------
        image : array of shape (height, width, 3), uint8
            RGB.
        fixations : array of shape (n_fixations, 3)
            x, y, duration of the whole scanpath.
        cell, **about
            As in `log_density`.

        Returns
        -------
        array of shape (n_fixations, rows, columns)
            `log_density` given the fixations 0 to i - 1, for each i.
        """
        return np.stack(
            [self.log_density(image, fixations[:i], cell=cell, **about)
             for i in range(len(fixations))]
        )  # fmt: skip
