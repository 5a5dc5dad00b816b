"""Name -> torchmetrics class."""

from __future__ import annotations

from torchmetrics import Metric

from neurodecode.registry import Registry

__all__ = ["METRICS"]

METRICS: Registry[type[Metric]] = Registry("metric")
