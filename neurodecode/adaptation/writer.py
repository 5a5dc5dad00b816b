"""Predictions of an adapted model: how many trials it was given goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule

from neurodecode.adaptation.plan import AdaptationPlan
from neurodecode.loaders import ResponseDataModule
from neurodecode.store import Prediction
from neurodecode.tasks.fewer_trials import counted
from neurodecode.tasks.writer import PredictionWriter

__all__ = ["AdaptedWriter"]


class AdaptedWriter(PredictionWriter):
    """Write what an adapted decoder makes of the responses of its new subject.

    Parameters
    ----------
    path : Path
        File to write.
    plan : AdaptationPlan
        Name of the method, and which trials it was given.
    """

    def __init__(self, path: Path, plan: AdaptationPlan) -> None:
        super().__init__(path, plan.method)
        self.plan = plan

    def _join(self, subject: str, parts: Sequence[Any], data: ResponseDataModule) -> Prediction:
        joined = super()._join(subject, parts, data)
        return counted(joined, data.stores[subject], data.split, self.plan.draw)

    def _attrs(self, data: ResponseDataModule, module: LightningModule) -> dict[str, Any]:
        return {
            **super()._attrs(data, module),
            "task": "adaptation",
            "trials": self.plan.label,
            "seed": self.plan.seed,
        }
