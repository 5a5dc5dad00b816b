"""Embedding towers: pictures and texts to features.

Nothing heavy is imported, and nothing is downloaded, before an embedder is made.
"""

from __future__ import annotations

from neurodecode.embed.base import (
    EMBEDDERS,
    Embedder,
    TextEmbedder,
    TokenPooler,
    make_embedder,
)
from neurodecode.embed.stimuli import embed_stimuli

__all__ = [
    "EMBEDDERS",
    "Embedder",
    "TextEmbedder",
    "TokenPooler",
    "embed_stimuli",
    "make_embedder",
]
