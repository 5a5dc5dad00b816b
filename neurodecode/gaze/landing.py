"""Where in an object the eye lands, and how long it stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from neurodecode.gaze.object_sequences import nearest_objects
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths

__all__ = ["Landing"]


class Landing:
    """Turns fixated objects into fixations, with the scatter and durations of training viewers."""

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
        away = [np.empty((0, 2))]
        for path in scanpaths:
            if path.stimulus in objects and len(path):
                boxes = objects[path.stimulus].boxes[nearest_objects(path, objects[path.stimulus])]
                offset = (path.xy - boxes[:, :2] - boxes[:, 2:] / 2) / boxes[:, 2:]
                away.append(offset[(np.abs(offset) <= 0.5).all(1)])
        inside = np.concatenate(away)
        self.scatter = inside.std(0) if len(inside) > 1 else np.full(2, 0.2)
        known = np.log(scanpaths.duration[np.isfinite(scanpaths.duration)])
        self.log_duration = (known.mean(), known.std()) if known.size else None
        return self

    def draw(
        self, chosen: np.ndarray, objects: Objects, rng: np.random.Generator, **labels: object
    ) -> Scanpath:
        """Look at objects.

        Parameters
        ----------
        chosen : array of int of shape (n_fixations,)
            Which, in order.
        objects : Objects
            Of the picture.
        rng : numpy.random.Generator
            Source of randomness.
        **labels
            Of the scanpath.

        Returns
        -------
        Scanpath
            One fixation in each; durations in ms, NaN where none was known.
        """
        boxes, n = objects.boxes[chosen], len(chosen)
        away = (self.scatter * rng.standard_normal((n, 2))).clip(-0.5, 0.499)
        x, y = (boxes[:, :2] + (0.5 + away) * boxes[:, 2:]).T
        return Scanpath(x, y, self._durations(n, rng), **labels)  # type: ignore[arg-type]

    def _durations(self, n: int, rng: np.random.Generator) -> np.ndarray:
        if self.log_duration is None:
            return np.full(n, np.nan)
        mean, spread = self.log_duration
        return np.exp(mean + spread * rng.standard_normal(n))
