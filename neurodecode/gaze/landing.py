"""Where in an object the eye lands, and how long it stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from neurodecode.gaze.object_sequences import nearest_objects
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["Landing"]


#: Of a normal distribution, deviation over median absolute deviation.
_NORMAL = 1.4826


class Landing:
    """Turns fixated objects into fixations as training viewers do.

    Saccades fall short of an object's middle by a share of their length and scatter in proportion
    to the object; durations are log-normal. All are fitted, the scatter by median deviations:
    some fixations were never meant for the object that is nearest to them.

    References
    ----------
    Becker 1972 (undershoot); Nuthmann and Henderson 2010 (landing near the middle).
    """

    def fit(self, scanpaths: Scanpaths, objects: Mapping[str, Objects]) -> Self:
        """Measure how far from an object's middle people look, in its width and height; how long.

        Parameters
        ----------
        scanpaths : Scanpaths
            Of training viewers.
        objects : mapping of str to Objects
            What lies where; scanpaths on other stimuli only count for durations.

        Returns
        -------
        Landing
            Itself.
        """
        missed, ways, sides = _misses(scanpaths, objects)
        inside = (np.abs(missed) <= sides / 2).all(1)
        missed, ways, sides = missed[inside], ways[inside], sides[inside]
        self.short = float((missed * ways).sum() / max((ways**2).sum(), 1e-9))
        rest = (missed - self.short * ways) / sides
        self.scatter = (
            _NORMAL * np.median(np.abs(rest), axis=0) if len(rest) > 1 else np.full(2, 0.2)
        )
        known = np.log(scanpaths.duration[np.isfinite(scanpaths.duration)])
        self.log_duration = (known.mean(), known.std()) if known.size else None
        return self

    def draw(
        self,
        chosen: np.ndarray,
        objects: Objects,
        start: tuple[float, float],
        rng: np.random.Generator,
        **labels: object,
    ) -> Scanpath:
        """Look at objects.

        Parameters
        ----------
        chosen : array of int of shape (n_fixations,)
            Which, in order.
        objects : Objects
            Of the picture.
        start : tuple of float
            x and y where the eye is at first, in pixels.
        rng : numpy.random.Generator
            Source of randomness.
        **labels
            Of the scanpath.

        Returns
        -------
        Scanpath
            One fixation in each; durations in ms, NaN where none was known.
        """
        boxes, eye, xy = objects.boxes[chosen], np.array(start), []
        away = self.scatter * rng.standard_normal((len(chosen), 2))
        for box, noise in zip(boxes, away):
            side, middle = box[2:], box[:2] + box[2:] / 2
            missed = (self.short * (eye - middle) / side + noise).clip(-0.5, 0.499)
            eye = middle + missed * side
            xy.append(eye)
        x, y = np.array(xy).reshape(-1, 2).T
        return Scanpath(x, y, self._durations(len(x), rng), **labels)  # type: ignore[arg-type]

    def _durations(self, n: int, rng: np.random.Generator) -> np.ndarray:
        if self.log_duration is None:
            return np.full(n, np.nan)
        mean, spread = self.log_duration
        return np.exp(mean + spread * rng.standard_normal(n))


def _misses(
    scanpaths: Scanpaths, objects: Mapping[str, Objects]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Way from an object's middle to the fixation and to the last one, and the object's sides.

    All (n, 2), in pixels; the eye is at the middle of the picture at first.
    """
    parts = [np.empty((3, 0, 2))]
    for path in scanpaths:
        if path.stimulus in objects and len(path):
            here = objects[path.stimulus]
            chosen = nearest_objects(path, here)
            before = np.concatenate([[np.array(path.size) / 2], path.xy[:-1]])
            middle = here.centres[chosen]
            parts.append(np.stack([path.xy - middle, before - middle, here.boxes[chosen, 2:]]))
    missed, ways, sides = np.concatenate(parts, axis=1)
    return missed, ways, sides
