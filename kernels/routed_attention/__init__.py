"""Few queries over many tokens: the output and the map of all heads, in one pass."""

from __future__ import annotations

import torch
from torch import Tensor

from neurodecode_kernels.dispatch import (
    Backend,
    KernelError,
    check_alike,
    take_triton,
    why_not_triton,
)
from neurodecode_kernels.routed_attention.reference import attend

__all__ = ["routed_attention", "why_not"]


def why_not(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> str | None:
    """Reason for which a call takes the reference path.

    Parameters
    ----------
    q, k, v, mask
        As in `routed_attention`.

    Returns
    -------
    str or None
        The reason; None if the Triton kernel runs.
    """
    if q.shape[3] > 128:
        return f"heads of {q.shape[3]} dimensions, the kernel holds 128"
    if mask is not None and not mask.is_contiguous():
        return "the mask is not contiguous"
    return why_not_triton([q, k, v])


def routed_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    *,
    backend: Backend = "auto",
) -> tuple[Tensor, Tensor]:
    """Softmax cross-attention that also returns where it looked.

    Parameters
    ----------
    q : Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Queries.
    k, v : Tensor of shape (n_batch, n_heads, n_tokens, head_dim)
        Keys and values.
    mask : Tensor of bool of shape (n_batch, n_tokens), optional
        True for tokens that may be read; an item without any gives zeros.
    backend : {"auto", "reference", "triton"}
        Path to take.

    Returns
    -------
    Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Output.
    Tensor of shape (n_batch, n_queries, n_tokens)
        Weights averaged over heads.

    Raises
    ------
    KernelError
        If shapes or types do not fit.
    """
    check_alike("routed_attention", [q, k, v])
    shapes = f"q {tuple(q.shape)}, k {tuple(k.shape)}, v {tuple(v.shape)}"
    if not q.dim() == k.dim() == v.dim() == 4 or k.shape != v.shape:
        raise KernelError(f"routed_attention: (batch, heads, length, dim), not {shapes}")
    if q.shape[:2] != k.shape[:2] or q.shape[3] != k.shape[3] or 0 in q.shape or 0 in k.shape:
        raise KernelError(f"routed_attention: shapes do not belong together: {shapes}")
    wanted = (q.shape[0], k.shape[2])
    if mask is not None and (mask.dtype != torch.bool or mask.shape != wanted):
        raise KernelError(
            f"routed_attention: mask must be bool of shape {wanted},"
            f" not {mask.dtype} of shape {tuple(mask.shape)}"
        )
    if take_triton("routed_attention", why_not(q, k, v, mask), backend):
        from neurodecode_kernels.routed_attention.triton import attend as fused

        return fused(q, k, v, mask)
    return attend(q, k, v, mask)
