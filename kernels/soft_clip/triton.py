"""Contrastive losses in Triton: logits and weights live in tiles only."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from neurodecode_kernels.interpreter import interpreting

__all__ = ["contrast"]

#: Values of the gradient of the logits that are in memory at once.
_STRIP = 2**25


def contrast(
    predictions: Tensor, targets: Tensor, scale: Tensor, bidirectional: bool, soft: bool
) -> Tensor:
    """Compute the loss; see `reference.contrast`.

    Parameters
    ----------
    predictions, targets : Tensor of shape (n_items, dim)
        Rows to compare, contiguous.
    scale : scalar Tensor
        Factor of the dot products.
    bidirectional : bool
        Both directions, or the first alone.
    soft : bool
        Weights from the targets among themselves, or the identity.

    Returns
    -------
    Tensor
        Scalar of single precision.
    """
    return _Contrast.apply(predictions, targets, scale, bidirectional, soft)


class _Contrast(Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, targets: Tensor, scale: Tensor, bidirectional: bool, soft: bool
    ) -> Tensor:
        n, dim = rows.shape
        tile = _tiles(dim)
        n_blocks = triton.cdiv(n, tile["BLOCK_M"])
        row_norm, weight_norm, row_mean = rows.new_zeros(3, n, dtype=torch.float32)
        # what each block of rows saw of every column: highest and sum, of logits and weights
        seen = rows.new_empty(4, n_blocks, n, dtype=torch.float32)
        _statistics[(n_blocks,)](
            rows, targets, scale, row_norm, weight_norm, row_mean, seen, n, dim,
            SOFT=soft, PRECISION=_precision(rows), **tile,
        )  # fmt: skip
        column_norm = (seen[0] + seen[1].log()).logsumexp(0)
        if soft:
            column_mean = ((seen[2] - weight_norm).exp() * seen[3]).sum(0)
        else:
            row_mean = column_mean = (rows.float() * targets.float()).sum(1) * scale
        loss = (row_norm - row_mean).mean()
        if bidirectional:
            loss = (loss + (column_norm - column_mean).mean()) / 2
        ctx.save_for_backward(rows, targets, scale, row_norm, column_norm, weight_norm)
        ctx.choices = bidirectional, soft
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:
        rows, targets, scale, row_norm, column_norm, weight_norm = ctx.saved_tensors
        bidirectional, soft = ctx.choices
        n, dim = rows.shape
        tile = _tiles(dim)
        height = max(tile["BLOCK_M"], min(n, _STRIP // n // 128 * 128))
        strip = torch.empty(height, n, dtype=rows.dtype, device=rows.device)
        of_rows = torch.empty(n, dim, dtype=torch.float32, device=rows.device)
        of_targets = torch.zeros_like(of_rows) if ctx.needs_input_grad[1] else None
        for start in range(0, n, height):
            stop = min(start + height, n)
            grid = (triton.cdiv(stop - start, tile["BLOCK_M"]), triton.cdiv(n, tile["BLOCK_N"]))
            _pull[grid](
                rows, targets, scale, row_norm, column_norm, weight_norm, strip, start, stop, n,
                dim, SOFT=soft, BOTH=bidirectional, PRECISION=_precision(rows), **tile,
            )  # fmt: skip
            part = strip[: stop - start]
            of_rows[start:stop] = part @ targets
            if of_targets is not None:
                of_targets += part.T @ rows[start:stop]
        share = given / (2 * n if bidirectional else n)
        of_scale = (of_rows * rows).sum() * share if ctx.needs_input_grad[2] else None
        if of_targets is not None:
            of_targets = (of_targets * (share * scale)).to(targets.dtype)
        return (of_rows * (share * scale)).to(rows.dtype), of_targets, of_scale, None, None


def _tiles(dim: int) -> dict[str, int]:
    if interpreting():  # several tiles along every axis even of small inputs
        return {"BLOCK_M": 16, "BLOCK_N": 16, "BLOCK_K": 16}
    block_k = 64 if dim >= 64 else 32
    return {"BLOCK_M": 128, "BLOCK_N": 64, "BLOCK_K": block_k, "num_warps": 8, "num_stages": 3}


def _precision(rows: Tensor) -> str:
    """Of the products: single precision is only rounded where torch's own products are."""
    if rows.dtype != torch.float32 or interpreting():
        return "ieee"
    if torch.version.hip:
        return "ieee"
    return "tf32" if torch.backends.cuda.matmul.allow_tf32 else "tf32x3"


