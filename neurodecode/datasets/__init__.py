"""Readers of published data sets, and the bundled miniature world."""

from neurodecode.datasets import bids, haxby, mini_meeg, n170, nsd, v4
from neurodecode.datasets.base import DATASETS, DatasetReader, load

__all__ = ["DATASETS", "DatasetReader", "bids", "haxby", "load", "mini_meeg", "n170", "nsd", "v4"]
