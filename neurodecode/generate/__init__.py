"""Image generators: embeddings (and a rough picture) to pictures."""

from __future__ import annotations

from neurodecode.generate.base import (
    GENERATORS,
    GuidedGenerator,
    ImageGenerator,
    can_be_guided,
    make_generator,
)
from neurodecode.generate.conditioning import Conditioning

__all__ = [
    "GENERATORS",
    "Conditioning",
    "GuidedGenerator",
    "ImageGenerator",
    "can_be_guided",
    "make_generator",
]
