"""Many scanpaths in flat arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from neurodecode.errors import DataError
from neurodecode.scanpaths.checks import check, off_image
from neurodecode.scanpaths.scanpath import LABELS, Scanpath

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LABELS", "Scanpath", "Scanpaths"]


@dataclass(frozen=True)
class Scanpaths:
    """Scanpaths of many viewers and stimuli, without padding.

    The fixations of scanpath ``i`` are ``offsets[i]`` to ``offsets[i + 1]`` of the flat arrays.
    A fixation that the experiment enforces before the stimulus appears (the fixation cross) is
    none of them; what a viewer then does first is fixation 1.

    Parameters
    ----------
    x, y : array of shape (n_fixations,)
        Pixels of the stimulus, x to the right, y down; (0, 0) is the corner of the top left
        pixel, (.5, .5) its middle. May lie outside the stimulus (`off_image`).
    duration : array of shape (n_fixations,)
        Milliseconds, NaN where unknown.
    offsets : array of shape (n_scanpaths + 1,)
        Where each scanpath begins, and the end of the last.
    viewer, stimulus : array of str of shape (n_scanpaths,)
        Who looked at what.
    task, target, caption : array of str of shape (n_scanpaths,), optional
        ``free_viewing``, ``search_present``, ``search_absent``, ``captioning``; what was searched
        for; which words were read or said. Empty strings where there is none.
    size : mapping of str to tuple of int
        Width and height in pixels of each stimulus.
    pixels_per_degree : float
        Pixels per degree of visual angle, NaN where unknown.
    """

    x: np.ndarray
    y: np.ndarray
    duration: np.ndarray
    offsets: np.ndarray
    viewer: np.ndarray
    stimulus: np.ndarray
    task: np.ndarray = ()  # type: ignore[assignment]
    target: np.ndarray = ()  # type: ignore[assignment]
    caption: np.ndarray = ()  # type: ignore[assignment]
    size: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    pixels_per_degree: float = math.nan

    def __post_init__(self) -> None:
        for name in ("x", "y", "duration"):
            self._set(name, np.asarray(getattr(self, name), np.float32))
        self._set("offsets", np.asarray(self.offsets, np.int64))
        for name in LABELS:
            given = np.asarray(getattr(self, name))
            self._set(name, given.astype(str) if given.size else np.full(len(self), ""))
        self._set("size", {str(k): (int(w), int(h)) for k, (w, h) in self.size.items()})
        lengths = {name: len(getattr(self, name)) for name in LABELS}
        wrong = [name for name, length in lengths.items() if length != len(self)]
        if wrong or not len(self.x) == len(self.y) == len(self.duration) == self.offsets[-1]:
            field_ = wrong[0] if wrong else "offsets"
            raise DataError("arrays of different lengths", field=field_, fix="repeat the export")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def from_list(
        cls, scanpaths: Sequence[Scanpath], *, pixels_per_degree: float = math.nan
    ) -> Scanpaths:
        """Join single scanpaths.

        Parameters
        ----------
        scanpaths : sequence of Scanpath
            In this order; their sizes become the sizes of the stimuli.
        pixels_per_degree : float
            Pixels per degree, NaN where unknown.

        Returns
        -------
        Scanpaths
            All of them.
        """
        flat = {
            name: np.concatenate([np.zeros(0), *(getattr(each, name) for each in scanpaths)])
            for name in ("x", "y", "duration")
        }
        return cls(
            **flat,
            offsets=np.cumsum([0, *map(len, scanpaths)]),
            **{name: np.array([getattr(each, name) for each in scanpaths]) for name in LABELS},
            size={each.stimulus: each.size for each in scanpaths},
            pixels_per_degree=pixels_per_degree,
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Scanpaths]) -> Scanpaths:
        """Put several collections one after the other.

        Parameters
        ----------
        parts : sequence of Scanpaths
            At least one. Pixels per degree are kept only where all agree.

        Returns
        -------
        Scanpaths
            All of them.
        """
        degrees = {part.pixels_per_degree for part in parts}
        return cls.from_list(
            [each for part in parts for each in part],
            pixels_per_degree=degrees.pop() if len(degrees) == 1 else math.nan,
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Scanpath:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        part = slice(self.offsets[index], self.offsets[index + 1])
        labels = {name: str(getattr(self, name)[index]) for name in LABELS}
        size = self.size.get(labels["stimulus"], (0, 0))
        return Scanpath(self.x[part], self.y[part], self.duration[part], **labels, size=size)

    def __iter__(self) -> Iterator[Scanpath]:
        return (self[index] for index in range(len(self)))

    @property
    def n_fixations(self) -> np.ndarray:
        """Number of fixations of each scanpath, (n_scanpaths,)."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> np.ndarray:
        """Scanpath that each fixation belongs to, (n_fixations,)."""
        return np.repeat(np.arange(len(self)), self.n_fixations)

    @property
    def off_image(self) -> np.ndarray:
        """Fixations outside their stimulus, (n_fixations,) of bool."""
        return off_image(self)

    def select(self, which: np.ndarray) -> Scanpaths:
        """Keep some scanpaths.

        Parameters
        ----------
        which : array of bool of shape (n_scanpaths,), or of int
            Mask, or indices in the wanted order.

        Returns
        -------
        Scanpaths
            Those, with the sizes of their stimuli.
        """
        which = np.asarray(which)
        rows = np.flatnonzero(which) if which.dtype == bool else which.astype(np.int64)
        lengths = self.n_fixations[rows]
        starts = np.repeat(self.offsets[:-1][rows] - (np.cumsum(lengths) - lengths), lengths)
        fixations = starts + np.arange(lengths.sum())
        labels = {name: getattr(self, name)[rows] for name in LABELS}
        return replace(
            self,
            x=self.x[fixations],
            y=self.y[fixations],
            duration=self.duration[fixations],
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            **labels,
            size={k: self.size[k] for k in dict.fromkeys(labels["stimulus"]) if k in self.size},
        )

    def check(self) -> np.ndarray:
        """Refuse what cannot be a scanpath, and flag what lies outside the stimulus.

        Returns
        -------
        array of bool of shape (n_fixations,)
            Fixations outside their stimulus. They are kept.

        Raises
        ------
        DataError
            If a scanpath is empty, a duration is not positive, a coordinate is not finite, a
            stimulus has no size, or the size cannot be the one of these coordinates (more than
            half of a stimulus' fixations lie outside).
        """
        return check(self)

    def clipped(self) -> Scanpaths:
        """Move fixations outside to the nearest pixel of the stimulus.

        Returns
        -------
        Scanpaths
            With coordinates in the middle of the outermost pixels at most.
        """
        width, height = np.array([self.size[name] for name in self.stimulus]).T[:, self.owner]
        return replace(
            self,
            x=np.where(self.off_image, np.clip(self.x, 0.5, width - 0.5), self.x),
            y=np.where(self.off_image, np.clip(self.y, 0.5, height - 0.5), self.y),
        )

    def to_frame(self) -> pd.DataFrame:
        """One row for each fixation.

        Returns
        -------
        DataFrame
            `scanpath` (number), `fixation` (1, 2, ...), the labels, `x`, `y`, `duration`,
            `width`, `height`.
        """
        from neurodecode.scanpaths.table import to_frame

        return to_frame(self)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, pixels_per_degree: float = math.nan) -> Scanpaths:
        """Read a table with one row for each fixation.

        Parameters
        ----------
        frame : DataFrame
            Columns as of `to_frame`; labels and durations may be absent.
        pixels_per_degree : float
            Pixels per degree, NaN where unknown.

        Returns
        -------
        Scanpaths
            One for each `scanpath`, in the order of first appearance.

        Raises
        ------
        DataError
            If a column is missing.
        """
        from neurodecode.scanpaths.table import from_frame

        return from_frame(frame, pixels_per_degree)
