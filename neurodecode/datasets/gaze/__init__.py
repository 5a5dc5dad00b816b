"""Readers of published gaze data: viewers' fixations, the pictures and the objects in them."""

from neurodecode.datasets.gaze import (
    amazon,
    capmit1003,
    coco_search,
    mini,
    mit1003,
    osie,
    search_sets,
)
from neurodecode.datasets.gaze.base import GAZE_DATASETS, GazeData, load_gaze

__all__ = [
    "GAZE_DATASETS", "GazeData", "amazon", "capmit1003", "coco_search", "load_gaze", "mini",
    "mit1003",
    "osie", "search_sets",
]  # fmt: skip
