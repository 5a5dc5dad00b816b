"""Pictures that are not the same file but look the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from neurodecode.recording import LazyArray

__all__ = ["merge_groups", "near_duplicates"]

THRESHOLD = 0.999
"""Correlation above which two pictures count as one."""

_THUMBNAIL, _BLOCK = 16, 1024


def _thumbnails(images: LazyArray) -> np.ndarray:
    """Return standardised 16 x 16 RGB averages, (n, 768); flat pictures give zeros."""
    n, height, width = images.shape[:3]
    rows, columns = _averaging(height), _averaging(width)
    parts = []
    for start in range(0, n, 256):
        block = np.asarray(images[start : start + 256], dtype=np.float32)
        # (n, h, w, 3) -> (n, 16, 16, 3) as two matrix products
        block = (rows @ block.reshape(len(block), height, -1)).reshape(len(block), -1, width, 3)
        parts.append(
            np.einsum("cw,nrwk->nrck", columns, block, optimize=True).reshape(len(block), -1)
        )
    flat = np.concatenate(parts)
    flat -= flat.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, norms, out=np.zeros_like(flat), where=norms > 1e-3)


def _averaging(length: int) -> np.ndarray:
    """Return the matrix (n, length) that averages pixels in up to 16 bins of about equal width."""
    n = min(length, _THUMBNAIL)
    bins = np.arange(length) * n // length
    member = (np.arange(n)[:, None] == bins).astype(np.float32)
    return member / member.sum(axis=1, keepdims=True)


def near_duplicates(
    ids: Sequence[str], images: LazyArray, *, threshold: float = THRESHOLD
) -> list[tuple[str, ...]]:
    """Group pictures that look the same at low resolution.

    Pictures are averaged to 16 x 16 RGB; two of them are near-duplicates if these correlate
    above the threshold. The relation is made transitive.

    Parameters
    ----------
    ids : sequence of str of length n
        Stimulus ids.
    images : LazyArray of uint8 of shape (n, height, width, 3)
        Their pictures, read 256 at a time.
    threshold : float
        Correlation above which two pictures count as one.

    Returns
    -------
    list of tuple of str
        Groups of two and more, sorted.
    """
    thumbnails = _thumbnails(images) if len(ids) else np.empty((0, 1), np.float32)
    pairs: list[tuple[str, str]] = []
    for start in range(0, len(ids), _BLOCK):
        block = thumbnails[start : start + _BLOCK] @ thumbnails[start:].T
        first, second = np.nonzero(block > threshold)
        pairs += [
            (ids[start + a], ids[start + b])
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
            if a < b
        ]
    return merge_groups(pairs)


def merge_groups(groups: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Join groups that share a member.

    Parameters
    ----------
    groups : iterable of sequence of str
        Groups, perhaps overlapping.

    Returns
    -------
    list of tuple of str
        Disjoint groups of two and more, sorted.
    """
    parent: dict[str, str] = {}

    def root(item: str) -> str:
        """Who speaks for the group of an item (union-find with halved paths)."""
        parent.setdefault(item, item)
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for group in groups:
        for item in group[1:]:
            parent[root(item)] = root(group[0])
    members: dict[str, list[str]] = {}
    for item in parent:
        members.setdefault(root(item), []).append(item)
    return sorted(tuple(sorted(group)) for group in members.values() if len(group) > 1)
