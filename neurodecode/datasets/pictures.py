"""Pictures in a folder, named in tables; read once for their content ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from neurodecode.datasets.images import ImageFiles, unique_contents
from neurodecode.recording import StimulusSet

__all__ = ["PictureFolder"]


class PictureFolder:
    """Pictures by the names that tables give them.

    Parameters
    ----------
    folder : path-like
        Where names start.
    size : int or None
        Crop and resize to this side when they are read as stimuli; ids are taken before.
    """

    def __init__(self, folder: str | Path, size: int | None = None) -> None:
        self.folder, self.size = Path(folder), size
        self._content: dict[str, str] = {}

    def ids(self, names: Iterable[str]) -> Mapping[str, str]:
        """Content id of each picture, reading those that were not read before.

        Parameters
        ----------
        names : iterable of str
            Paths inside the folder.

        Returns
        -------
        mapping of str to str
            Name -> id, of these and perhaps further ones.

        Raises
        ------
        DataError
            If a picture is missing or does not decode.
        """
        todo = sorted(set(names) - set(self._content))
        files = ImageFiles([(self.folder / name, "") for name in todo], size=1)
        ids, _ = unique_contents(files.originals())
        self._content.update(zip(todo, ids, strict=True))
        return self._content

    def of(self, names: Sequence[str]) -> np.ndarray:
        """Content id of each trial.

        Parameters
        ----------
        names : sequence of str of length n_trials
            What each trial showed.

        Returns
        -------
        array of str of shape (n_trials,)
            Ids.
        """
        ids = self.ids(names)
        return np.array([ids[name] for name in names])

    def stimuli(
        self, names: Iterable[str], categories: Mapping[str, str] | None = None
    ) -> StimulusSet:
        """Open pictures, each content once.

        Parameters
        ----------
        names : iterable of str
            Which.
        categories : mapping of str to str, optional
            Main category of each name.

        Returns
        -------
        StimulusSet
            In the order of their names.
        """
        chosen = sorted(set(names))
        ids = self.ids(chosen)
        first: dict[str, str] = {}
        for name in chosen:
            first.setdefault(ids[name], name)
        places = [(self.folder / name, "") for name in first.values()]
        return StimulusSet(
            ids=list(first),
            images=ImageFiles(places, self.size),
            categories=None if categories is None else [categories[n] for n in first.values()],
            names=list(first.values()),
        )
