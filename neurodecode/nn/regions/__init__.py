"""Encoders of region time series."""

from neurodecode.nn.regions.masked import MaskedRegions
from neurodecode.nn.regions.states import StateClassifier

__all__ = ["MaskedRegions", "StateClassifier"]
