"""What happens around the training of an encoder: averaged weights, predictions on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging

from neurodecode.loaders import ResponseDataModule
from neurodecode.tasks.writer import PredictionWriter

__all__ = ["AveragedWeights", "ResponseWriter"]


class AveragedWeights(EMAWeightAveraging):
    """Exponential moving average of the weights; validation and checkpoints use it.

    Parameters
    ----------
    decay : float
        Weight of the past in each step.
    start : int
        Optimiser step of the first average.
    """

    def __init__(self, decay: float = 0.99, start: int = 0) -> None:
        super().__init__(decay=decay, update_starting_at_step=start)

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Go on averaging; outside of training the checkpoint is used as it is."""
        if self._average_model is not None:
            super().on_load_checkpoint(trainer, pl_module, checkpoint)


class ResponseWriter(PredictionWriter):
    """Write predicted and measured responses to all stimuli of the fold.

    Parameters
    ----------
    path : path, optional
        File to write; by default ``predictions.h5`` in ``trainer.default_root_dir``.
    method : str
        Name under which the encoder appears in tables.
    """

    def __init__(self, path: Path | None = None, method: str = "core") -> None:
        super().__init__(path or Path("predictions.h5"), method)
        self.in_root_folder = path is None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find out where the run writes its files."""
        super().setup(trainer, pl_module, stage)
        if self.in_root_folder:
            self.path = Path(trainer.default_root_dir) / self.path.name

    def _attrs(self, data: ResponseDataModule, module: LightningModule) -> dict[str, Any]:
        return {
            "task": "encoding",
            "side": "all",
            "selection_split": "validation",
            "transductive": False,
            # Lightning keeps the seed of the run here
            "seed": int(os.environ.get("PL_GLOBAL_SEED", data.seed)),
        }
