"""Decode what a person saw, looked at or listened to from recordings of the brain.

Importing the package costs nothing: torch, MNE and nilearn are imported by the modules that
use them. The public names live in the sub-packages, e.g. ``neurodecode.datasets.load`` or
``neurodecode.store.ResponseStore``.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
