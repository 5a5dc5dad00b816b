"""Gaze data as LightningDataModules, for training by ``neurodecode fit``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.utils.data import DataLoader

from neurodecode.context import BuildContext
from neurodecode.datasets.gaze import load_gaze
from neurodecode.errors import ConfigError
from neurodecode.gaze.density import DensityModel
from neurodecode.gaze.model import ScanpathModel
from neurodecode.gaze.oat import OatModel, searched
from neurodecode.gaze.object_sequences import collate
from neurodecode.splits import read_split
from neurodecode.splits.pictures import picture_names

__all__ = ["DensityData", "GazeDataModule", "SearchData"]

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

    def rows(self, side: Literal["train", "validation"]) -> Callable[[list[int]], Batch]:
        """How a batch of this side is made from row numbers, with ``n`` rows.

        Parameters
        ----------
        side : {"train", "validation"}
            Which.

        Returns
        -------
        callable
            With an attribute of the number of rows, see `Rows`.
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
        return self.make(rows)


def _only(names: Sequence[str]) -> str:
    return names[0]


class DensityData(GazeDataModule):
    """Features of cells and fixations in them, for `FixationDensity`.

    Parameters
    ----------
    dataset, root, splits, fold, batch_size, predict_on
        See `GazeDataModule`.
    features, cells
        See `DensityModel`.
    """

    def __init__(
        self,
        dataset: str,
        root: Path,
        splits: Path,
        fold: int = 0,
        batch_size: int = 8,
        predict_on: Literal["test", "validation", "train"] = "test",
        features: str = "conspicuity",
        cells: int = 40,
    ) -> None:
        super().__init__(dataset, root, splits, fold, batch_size, predict_on)
        self.reader = DensityModel(features, cells)
        paths = self.data.scanpaths.select(self.data.scanpaths.target == "")
        if not len(paths):
            raise ConfigError(f"{dataset} has no viewing without a target; train OAT on it")
        seen = set(paths.stimulus.tolist())
        train, validation = (
            [name for name in side if name in seen]
            for side in (self.sides["train"], self.sides["validation"])
        )
        parts = self.reader.prepare(paths, self.data.pictures, train, validation)
        self.parts = dict(zip(("train", "validation"), parts, strict=True))

    @property
    def context(self) -> BuildContext:
        """Number of features, rows and columns under ``targets["cells"]``."""
        return BuildContext({}, {"cells": tuple(self.parts["train"][0].shape[1:])})

    def rows(self, side: Literal["train", "validation"]) -> Rows:
        """See `GazeDataModule.rows`."""
        features, looks = self.parts[side]

        def make(rows: list[int]) -> Batch:
            """Features and `Looks`, by name."""
            some = looks.pictures(rows)
            return {"features": features[rows], **{f.name: getattr(some, f.name)
                                                   for f in fields(some)}}  # fmt: skip

        return Rows(len(features), make)

    def wrap(self, network: nn.Module) -> ScanpathModel:
        """See `GazeDataModule.wrap`."""
        self.reader.model = network.eval()
        return self.reader


class SearchData(GazeDataModule):
    """Objects of pictures and the order in which searchers fixated them, for OAT.

    Parameters
    ----------
    dataset, root, splits, fold, batch_size, predict_on
        See `GazeDataModule`.
    exemplars
        See `OatModel`.
    """

    def __init__(
        self,
        dataset: str,
        root: Path,
        splits: Path,
        fold: int = 0,
        batch_size: int = 32,
        predict_on: Literal["test", "validation", "train"] = "test",
        exemplars: Literal["bank", "picture"] = "bank",
    ) -> None:
        super().__init__(dataset, root, splits, fold, batch_size, predict_on)
        self.reader = OatModel(exemplars)
        found = self.reader.prepare(
            self.data.scanpaths, self.data.pictures, self.data.objects,
            self.sides["train"], self.sides["validation"],
        )  # fmt: skip
        self.parts = dict(zip(("train", "validation"), found, strict=True))

    def stimuli(self) -> list[str]:
        """Pictures that somebody searched and whose objects are known."""
        names = searched(self.data.scanpaths, self.data.objects)
        return [name for name in names if name in self.data.pictures]

    @property
    def context(self) -> BuildContext:
        """Nothing: OAT takes any number of objects in pictures of any size."""
        return BuildContext({})

    def rows(self, side: Literal["train", "validation"]) -> Rows:
        """See `GazeDataModule.rows`."""
        searches = self.parts[side]

        def make(rows: list[int]) -> Batch:
            """`ObjectScene`, fixated objects and lengths, by name."""
            scene, fixated, lengths = collate([searches[i] for i in rows])
            named = {f.name: getattr(scene, f.name) for f in fields(scene)}
            return {**named, "fixated": fixated, "lengths": lengths}

        return Rows(len(searches), make)

    def wrap(self, network: nn.Module) -> ScanpathModel:
        """See `GazeDataModule.wrap`."""
        self.reader.model = network.eval()
        return self.reader
