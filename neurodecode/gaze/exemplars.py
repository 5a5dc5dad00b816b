"""What a searcher has in mind: pictures of things of the wanted category, seen before."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from neurodecode.errors import DataError

__all__ = ["Exemplars"]


class Exemplars:
    """Crops of each category from training pictures.

    A search for a word begins with what such things look like, not with the very pixels that
    will be found: the target is shown by a crop from another picture.

    Parameters
    ----------
    per_category : int
        Most crops that are kept of each category, the first ones.
    """

    def __init__(self, per_category: int = 32) -> None:
        self.per_category = per_category
        self.crops: dict[str, list[tuple[str, np.ndarray]]] = defaultdict(list)

    def add(self, stimulus: str, categories: np.ndarray, crops: np.ndarray) -> None:
        """Remember the objects of a picture.

        Parameters
        ----------
        stimulus : str
            Name of the picture.
        categories : array of str of shape (n_objects,)
            What they are.
        crops : array of uint8 of shape (n_objects, side, side, 3)
            How they look.
        """
        for category, crop in zip(categories.tolist(), crops, strict=True):
            if len(self.crops[category]) < self.per_category:
                self.crops[category].append((stimulus, crop))

    def draw(self, category: str, stimulus: str, rng: np.random.Generator) -> np.ndarray:
        """Think of one.

        Parameters
        ----------
        category : str
            What is looked for.
        stimulus : str
            Picture that is searched; its own objects are not used if there are others.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        array of uint8 of shape (side, side, 3)
            A crop.

        Raises
        ------
        DataError
            If no training picture had such a thing.
        """
        known = self.crops.get(category, [])
        if not known:
            names = ", ".join(sorted(self.crops)) or "none"
            raise DataError(
                f"target {category!r} was in no training picture ({names})",
                field="target",
                fix="name one of these, or use exemplars='picture'",
            )
        others = [crop for name, crop in known if name != stimulus] or [crop for _, crop in known]
        return others[rng.integers(len(others))]