@triton.jit
def _pair(
    rows, targets, scale, m, n, n_items, dim,
    SOFT: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Logits of one tile, and the similarities of its targets."""
    logits = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    alike = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    wide_m, wide_n = m.to(tl.int64)[:, None] * dim, n.to(tl.int64)[None, :] * dim
    for start in range(0, dim, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        here = (m[:, None] < n_items) & (k[None, :] < dim)
        there = (n[None, :] < n_items) & (k[:, None] < dim)
        columns = tl.load(targets + wide_n + k[:, None], mask=there, other=0.0)
        left = tl.load(rows + wide_m + k[None, :], mask=here, other=0.0)
        logits = tl.dot(left, columns, logits, input_precision=PRECISION)
        if SOFT:
            left = tl.load(targets + wide_m + k[None, :], mask=here, other=0.0)
            alike = tl.dot(left, columns, alike, input_precision=PRECISION)
    return logits * scale, alike * scale


@triton.jit
def _statistics(
    rows, targets, scale_at, row_norm, weight_norm, row_mean, seen, n_items, dim,
    SOFT: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Norms of the rows of a block, and what it sees of each column."""
    block = tl.program_id(0)
    m = block * BLOCK_M + tl.arange(0, BLOCK_M)
    scale = tl.load(scale_at)
    low: tl.constexpr = -1.0e38
    high, total = tl.full((BLOCK_M,), low, tl.float32), tl.zeros((BLOCK_M,), tl.float32)
    weight_high, weight_total = high, total
    mean = tl.zeros((BLOCK_M,), tl.float32)
    layer = tl.num_programs(0).to(tl.int64) * n_items
    for start in range(0, n_items, BLOCK_N):
        n = start + tl.arange(0, BLOCK_N)
        logits, alike = _pair(
            rows, targets, scale, m, n, n_items, dim, SOFT, PRECISION, BLOCK_M, BLOCK_N, BLOCK_K
        )
        inside = n[None, :] < n_items
        shown = tl.where(inside, logits, low)
        new = tl.maximum(high, tl.max(shown, 1))
        total = total * tl.exp(high - new) + tl.sum(tl.exp(shown - new[:, None]), 1)
        high = new
        real = m[:, None] < n_items
        place = seen + block.to(tl.int64) * n_items + n
        column = tl.where(real, logits, low)
        top = tl.max(column, 0)
        tl.store(place, top, mask=n < n_items)
        tl.store(place + layer, tl.sum(tl.exp(column - top[None, :]), 0), mask=n < n_items)
        if SOFT:
            shown = tl.where(inside, alike, low)
            new = tl.maximum(weight_high, tl.max(shown, 1))
            left = tl.exp(weight_high - new)
            weights = tl.exp(shown - new[:, None])
            mean = mean * left + tl.sum(weights * logits, 1)
            weight_total = weight_total * left + tl.sum(weights, 1)
            weight_high = new
            column = tl.where(real, alike, low)
            top = tl.max(column, 0)
            summed = tl.sum(tl.exp(column - top[None, :]) * logits, 0)
            tl.store(place + 2 * layer, top, mask=n < n_items)
            tl.store(place + 3 * layer, summed, mask=n < n_items)
    tl.store(row_norm + m, high + tl.log(total), mask=m < n_items)
    if SOFT:
        tl.store(weight_norm + m, weight_high + tl.log(weight_total), mask=m < n_items)
        tl.store(row_mean + m, mean / weight_total, mask=m < n_items)


@triton.jit
def _pull(
    rows, targets, scale_at, row_norm, column_norm, weight_norm, strip, first, last, n_items, dim,
    SOFT: tl.constexpr, BOTH: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """Gradient with respect to the logits of one tile, times N (or 2 N): guess minus truth."""
    m = first + tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    n = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    logits, alike = _pair(
        rows, targets, tl.load(scale_at), m, n, n_items, dim, SOFT, PRECISION,
        BLOCK_M, BLOCK_N, BLOCK_K,
    )  # fmt: skip
    real, inside = m < last, n < n_items
    pull = tl.exp(logits - tl.load(row_norm + m, mask=real, other=0.0)[:, None])
    if BOTH:
        pull += tl.exp(logits - tl.load(column_norm + n, mask=inside, other=0.0)[None, :])
    if SOFT:
        pull -= tl.exp(alike - tl.load(weight_norm + m, mask=real, other=0.0)[:, None])
        if BOTH:
            pull -= tl.exp(alike - tl.load(weight_norm + n, mask=inside, other=0.0)[None, :])
    else:
        pull -= tl.where(m[:, None] == n[None, :], 2.0 if BOTH else 1.0, 0.0)
    place = strip + (m - first).to(tl.int64)[:, None] * n_items + n[None, :]
    tl.store(place, pull.to(strip.dtype.element_ty), mask=real[:, None] & inside[None, :])
