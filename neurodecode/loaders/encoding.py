"""Pictures and the responses to them, for training encoders."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from neurodecode.errors import about
from neurodecode.loaders.counts import open_responses
from neurodecode.loaders.dataset import Batch
from neurodecode.loaders.responses import ResponseDataModule, Side
from neurodecode.loaders.rows import Row
from neurodecode.splits import SIDES
from neurodecode.store import ResponseStore, read_stimuli

__all__ = ["EncodingDataModule", "ImageBank"]

_BLOCK = 128


class ImageBank:
    """Small copies of pictures in memory.

    Parameters
    ----------
    path : path-like
        Store of stimuli.
    stimuli : sequence of str
        Stimulus ids; their order numbers the rows.
    size : int
        Height and width in pixels.

    Raises
    ------
    DataError
        If the store is missing or broken, or a stimulus has no picture.
    """

    def __init__(self, path: str | Path, stimuli: list[str], size: int) -> None:
        source = read_stimuli(path)
        with about(file=path):
            rows = source.rows(stimuli)
        self.shapes = {"image": (3, size, size)}
        self._images = np.empty((len(rows), 3, size, size), dtype=np.uint8)
        for start in range(0, len(rows), _BLOCK):
            block = source.images[rows[start : start + _BLOCK]]
            small = np.stack([_resize(image, size) for image in block])
            self._images[start : start + len(block)] = small.transpose(0, 3, 1, 2)

    def read(self, name: str, rows: np.ndarray) -> Tensor:
        """Read pictures.

        Parameters
        ----------
        name : str
            ``image``.
        rows : array of int of shape (n,)
            Row numbers, in any order.

        Returns
        -------
        Tensor of uint8 of shape (n, 3, size, size)
            The pictures.
        """
        if name not in self.shapes:
            raise KeyError(name)
        return torch.from_numpy(self._images[rows])


def _resize(image: np.ndarray, size: int) -> np.ndarray:
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS))


class EncodingDataModule(ResponseDataModule):
    """Batches of pictures (``targets["image"]``) with the responses to them, leak-free.

    Everything is as in `ResponseDataModule`, with two differences: spike counts are read as
    their square roots, and ``predict`` runs on training, validation and test stimuli, because
    what an encoder leaves unexplained of the validation responses is needed to judge how
    likely the test responses are.

    Parameters
    ----------
    stores : path
        Folder with ``sub-<subject>.h5``.
    stimuli : path, optional
        Store of stimuli; by default ``stimuli.h5`` in `stores`.
    splits : path, optional
        ``splits.json``; by default the one in `stores`.
    fold : int
        Which fold of the split.
    subjects : list of str, optional
        Subjects to use; all by default.
    image_size : int
        Pictures are scaled to this many pixels a side.
    batch_size : int
        Pictures of a training batch over all subjects, and of a batch when predicting.
    repeats : int
        Random trials of a stimulus that are averaged to one training row.
    seed : int
        Seed of the order of training rows.
    num_workers : int
        Worker processes.
    trials, trials_seed
        See `ResponseDataModule`.
    """

    def __init__(
        self,
        stores: Path,
        stimuli: Path | None = None,
        splits: Path | None = None,
        fold: int = 0,
        subjects: list[str] | None = None,
        image_size: int = 64,
        batch_size: int = 128,
        repeats: int = 3,
        seed: int = 0,
        num_workers: int = 0,
        trials: int | str | None = None,
        trials_seed: int = 0,
    ) -> None:
        super().__init__(
            stores=stores,
            embeddings={},
            splits=splits,
            fold=fold,
            subjects=subjects,
            batch_size=batch_size,
            repeats=repeats,
            seed=seed,
            num_workers=num_workers,
            trials=trials,
            trials_seed=trials_seed,
        )
        self.stores = {name: open_responses(store.path) for name, store in self.stores.items()}
        self.images = Path(stimuli) if stimuli is not None else Path(stores) / "stimuli.h5"
        self.image_size = image_size
        self.context = replace(
            self.context,
            image_size=(image_size, image_size),
            regions={name: _regions(store) for name, store in self.stores.items()},
        )

    @cached_property
    def bank(self) -> ImageBank:
        """Pictures; their rows are numbered as `stimuli`."""
        return ImageBank(self.images, self.stimuli, self.image_size)

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Repeat averages of all stimuli of the fold."""
        sides: tuple[Side, ...] = SIDES
        rows = [
            Row(number, trials)
            for number, name in enumerate(self.stores)
            for side in sides
            for trials in self.rows(side)[name].trials
        ]
        return self._in_order(rows)


def _regions(store: ResponseStore) -> tuple[str, ...]:
    """Region of each feature; empty where the store does not tell."""
    if "roi" not in store.feature_names():
        return ()
    return tuple(map(str, store.feature("roi")))
