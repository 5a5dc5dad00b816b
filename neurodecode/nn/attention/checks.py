"""What every attention mechanism refuses, each in one line."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode.errors import ConfigError

__all__ = ["Positions", "check_inputs", "check_mask", "check_positions"]

#: Coordinates of queries and keys; one tensor where both are the same tokens.
Positions = Tensor | tuple[Tensor, Tensor]


def check_inputs(q: Tensor, k: Tensor, v: Tensor, n_heads: int, head_dim: int) -> None:
    """Refuse queries, keys and values that do not belong together.

    Parameters
    ----------
    q : Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Queries.
    k, v : Tensor of shape (n_batch, n_heads, n_keys, head_dim)
        Keys and values; values may have other dimensions.
    n_heads, head_dim : int
        What the mechanism was made for.

    Raises
    ------
    ConfigError
        If shapes, types or devices differ.
    """
    shapes = f"q {tuple(q.shape)}, k {tuple(k.shape)}, v {tuple(v.shape)}"
    if not q.dim() == k.dim() == v.dim() == 4:
        raise ConfigError(f"attention needs (batch, heads, length, dim), not {shapes}")
    if not q.shape[:2] == k.shape[:2] == v.shape[:2] or k.shape[2] != v.shape[2]:
        raise ConfigError(f"attention: batch, heads and number of keys must agree: {shapes}")
    if (q.shape[1], q.shape[3], k.shape[3]) != (n_heads, head_dim, head_dim):
        raise ConfigError(f"attention was made for {n_heads} heads of {head_dim}: {shapes}")
    if 0 in q.shape or 0 in k.shape:
        raise ConfigError(f"attention needs queries and keys: {shapes}")
    if not q.dtype == k.dtype == v.dtype:
        raise ConfigError(f"attention: one dtype, not q {q.dtype}, k {k.dtype}, v {v.dtype}")
    if not q.device == k.device == v.device:
        raise ConfigError(f"attention: one device, not q {q.device}, k {k.device}, v {v.device}")


def check_mask(mask: Tensor | None, q: Tensor, n_keys: int) -> Tensor | None:
    """Refuse a mask of another shape or type.

    Parameters
    ----------
    mask : Tensor of bool, optional
        True where a query may attend; each of the four axes may be 1.
    q : Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Queries.
    n_keys : int
        Number of keys.

    Returns
    -------
    Tensor or None
        The mask.

    Raises
    ------
    ConfigError
        If it does not fit.
    """
    if mask is None:
        return None
    wanted = (*q.shape[:3], n_keys)
    if mask.dtype != torch.bool:
        raise ConfigError(f"attention mask must be bool (True: may attend), not {mask.dtype}")
    fits = mask.dim() == 4 and all(a in (1, b) for a, b in zip(mask.shape, wanted, strict=True))
    if not fits or mask.shape[-1] != n_keys:
        raise ConfigError(
            f"attention mask of shape {tuple(mask.shape)} does not broadcast to {wanted}"
            " (batch, heads, queries, keys); its last axis must be the keys"
        )
    return mask


def check_positions(
    positions: Positions | None, n_queries: int, n_keys: int
) -> tuple[Tensor, Tensor] | None:
    """Bring positions into one form: coordinates of queries and of keys.

    Parameters
    ----------
    positions : Tensor of shape (n, n_axes), or two of them, optional
        Coordinates, of queries and keys alike or of each.
    n_queries, n_keys : int
        Lengths.

    Returns
    -------
    tuple of Tensor or None
        Of shape (n_queries, n_axes) and (n_keys, n_axes).

    Raises
    ------
    ConfigError
        If there are not as many positions as tokens.
    """
    if positions is None:
        return None
    pair = positions if isinstance(positions, tuple) else (positions, positions)
    shapes = [tuple(each.shape) for each in pair]
    axes = {shape[1:] for shape in shapes}
    if [len(each) for each in pair] != [n_queries, n_keys] or len(axes) > 1 or len(shapes[0]) != 2:
        raise ConfigError(
            f"positions of shapes {shapes} for {n_queries} queries and {n_keys} keys:"
            " each must be (length, axes)"
        )
    return pair
