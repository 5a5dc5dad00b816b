"""Readers of published data sets, and the bundled miniature world."""

from neurodecode.datasets import (
    algonauts2023,
    bids,
    bids_meeg,
    epochs_fif,
    haxby,
    haxby_series,
    mini_meeg,
    n170,
    nsd,
    things_eeg2,
    things_meg,
    v4,
)
from neurodecode.datasets.base import DATASETS, DatasetReader, load

__all__ = [
    "DATASETS", "DatasetReader", "algonauts2023", "bids", "bids_meeg", "epochs_fif", "haxby",
    "haxby_series", "load", "mini_meeg", "n170", "nsd", "things_eeg2", "things_meg", "v4",
]  # fmt: skip
