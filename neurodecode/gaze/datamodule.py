"""Gaze data as LightningDataModules, for training by ``neurodecode fit``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.utils.data import DataLoader

from neurodecode.datasets.gaze import load_gaze
from neurodecode.errors import ConfigError
from neurodecode.gaze.model import ScanpathModel
from neurodecode.splits import read_split
from neurodecode.splits.pictures import picture_names

__all__ = ["Batch", "GazeDataModule", "Rows"]

Batch = dict[str, Tensor]


class GazeDataModule(pl.LightningDataModule):
    """Pictures and who looked where, divided by picture.

    Parameters
    ----------
    dataset : str
        A key of `neurodecode.datasets.gaze.GAZE_DATASETS`.
    root : path
        Its folder.
    splits : path
        Division of its pictures, of ``neurodecode scanpath split``.
    fold : int
        Which fold.
    batch_size : int
        Pictures (density) or searches (OAT) of a training step.
    predict_on : {"test", "validation", "train"}
        Whose scanpaths ``predict`` draws.
    """

    def __init__(
        self,
        dataset: str,
        root: Path,
        splits: Path,
        fold: int = 0,
        batch_size: int = 8,
        predict_on: Literal["test", "validation", "train"] = "test",
    ) -> None:
        super().__init__()
        self.data = load_gaze(dataset, root)
        self.batch_size, self.predict_on = batch_size, predict_on
        split, usable = read_split(splits), set(self.stimuli())
        if not 0 <= fold < len(split.folds):
            raise ConfigError(f"fold {fold}: {splits} has {len(split.folds)}, numbered from 0")
        self.sides = {
            side: [name for name in names if name in usable]
            for side, names in picture_names(split, fold).items()
        }
        if empty := [side for side, names in self.sides.items() if not names]:
            raise ConfigError(f"{dataset}: no {empty[0]} pictures in fold {fold} of {splits}")

    def stimuli(self) -> list[str]:
        """Pictures that can be learned from.

        Returns
        -------
        list of str
            Their names.
        """
        seen = set(self.data.scanpaths.stimulus.tolist())
        return sorted(seen & set(self.data.pictures))

    def wrap(self, network: nn.Module) -> ScanpathModel:
        """Put a trained network behind the models' interface.

        Parameters
        ----------
        network : nn.Module
            From the task.

        Returns
        -------
        ScanpathModel
            It predicts.
        """
        raise NotImplementedError

    def rows(self, side: Literal["train", "validation"]) -> Rows:
        """How batches of this side are made.

        Parameters
        ----------
        side : {"train", "validation"}
            Which.

        Returns
        -------
        Rows
            From row numbers.
        """
        raise NotImplementedError

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled batches."""
        made = self.rows("train")
        return DataLoader(range(made.n), batch_size=self.batch_size, shuffle=True, collate_fn=made)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Batches in order."""
        made = self.rows("validation")
        return DataLoader(range(made.n), batch_size=self.batch_size, collate_fn=made)

    def predict_dataloader(self) -> DataLoader[Any]:
        """Names of the pictures of the side to be predicted, one at a time."""
        return DataLoader(self.sides[self.predict_on], batch_size=1, collate_fn=_only)


class Rows:
    """Makes batches from row numbers.

    Parameters
    ----------
    n : int
        Rows there are.
    make : callable
        Row numbers to a batch.
    """

    def __init__(self, n: int, make: Callable[[list[int]], Batch]) -> None:
        self.n, self.make = n, make

    def __call__(self, rows: list[int]) -> Batch:
        """Make a batch.

        Parameters
        ----------
        rows : list of int
            Row numbers.

        Returns
        -------
        dict of str to Tensor
            The batch.
        """
        return self.make(rows)


def _only(names: Sequence[str]) -> str:
    return names[0]
