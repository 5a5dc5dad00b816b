"""Writing the scanpaths that ``neurodecode predict`` draws to one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter

from neurodecode.scanpaths import Scanpath, Scanpaths
from neurodecode.store.scanpaths import write_scanpaths

__all__ = ["Drawn", "ScanpathWriter"]


class Drawn:
    """Scanpaths of one picture; a class of its own, as Lightning would take lists apart.

    Parameters
    ----------
    paths : list of Scanpath
        With the picture's name.
    """

    def __init__(self, paths: list[Scanpath]) -> None:
        self.paths = paths


class ScanpathWriter(BasePredictionWriter):
    """Write the scanpaths of ``predict`` to one file.

    Parameters
    ----------
    path : path
        File of scanpaths, see `neurodecode.store.scanpaths`.
    method : str
        Name under which the method appears in tables.
    """

    def __init__(self, path: Path, method: str) -> None:
        super().__init__(write_interval="epoch")
        self.path, self.method = Path(path), method

    def write_on_epoch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        predictions: Sequence[Any],
        batch_indices: Sequence[Any],
    ) -> None:
        """Join all pictures.

        Parameters
        ----------
        trainer : Trainer
            Gives the DataModule.
        pl_module : LightningModule
            Not used.
        predictions : sequence of Drawn
            Of each picture.
        batch_indices : sequence
            Not used.
        """
        data = trainer.datamodule
        joined = Scanpaths.from_list(
            [path for part in predictions for path in part.paths],
            pixels_per_degree=data.data.scanpaths.pixels_per_degree,
        )
        attrs = {"method": self.method, "dataset": data.data.name, "side": data.predict_on}
        write_scanpaths(self.path, joined, attrs)
