"""The metrics as torchmetrics classes, for training loops and distributed evaluation.

Each keeps just enough state to give, over any number of batches and processes, what the
function of the same name gives on all items at once.
"""

from __future__ import annotations

from neurodecode.metrics.modules.images import (
    FeatureDistance,
    FeatureTwoWay,
    PixCorr,
    StructuralSimilarity,
)
from neurodecode.metrics.modules.registry import METRICS
from neurodecode.metrics.modules.responses import PearsonR
from neurodecode.metrics.modules.retrieval import Retrieval, TwoWayIdentification
from neurodecode.metrics.modules.scanpaths import SCANPATH_METRICS

__all__ = [
    "METRICS",
    "SCANPATH_METRICS",
    "FeatureDistance",
    "FeatureTwoWay",
    "PearsonR",
    "PixCorr",
    "Retrieval",
    "StructuralSimilarity",
    "TwoWayIdentification",
]
