"""The objects of one stimulus: boxes with names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodecode.errors import DataError

__all__ = ["Objects"]


@dataclass(frozen=True)
class Objects:
    """Objects of one stimulus.

    Parameters
    ----------
    boxes : array of shape (n_objects, 4)
        Left, top, width, height in pixels.
    category : array of str of shape (n_objects,)
        What each object is; a target is searched for by this name.
    """

    boxes: np.ndarray
    category: np.ndarray

    def __post_init__(self) -> None:
        boxes = np.asarray(self.boxes, np.float32).reshape(-1, 4)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "category", np.asarray(self.category).astype(str))
        if len(boxes) != len(self.category):
            raise DataError(
                f"{len(self.category)} names for {len(boxes)} boxes",
                field="category",
                fix="give one name for each box",
            )

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def centres(self) -> np.ndarray:
        """Middle of each box, (n_objects, 2) of x and y."""
        return self.boxes[:, :2] + self.boxes[:, 2:] / 2

    def check(self, size: tuple[int, int], stimulus: str = "") -> None:
        """Refuse boxes that the stimulus cannot contain.

        Parameters
        ----------
        size : tuple of int
            Width and height of the stimulus.
        stimulus : str
            Its name, for the message.

        Raises
        ------
        DataError
            If a box has no area, or is not inside the stimulus.
        """
        right, bottom = (self.boxes[:, :2] + self.boxes[:, 2:]).T
        outside = (self.boxes < 0).any(axis=1) | (right > size[0]) | (bottom > size[1])
        bad = np.flatnonzero(outside | (self.boxes[:, 2:] <= 0).any(axis=1))
        if bad.size:
            box = ", ".join(f"{value:g}" for value in self.boxes[bad[0]])
            raise DataError(
                f"box of {self.category[bad[0]]} ({box}) is not inside {size[0]} x {size[1]}"
                + (f" (stimulus {stimulus})" if stimulus else ""),
                field="bbox",
                fix="give left, top, width, height in pixels of the image",
            )

    def find(self, target: str) -> np.ndarray:
        """Which objects are what is searched for.

        Parameters
        ----------
        target : str
            Category.

        Returns
        -------
        array of int of shape (n_found,)
            At least one.

        Raises
        ------
        DataError
            If there is none.
        """
        found = np.flatnonzero(self.category == target)
        if not found.size:
            known = ", ".join(sorted(set(self.category.tolist()))) or "none"
            raise DataError(
                f"target {target!r} is not among the objects ({known})",
                field="target",
                fix="name one of them",
            )
        return found

    def at(self, x: np.ndarray, y: np.ndarray, *, margin: float = 0.0) -> np.ndarray:
        """Which object lies at each position.

        Parameters
        ----------
        x, y : array of shape (n,)
            Pixels.
        margin : float
            By how many pixels boxes are widened on every side.

        Returns
        -------
        array of int of shape (n,)
            The smallest of the boxes that contain the position, -1 where there is none.
        """
        if not len(self):
            return np.full(len(x), -1)
        position = np.stack([x, y], axis=1)[:, None]
        low, high = self.boxes[:, :2] - margin, self.boxes[:, :2] + self.boxes[:, 2:] + margin
        inside = ((position >= low) & (position < high)).all(axis=2)
        area = np.where(inside, self.boxes[:, 2:].prod(axis=1), np.inf)
        return np.where(inside.any(axis=1), area.argmin(axis=1), -1)
