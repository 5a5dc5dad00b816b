"""Vectors with the structure that embeddings have: clusters, and no unit length."""

from __future__ import annotations

import numpy as np

DIM = 28


def clustered(rng: np.random.Generator, n: int, dim: int = DIM, n_centres: int = 50) -> np.ndarray:
    """Vectors around a few centres."""
    centres = rng.normal(size=(n_centres, dim))
    rows = centres[rng.integers(n_centres, size=n)] + 0.4 * rng.normal(size=(n, dim))
    return (3 * rows).astype(np.float32)
