"""Leak-free splits: made once, by content, written to disk, and checked before every use."""

from neurodecode.splits.checks import check, check_windows
from neurodecode.splits.duplicates import near_duplicates
from neurodecode.splits.files import read_split, write_split
from neurodecode.splits.schemes import SCHEMES, make_split
from neurodecode.splits.types import SIDES, Fold, Split, Trials, run_keys

__all__ = [
    "SCHEMES",
    "SIDES",
    "Fold",
    "Split",
    "Trials",
    "check",
    "check_windows",
    "make_split",
    "near_duplicates",
    "read_split",
    "run_keys",
    "write_split",
]
