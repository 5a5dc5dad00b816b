"""Image generators: embeddings (and a rough picture) to pictures."""

from __future__ import annotations

from neurodecode.generate.base import GENERATORS, ImageGenerator, make_generator

__all__ = ["GENERATORS", "ImageGenerator", "make_generator"]
