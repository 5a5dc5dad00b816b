"""Small inputs for every attention mechanism of the registry."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.nn.attention import ATTENTION, Attention, make_attention

HEADS, DIM = 4, 5
NAMES = sorted(ATTENTION)
#: Small enough to leave something out of 12 keys.
OPTIONS = {
    "mixture_of_heads": {"shared": 1, "keep": 2}, "sparse": {"keep": 4, "rank": 3},
    "dynamic_mask": {"keep": 4},
    "routing": {"n_clusters": 3, "window": 3}, "bilevel": {"region": 5, "keep": 2},
    "neighbourhood_1d": {"window": 4, "stride": 2, "dilation": 2},
    "neighbourhood_2d": {"window": 2, "stride": 2}, "recurrence": {"tile": 5},
}  # fmt: skip
#: Queries and keys (the same tokens, fewer queries, more queries than keys), causality and mask.
PATTERNS = [
    ((12, 12), False, "none"), ((12, 12), True, "keys"), ((7, 12), True, "none"),
    ((7, 12), False, "pairs"), ((13, 12), True, "pairs"), ((13, 12), False, "keys"),
]  # fmt: skip
GRID = (3, 4)


def make(name: str, seed: int = 3, **options) -> Attention:
    torch.manual_seed(seed)
    module = make_attention(name, HEADS, DIM, {**OPTIONS.get(name, {}), **options}).double()
    return module.eval()


def inputs(n_queries: int, n_keys: int, n_batch: int = 2, seed: int = 5) -> list[Tensor]:
    torch.manual_seed(seed)
    lengths = (n_queries, n_keys, n_keys)
    return [torch.randn(n_batch, HEADS, n, DIM, dtype=torch.float64) for n in lengths]


def places(n_queries: int, grid: tuple[int, int] = GRID) -> tuple[Tensor, Tensor]:
    """Keys on a grid; queries on its first places, and again from the start."""
    keys = torch.cartesian_prod(*map(torch.arange, grid))
    return keys[torch.arange(n_queries) % len(keys)], keys


def where(name: str, n_queries: int, grid: tuple[int, int] = GRID):
    """Positions for mechanisms that cannot do without."""
    return {"positions": places(n_queries, grid)} if name in ("axial", "neighbourhood_2d") else {}
