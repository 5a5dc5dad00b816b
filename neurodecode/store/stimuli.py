"""The stimuli of a data set on disk: pixels, captions, categories and boxes."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

from neurodecode.files import atomic_path
from neurodecode.recording import StimulusSet
from neurodecode.store.hdf5 import (
    FORMAT_VERSION,
    get_dataset,
    open_store,
    read_strings,
    write_strings,
)

__all__ = ["LazyDataset", "read_stimuli", "write_stimuli"]


class LazyDataset:
    """An HDF5 data set that is opened for each read, and so survives pickling and forking.

    Parameters
    ----------
    path : path-like
        Store of stimuli.
    key : str
        Name of the data set.
    """

    def __init__(self, path: str | Path, key: str) -> None:
        self.path, self.key = Path(path), key
        with open_store(self.path, "stimuli") as file:
            self.shape = get_dataset(file, key).shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice | np.ndarray | list[int]) -> np.ndarray:
        with open_store(self.path, "stimuli") as file:
            dataset = file[self.key]
            if isinstance(index, int | np.integer | slice):
                return dataset[index]
            rows = np.asarray(index)
            if rows.dtype == bool:
                rows = np.flatnonzero(rows)
            # HDF5 wants increasing, unique indices
            unique, inverse = np.unique(rows, return_inverse=True)
            return dataset[unique][inverse]


def write_stimuli(path: str | Path, stimuli: StimulusSet) -> None:
    """Write a stimulus set.

    Parameters
    ----------
    path : path-like
        File to write; complete or not at all.
    stimuli : StimulusSet
        What to store.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
        file.attrs.update(kind="stimuli", format_version=FORMAT_VERSION)
        write_strings(file, "id", list(stimuli.ids))
        shape = stimuli.images.shape
        images = file.create_dataset("image", shape, dtype="uint8", chunks=(1, *shape[1:]))
        for start in range(0, shape[0], 256):
            images[start : start + 256] = stimuli.images[start : start + 256]
        for name in ("captions", "boxes"):
            values = getattr(stimuli, name)
            if values is not None:
                write_strings(file, name, [json.dumps(list(value)) for value in values])
        for name in ("categories", "names"):
            values = getattr(stimuli, name)
            if values is not None:
                write_strings(file, name, list(values))


def read_stimuli(path: str | Path) -> StimulusSet:
    """Read a stimulus set; pixels stay on disk until they are asked for.

    Parameters
    ----------
    path : path-like
        File written by `write_stimuli`.

    Returns
    -------
    StimulusSet
        The stimuli.

    Raises
    ------
    DataError
        If the file is missing or broken.
    """
    with open_store(path, "stimuli") as file:
        lists: dict[str, list] = {}
        for name in ("captions", "boxes"):
            if name in file:
                lists[name] = [json.loads(text) for text in read_strings(file[name])]
        for name in ("categories", "names"):
            if name in file:
                lists[name] = read_strings(file[name])
        ids = read_strings(get_dataset(file, "id"))
    return StimulusSet(ids=ids, images=LazyDataset(path, "image"), **lists)
