"""One update of AdamW in one launch: seven values move for each weight, none twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import triton
import triton.language as tl
from torch import Tensor

__all__ = ["adamw"]

_BLOCK = 1024


def adamw(
    parameter: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    group: Mapping[str, Any],
) -> None:
    """Update in place; see `optimiser.adamw_reference`.

    Parameters
    ----------
    parameter, grad, mean, square : Tensor
        Weights, gradient, and the running means of gradient and squared gradient.
    step : int
        Number of this update, from 1.
    group : mapping
        ``lr``, ``betas``, ``eps`` and ``weight_decay``.
    """
    (first, second), lr = group["betas"], group["lr"]
    n = parameter.numel()
    _adamw[(triton.cdiv(n, _BLOCK),)](
        parameter, grad, mean, square, n, 1 - lr * group["weight_decay"],
        lr / (1 - first**step), (1 - second**step) ** -0.5, first, second, group["eps"],
        BLOCK=_BLOCK,
    )  # fmt: skip


@triton.jit
def _adamw(
    parameter, grad, mean, square, n, shrink, rate, correct, first, second, eps,
    BLOCK: tl.constexpr,
):  # fmt: skip
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    real = at < n
    slope = tl.load(grad + at, mask=real, other=0.0).to(tl.float32)
    average = tl.load(mean + at, mask=real, other=0.0).to(tl.float32)
    spread = tl.load(square + at, mask=real, other=0.0).to(tl.float32)
    weight = tl.load(parameter + at, mask=real, other=0.0).to(tl.float32)
    average = first * average + (1 - first) * slope
    spread = second * spread + (1 - second) * slope * slope
    weight = weight * shrink - rate * average / (tl.sqrt(spread) * correct + eps)
    tl.store(mean + at, average.to(mean.dtype.element_ty), mask=real)
    tl.store(square + at, spread.to(square.dtype.element_ty), mask=real)
    tl.store(parameter + at, weight.to(parameter.dtype.element_ty), mask=real)
