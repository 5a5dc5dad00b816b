"""Tiny towers of the real classes, randomly initialised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from neurodecode.embed.openclip import OpenClipEmbedder, build_clip
from neurodecode.recording import StimulusSet, content_id

VISION = {"image_size": 28, "patch_size": 7, "width": 24, "layers": 2, "head_width": 8}
TEXT = {"context_length": 9, "vocab_size": 50, "width": 16, "heads": 2, "layers": 1}


def letters(texts: Sequence[str]) -> torch.Tensor:
    """Stand-in for a tokenizer: one token a letter, 49 at the end."""
    rows = [[1 + ord(c) % 47 for c in text[:7]] + [49] for text in texts]
    return torch.tensor([row + [0] * (9 - len(row)) for row in rows])


@pytest.fixture
def tiny_clip() -> OpenClipEmbedder:
    torch.manual_seed(3)
    model = build_clip({"embed_dim": 11, "vision_cfg": VISION, "text_cfg": TEXT})
    return OpenClipEmbedder(
        model, letters, name="tiny", mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25),
        provenance={"model": "tiny", "sha256": "0"},
    )  # fmt: skip


@pytest.fixture
def pictures(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (7, 30, 41, 3), dtype=np.uint8)


@pytest.fixture
def stimuli(pictures: np.ndarray) -> StimulusSet:
    texts = [[f"picture {i}", f"no. {i}"][: i % 3] for i in range(len(pictures))]
    return StimulusSet([content_id(p) for p in pictures], pictures, captions=texts)
