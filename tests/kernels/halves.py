"""Half precision that can be tested here."""

from __future__ import annotations

import torch


def half(device: str) -> torch.dtype:
    """bfloat16; in Triton's interpreter, which cannot multiply it, float16."""
    return torch.bfloat16 if device == "cuda" else torch.float16
