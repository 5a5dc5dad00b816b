"""Products of many pairs of matrices of any shapes, by one launch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from neurodecode_kernels.interpreter import interpreting
from neurodecode_kernels.subject_linear.reference import activate

__all__ = ["linear"]


def linear(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None,
    activation: str,
) -> Tensor:
    """Take each subject's rows through its own weights; see `subject_linear`.

    Parameters
    ----------
    inputs : sequence of Tensor of shape (n_rows, n_features)
        Rows of each subject, at least one.
    weights : sequence of Tensor of shape (n_features, width)
        Weights of each.
    biases : sequence of Tensor of shape (width,), optional
        Bias of each.
    activation : {"none", "relu", "gelu"}
        Applied to the result.

    Returns
    -------
    Tensor of shape (total rows, width)
        Rows of all subjects.
    """
    return _Linear.apply(activation, len(inputs), *inputs, *weights, *(biases or []))


class _Linear(Function):
    @staticmethod
    def forward(ctx: Any, activation: str, n: int, *given: Tensor) -> Tensor:
        inputs, weights, biases = given[:n], given[n : 2 * n], given[2 * n :]
        counts = [len(rows) for rows in inputs]
        # the derivative of an activation needs what went into it
        keep = activation != "none" and any(ctx.needs_input_grad[2:])
        total = inputs[0].new_empty(sum(counts), weights[0].shape[1])
        grouped_product(
            inputs, weights, total.split(counts), biases, "none" if keep else activation
        )
        ctx.save_for_backward(*given, *([total] if keep else []))
        ctx.sizes = activation, n, counts, keep
        return activate(total, activation) if keep else total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:
        activation, n, counts, keep = ctx.sizes
        saved = ctx.saved_tensors
        inputs, weights = saved[:n], saved[n : 2 * n]
        needed = ctx.needs_input_grad[2:]
        given = given.contiguous()
        if keep:
            with torch.enable_grad():
                before = saved[-1].detach().requires_grad_()
                after = activate(before, activation)
            (given,) = torch.autograd.grad(after, before, given)
        parts = given.split(counts)
        out: list[Tensor | None] = [None] * len(needed)
        rows = [i for i in range(n) if needed[i]]
        if rows:
            out[:n] = _fill(rows, n, inputs)
            pairs = [parts[i] for i in rows], [weights[i].T for i in rows]
            grouped_product(*pairs, [out[i] for i in rows])
        learned = [i for i in range(n) if needed[n + i]]
        if learned:
            out[n : 2 * n] = _fill(learned, n, weights)
            pairs = [inputs[i].T for i in learned], [parts[i] for i in learned]
            grouped_product(*pairs, [out[n + i] for i in learned])
        for i in range(len(needed) - 2 * n):
            out[2 * n + i] = parts[i].sum(0) if needed[2 * n + i] else None
        return None, None, *out


def _fill(which: list[int], n: int, like: Sequence[Tensor]) -> list[Tensor | None]:
    return [torch.empty_like(like[i]) if i in which else None for i in range(n)]


def grouped_product(
    left: Sequence[Tensor],
    right: Sequence[Tensor],
    out: Sequence[Any],
    biases: Sequence[Tensor] = (),
    activation: str = "none",
) -> None:
    """Write ``left[g] @ right[g]`` to ``out[g]`` for all g in one launch.

    Sizes and addresses go to the device in two small tables, without waiting for it. Where there
    are too few tiles for the device, each product is split along what is summed; the parts are
    added in a fixed order.

    Parameters
    ----------
    left : sequence of Tensor of shape (m, k)
        All contiguous, or all transposes of contiguous ones.
    right : sequence of Tensor of shape (k, n)
        All contiguous, or all transposes of contiguous ones.
    out : sequence of Tensor of shape (m, n)
        Contiguous.
    biases : sequence of Tensor of shape (n,)
        Added, if there are any.
    activation : {"none", "relu", "gelu"}
        Applied.
    """
    flip_left, flip_right = (not each[0].is_contiguous() for each in (left, right))
    tile = _tiles(max(each.shape[0] for each in left))
    tiles = _tile_table([each.shape for each in out], tile)
    depth = max(each.shape[1] for each in left)
    split = _split(len(tiles), depth, tile["BLOCK_K"], out[0].device)
    targets = list(out)
    if split > 1:
        targets = [each.new_empty(split, *each.shape, dtype=torch.float32) for each in out]
    groups = [
        [a.data_ptr(), b.data_ptr(), c.data_ptr(), bias, *a.shape, b.shape[1]]
        for a, b, c, bias in zip(left, right, targets, _addresses(biases, len(out)), strict=True)
    ]
    aligned = all(address % 16 == 0 for group in groups for address in group[:4])
    even = all(group[6] % 16 == 0 for group in groups)
    where = out[0].device
    _product[(len(tiles), split)](
        _send(groups, torch.int64, where), _send(tiles, torch.int32, where), left[0],
        targets[0], FLIP_LEFT=flip_left, FLIP_RIGHT=flip_right, ALIGNED=aligned, EVEN=even,
        BIAS=bool(biases) and split == 1, ACTIVATION=activation if split == 1 else "none",
        PRECISION=_precision(left[0]), **tile,
    )  # fmt: skip
    if split > 1:
        for number, (parts, each) in enumerate(zip(targets, out, strict=True)):
            total = parts.sum(0)
            total = total + biases[number] if biases else total
            each.copy_(activate(total, activation))


def _addresses(biases: Sequence[Tensor], n: int) -> list[int]:
    return [each.data_ptr() for each in biases] or [0] * n


def _send(table: list[list[int]], dtype: torch.dtype, device: torch.device) -> Tensor:
    """A small table on the device; from pinned memory the copy does not wait."""
    made = torch.tensor(table, dtype=dtype)
    return made.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else made


def _tile_table(shapes: Sequence[Sequence[int]], tile: dict[str, int]) -> list[list[int]]:
    """Group, first row and first column of every tile; tiles of one column block together."""
    return [
        [group, m, n]
        for group, (rows, columns) in enumerate(shapes)
        for n in range(0, columns, tile["BLOCK_N"])
        for m in range(0, rows, tile["BLOCK_M"])
    ]


def _tiles(n_rows: int) -> dict[str, int]:
    if interpreting():
        return {"BLOCK_M": 16, "BLOCK_N": 16, "BLOCK_K": 16}
    if n_rows <= 16:
        return {"BLOCK_M": 16, "BLOCK_N": 128, "BLOCK_K": 128, "num_warps": 4, "num_stages": 4}
    block = 32 if n_rows <= 32 else 64 if n_rows <= 64 else 128
    return {"BLOCK_M": block, "BLOCK_N": 128, "BLOCK_K": 64, "num_warps": 8, "num_stages": 4}


def _split(n_tiles: int, depth: int, block_k: int, device: torch.device) -> int:
    """Parts along what is summed, so that two tiles come on every processor."""
    processors = 4
    if device.type == "cuda":
        processors = torch.cuda.get_device_properties(device).multi_processor_count
    wanted = triton.cdiv(2 * processors, n_tiles) if n_tiles < processors else 1
    return max(1, min(wanted, depth // (4 * block_k), 16))


def _precision(like: Tensor) -> str:
    exact = like.dtype != torch.float32 or interpreting() or torch.version.hip
    return "tf32" if not exact and torch.backends.cuda.matmul.allow_tf32 else "ieee"


@triton.jit
def _product(
    groups, tiles, like, out_like,
    FLIP_LEFT: tl.constexpr, FLIP_RIGHT: tl.constexpr, ALIGNED: tl.constexpr, EVEN: tl.constexpr,
    BIAS: tl.constexpr, ACTIVATION: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """One tile of one product, or of a part of it."""
    at = tl.program_id(0)
    part, n_parts = tl.program_id(1), tl.num_programs(1)
    group = groups + tl.load(tiles + 3 * at) * 7
    # what is loaded has no known divisors, without which no load is wider than one value
    m = tl.multiple_of(tl.load(tiles + 3 * at + 1), BLOCK_M) + tl.arange(0, BLOCK_M)
    n = tl.multiple_of(tl.load(tiles + 3 * at + 2), BLOCK_N) + tl.arange(0, BLOCK_N)
    left = tl.load(group).to(tl.pointer_type(like.dtype.element_ty))
    right = tl.load(group + 1).to(tl.pointer_type(like.dtype.element_ty))
    out = tl.load(group + 2).to(tl.pointer_type(out_like.dtype.element_ty))
    if ALIGNED:
        left, right = tl.multiple_of(left, 16), tl.multiple_of(right, 16)
        out = tl.multiple_of(out, 16)
    rows, depth, columns = tl.load(group + 4), tl.load(group + 5), tl.load(group + 6)
    if EVEN:
        columns = tl.multiple_of(columns, 16)
    wide_m, wide_n = m.to(tl.int64)[:, None], n.to(tl.int64)[None, :]
    total = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    share = tl.cdiv(tl.cdiv(depth, BLOCK_K), n_parts) * BLOCK_K
    stop = tl.minimum(depth, (part + 1) * share)
    for start in range(part * share, stop, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        here = (wide_m < rows) & (k[None, :] < depth)
        there = (k[:, None] < depth) & (wide_n < columns)
        a = left + (k[None, :] * rows + wide_m if FLIP_LEFT else wide_m * depth + k[None, :])
        b = right + (wide_n * depth + k[:, None] if FLIP_RIGHT else k[:, None] * columns + wide_n)
        total = tl.dot(
            tl.load(a, mask=here, other=0.0), tl.load(b, mask=there, other=0.0), total,
            input_precision=PRECISION,
        )  # fmt: skip
    if BIAS:
        bias = tl.load(group + 3).to(tl.pointer_type(like.dtype.element_ty))
        total += tl.load(bias + n, mask=n < columns, other=0.0)[None, :]
    if ACTIVATION == "relu":
        # not maximum: NaN stays NaN
        total = tl.where(total < 0, 0.0, total)
    if ACTIVATION == "gelu":
        total = total * 0.5 * (1.0 + tl.math.erf(total * 0.7071067811865476))
    place = out + part * rows * columns + wide_m * columns + wide_n
    tl.store(place, total.to(out_like.dtype.element_ty), mask=(wide_m < rows) & (wide_n < columns))
