"""Haxby's runs as time series of regions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from neurodecode.datasets.base import DATASETS
from neurodecode.datasets.haxby import Haxby2001, read_labels
from neurodecode.datasets.region_means import BoldRun
from neurodecode.datasets.region_series import RegionSeriesReader

__all__ = ["Haxby2001Series"]


@DATASETS.register("haxby2001-series")
class Haxby2001Series(RegionSeriesReader):
    """Every volume of Haxby's 12 runs, region by region; see `Haxby2001` for the files."""

    name = "haxby2001-series"
    summary = "fMRI time series of regions, 8 object categories in blocks, 12 runs"
    licence = Haxby2001.licence
    how_to_get = Haxby2001.how_to_get
    split_scheme = "leave-one-run-out"
    layouts = Haxby2001.layouts

    @cached_property
    def _blocks(self) -> Haxby2001:
        return Haxby2001(self.root)

    @property
    def subjects(self) -> Sequence[str]:
        """Subject numbers, sorted."""
        return self._blocks.subjects

    def bold(self, subject: str) -> list[BoldRun]:
        """Find the files of a subject; see `RegionSeriesReader.bold`."""
        bold, mask, labels = self._blocks.files(subject)
        label, run = read_labels(labels)
        return [BoldRun(bold, mask, label, run + 1)]
