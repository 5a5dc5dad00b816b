"""Features and fixations for training the density model by ``neurodecode fit``."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Literal

from torch import nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.gaze.datamodule import Batch, GazeDataModule, Rows
from neurodecode.gaze.density import DensityModel
from neurodecode.gaze.model import ScanpathModel

__all__ = ["DensityData"]


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
