"""Searches over objects for training OAT by ``neurodecode fit``."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Literal

from torch import nn

from neurodecode.context import BuildContext
from neurodecode.gaze.datamodule import Batch, GazeDataModule, Rows
from neurodecode.gaze.model import ScanpathModel
from neurodecode.gaze.oat import OatModel, searched
from neurodecode.gaze.object_sequences import collate

__all__ = ["SearchData"]


class SearchData(GazeDataModule):
    """Objects of pictures and the order in which searchers fixated them, for OAT.

    Parameters
    ----------
    dataset, root, splits, fold, batch_size, predict_on
        See `GazeDataModule`.
    exemplars, appearance
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
        appearance: str = "mini-clip",
    ) -> None:
        super().__init__(dataset, root, splits, fold, batch_size, predict_on)
        self.reader = OatModel(exemplars, appearance)
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
        """Shape of one object's description under ``targets["objects"]``."""
        return BuildContext({}, {"objects": self.parts["train"][0].crops.shape[1:]})

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
