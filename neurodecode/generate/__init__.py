"""Image generators: embeddings (and a rough picture) to pictures."""

from __future__ import annotations

from neurodecode.generate.base import (
    GENERATORS,
    GuidedGenerator,
    ImageGenerator,
    can_be_guided,
    make_generator,
)

__all__ = [
    "GENERATORS",
    "GuidedGenerator",
    "ImageGenerator",
    "can_be_guided",
    "make_generator",
]
