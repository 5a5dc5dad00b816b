"""Cross-attention with its map in Triton: up to 512 tokens in one pass."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from neurodecode_kernels.interpreter import interpreting

__all__ = ["attend"]

#: Score of what may not be seen: finite, so that differences are never NaN.
LOW = tl.constexpr(-1.0e38)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Attend, and average the weights over heads; see `routed_attention`.

    Parameters
    ----------
    q : Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Queries, contiguous.
    k, v : Tensor of shape (n_batch, n_heads, n_tokens, head_dim)
        Keys and values, contiguous.
    mask : Tensor of bool of shape (n_batch, n_tokens), optional
        Tokens that may be read.

    Returns
    -------
    Tensor of shape (n_batch, n_heads, n_queries, head_dim)
        Output.
    Tensor of shape (n_batch, n_queries, n_tokens)
        Map.
    """
    return _Attend.apply(q, k, v, mask)


class _Attend(Function):
    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        n_batch, n_heads, n_queries, dim = q.shape
        n_tokens = k.shape[2]
        out = torch.empty_like(q)
        maps = q.new_empty(n_batch, n_queries, n_tokens)
        norm = q.new_empty(q.shape[:3], dtype=torch.float32)
        tile = _tiles(n_tokens, dim, q.element_size())
        sizes = (n_heads, n_queries, n_tokens, dim, dim**-0.5)
        given = (q, k, v, _or(mask, q))
        blocks = triton.cdiv(n_queries, tile["BLOCK_Q"])
        single = tile["BLOCK_P"] >= n_tokens
        _forward[(n_batch, blocks)](
            *given, out, maps, norm, *sizes, MASKED=mask is not None, SINGLE=single, **tile
        )
        if not single:
            along = triton.cdiv(n_tokens, tile["BLOCK_P"])
            _map[(n_batch, blocks, along)](
                q, k, given[3], maps, norm, *sizes, MASKED=mask is not None, **tile
            )
        ctx.save_for_backward(q, k, v, mask, norm)
        return out, maps

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_out: Tensor, of_map: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, mask, norm = ctx.saved_tensors
        n_batch, n_heads, n_queries, dim = q.shape
        n_tokens = k.shape[2]
        of_out, of_map = of_out.contiguous(), of_map.contiguous()
        of_q, of_k, of_v = (torch.empty_like(each) for each in (q, k, v))
        mean = torch.empty_like(norm)
        tile = _tiles(n_tokens, dim, q.element_size())
        sizes = (n_heads, n_queries, n_tokens, dim, dim**-0.5)
        given = (q, k, v, _or(mask, q), of_out, of_map, norm, mean)
        masked = mask is not None
        _of_queries[(n_batch * n_heads, triton.cdiv(n_queries, tile["BLOCK_Q"]))](
            *given, of_q, *sizes, MASKED=masked, **tile
        )
        tile = tile | {"BLOCK_P": min(tile["BLOCK_P"], 64)}
        _of_tokens[(n_batch * n_heads, triton.cdiv(n_tokens, tile["BLOCK_P"]))](
            *given, of_k, of_v, *sizes, MASKED=masked, **tile
        )
        return of_q, of_k, of_v, None


def _or(mask: Tensor | None, other: Tensor) -> Tensor:
    """A pointer must be handed over even where it is not read."""
    return other if mask is None else mask.view(torch.uint8)


def _tiles(n_tokens: int, dim: int, item_size: int) -> dict[str, int]:
    block_d = max(16, triton.next_power_of_2(dim))
    # keys and values of a tile are in shared memory together, 128 kB at most
    most = 32 if interpreting() else min(512, 65536 // (item_size * block_d))
    whole = max(16, triton.next_power_of_2(n_tokens))
    single = whole <= most
    block_p = whole if single else min(most, 64)
    # one tile has no next one to fetch meanwhile
    return {
        "BLOCK_Q": 16, "BLOCK_P": block_p, "BLOCK_D": block_d, "num_stages": 1 if single else 2,
    }  # fmt: skip


@triton.jit
def _rows(base, row, n_rows, dim, BLOCK_D: tl.constexpr):
    """Rows of a matrix (n_rows, dim), zero beyond its ends."""
    d = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < n_rows) & (d[None, :] < dim)
    return tl.load(base + row[:, None] * dim + d[None, :], mask=inside, other=0.0)


@triton.jit
def _put(base, value, row, n_rows, dim, BLOCK_D: tl.constexpr):
    """Write rows of a matrix (n_rows, dim)."""
    d = tl.arange(0, BLOCK_D)
    inside = (row[:, None] < n_rows) & (d[None, :] < dim)
    value = value.to(base.dtype.element_ty)
    tl.store(base + row[:, None] * dim + d[None, :], value, mask=inside)


@triton.jit
def _readable(mask, item, p, n_tokens, MASKED: tl.constexpr):
    """Which tokens may be read."""
    inside = p < n_tokens
    if MASKED:
        inside = inside & (tl.load(mask + item * n_tokens + p, mask=inside, other=0) != 0)
    return inside


@triton.jit
def _tokens(base, p, readable, dim, BLOCK_D: tl.constexpr):
    """Keys or values, zero where they may not be read (0 * NaN is NaN)."""
    d = tl.arange(0, BLOCK_D)
    inside = readable[:, None] & (d[None, :] < dim)
    return tl.load(base + p[:, None] * dim + d[None, :], mask=inside, other=0.0)


@triton.jit
def _forward(
    q, k, v, mask, out, maps, norm, n_heads, n_queries, n_tokens, dim, scale,
    MASKED: tl.constexpr, SINGLE: tl.constexpr,
    BLOCK_Q: tl.constexpr, BLOCK_P: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """All heads of a block of queries; with one tile of tokens also their map."""
    item = tl.program_id(0).to(tl.int64)
    i = tl.program_id(1) * BLOCK_Q + tl.arange(0, BLOCK_Q)
    total_map = tl.zeros((BLOCK_Q, BLOCK_P), tl.float32)
    for head in range(n_heads):
        which = item * n_heads + head
        asked = _rows(q + which * n_queries * dim, i, n_queries, dim, BLOCK_D)
        keys, values = k + which * n_tokens * dim, v + which * n_tokens * dim
        high, total = tl.full((BLOCK_Q,), LOW, tl.float32), tl.zeros((BLOCK_Q,), tl.float32)
        summed = tl.zeros((BLOCK_Q, BLOCK_D), tl.float32)
        weights = tl.zeros((BLOCK_Q, BLOCK_P), tl.float32)
        for start in range(0, n_tokens, BLOCK_P):
            p = start + tl.arange(0, BLOCK_P)
            readable = _readable(mask, item, p, n_tokens, MASKED)
            key = _tokens(keys, p, readable, dim, BLOCK_D)
            scores = tl.dot(asked, tl.trans(key), input_precision="ieee") * scale
            scores = tl.where(readable[None, :], scores, LOW)
            new = tl.maximum(high, tl.max(scores, 1))
            weights = tl.exp(tl.where(readable[None, :], scores - new[:, None], LOW))
            left = tl.exp(high - new)
            total = total * left + tl.sum(weights, 1)
            value = _tokens(values, p, readable, dim, BLOCK_D)
            summed = tl.dot(
                weights.to(value.dtype), value, summed * left[:, None], input_precision="ieee"
            )
            high = new
        total = tl.where(total == 0.0, 1.0, total)
        _put(out + which * n_queries * dim, summed / total[:, None], i, n_queries, dim, BLOCK_D)
        tl.store(norm + which * n_queries + i, high + tl.log(total), mask=i < n_queries)
        if SINGLE:
            total_map += weights / total[:, None]
    if SINGLE:
        p = tl.arange(0, BLOCK_P)
        place = maps + (item * n_queries + i[:, None]) * n_tokens + p[None, :]
        inside = (i[:, None] < n_queries) & (p[None, :] < n_tokens)
        tl.store(place, (total_map / n_heads).to(maps.dtype.element_ty), mask=inside)


@triton.jit
def _map(
    q, k, mask, maps, norm, n_heads, n_queries, n_tokens, dim, scale,
    MASKED: tl.constexpr,
    BLOCK_Q: tl.constexpr, BLOCK_P: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Map of a block of queries and a tile of tokens, once the norms are known."""
    item = tl.program_id(0).to(tl.int64)
    i = tl.program_id(1) * BLOCK_Q + tl.arange(0, BLOCK_Q)
    p = tl.program_id(2) * BLOCK_P + tl.arange(0, BLOCK_P)
    readable = _readable(mask, item, p, n_tokens, MASKED)
    total = tl.zeros((BLOCK_Q, BLOCK_P), tl.float32)
    for head in range(n_heads):
        which = item * n_heads + head
        asked = _rows(q + which * n_queries * dim, i, n_queries, dim, BLOCK_D)
        key = _tokens(k + which * n_tokens * dim, p, readable, dim, BLOCK_D)
        scores = tl.dot(asked, tl.trans(key), input_precision="ieee") * scale
        whole = tl.load(norm + which * n_queries + i, mask=i < n_queries, other=0.0)
        seen = (i[:, None] < n_queries) & readable[None, :]
        total += tl.exp(tl.where(seen, scores - whole[:, None], LOW))
    place = maps + (item * n_queries + i[:, None]) * n_tokens + p[None, :]
    inside = (i[:, None] < n_queries) & (p[None, :] < n_tokens)
    tl.store(place, (total / n_heads).to(maps.dtype.element_ty), mask=inside)


@triton.jit
def _slopes(
    asked, key, value, of_out, of_map, norm, item, i, p, readable, n_heads, n_queries, n_tokens,
    scale,
):  # fmt: skip
    """Weights of a tile, and the gradient with respect to them."""
    scores = tl.dot(asked, tl.trans(key), input_precision="ieee") * scale
    real = i < n_queries
    whole = tl.load(norm + i, mask=real, other=0.0)
    seen = real[:, None] & readable[None, :]
    weights = tl.exp(tl.where(seen, scores - whole[:, None], LOW))
    place = of_map + (item * n_queries + i[:, None]) * n_tokens + p[None, :]
    inside = real[:, None] & (p[None, :] < n_tokens)
    slope = tl.load(place, mask=inside, other=0.0).to(tl.float32) / n_heads
    return weights, slope + tl.dot(of_out, tl.trans(value), input_precision="ieee")


@triton.jit
def _of_queries(
    q, k, v, mask, of_out, of_map, norm, mean, of_q,
    n_heads, n_queries, n_tokens, dim, scale,
    MASKED: tl.constexpr,
    BLOCK_Q: tl.constexpr, BLOCK_P: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Gradient of a block of queries of one head, and the mean slope of each."""
    which = tl.program_id(0).to(tl.int64)
    item = which // n_heads
    i = tl.program_id(1) * BLOCK_Q + tl.arange(0, BLOCK_Q)
    asked = _rows(q + which * n_queries * dim, i, n_queries, dim, BLOCK_D)
    given = _rows(of_out + which * n_queries * dim, i, n_queries, dim, BLOCK_D)
    keys, values = k + which * n_tokens * dim, v + which * n_tokens * dim
    norms = norm + which * n_queries
    average = tl.zeros((BLOCK_Q,), tl.float32)
    for start in range(0, n_tokens, BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        readable = _readable(mask, item, p, n_tokens, MASKED)
        key = _tokens(keys, p, readable, dim, BLOCK_D)
        value = _tokens(values, p, readable, dim, BLOCK_D)
        weights, slope = _slopes(
            asked, key, value, given, of_map, norms, item, i, p, readable, n_heads, n_queries,
            n_tokens, scale,
        )  # fmt: skip
        average += tl.sum(weights * slope, 1)
    tl.store(mean + which * n_queries + i, average, mask=i < n_queries)
    total = tl.zeros((BLOCK_Q, BLOCK_D), tl.float32)
    for start in range(0, n_tokens, BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        readable = _readable(mask, item, p, n_tokens, MASKED)
        key = _tokens(keys, p, readable, dim, BLOCK_D)
        value = _tokens(values, p, readable, dim, BLOCK_D)
        weights, slope = _slopes(
            asked, key, value, given, of_map, norms, item, i, p, readable, n_heads, n_queries,
            n_tokens, scale,
        )  # fmt: skip
        step = (weights * (slope - average[:, None]) * scale).to(key.dtype)
        total = tl.dot(step, key, total, input_precision="ieee")
    _put(of_q + which * n_queries * dim, total, i, n_queries, dim, BLOCK_D)


@triton.jit
def _of_tokens(
    q, k, v, mask, of_out, of_map, norm, mean, of_k, of_v,
    n_heads, n_queries, n_tokens, dim, scale,
    MASKED: tl.constexpr,
    BLOCK_Q: tl.constexpr, BLOCK_P: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """Gradient of a tile of keys and values of one head."""
    which = tl.program_id(0).to(tl.int64)
    item = which // n_heads
    p = tl.program_id(1) * BLOCK_P + tl.arange(0, BLOCK_P)
    readable = _readable(mask, item, p, n_tokens, MASKED)
    key = _tokens(k + which * n_tokens * dim, p, readable, dim, BLOCK_D)
    value = _tokens(v + which * n_tokens * dim, p, readable, dim, BLOCK_D)
    key_total = tl.zeros((BLOCK_P, BLOCK_D), tl.float32)
    value_total = tl.zeros((BLOCK_P, BLOCK_D), tl.float32)
    for start in range(0, n_queries, BLOCK_Q):
        i = start + tl.arange(0, BLOCK_Q)
        asked = _rows(q + which * n_queries * dim, i, n_queries, dim, BLOCK_D)
        given = _rows(of_out + which * n_queries * dim, i, n_queries, dim, BLOCK_D)
        weights, slope = _slopes(
            asked, key, value, given, of_map, norm + which * n_queries, item, i, p, readable,
            n_heads, n_queries, n_tokens, scale,
        )  # fmt: skip
        average = tl.load(mean + which * n_queries + i, mask=i < n_queries, other=0.0)
        step = (weights * (slope - average[:, None]) * scale).to(asked.dtype)
        key_total = tl.dot(tl.trans(step), asked, key_total, input_precision="ieee")
        value_total = tl.dot(
            tl.trans(weights.to(given.dtype)), given, value_total, input_precision="ieee"
        )
    _put(of_k + which * n_tokens * dim, key_total, p, n_tokens, dim, BLOCK_D)
    _put(of_v + which * n_tokens * dim, value_total, p, n_tokens, dim, BLOCK_D)
