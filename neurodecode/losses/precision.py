"""Single-precision arithmetic inside a half-precision training step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["full_precision", "no_autocast"]


def full_precision(values: Tensor) -> Tensor:
    """Cast half precision up to float32; leave float32 and float64 as they are.

    Parameters
    ----------
    values : Tensor
        Floating-point tensor of any shape.

    Returns
    -------
    Tensor
        The same values, at least in single precision.
    """
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


@contextmanager
def no_autocast(values: Tensor) -> Iterator[None]:
    """Switch autocast off on the device of `values`.

    A matrix product under autocast rounds to half precision even where its inputs are
    float32. At a temperature of .004 the rounding of a cosine near 1 (2e-3 in bfloat16) becomes
    an error of .5 in the logit.

    Parameters
    ----------
    values : Tensor
        Tells the device.

    Yields
    ------
    None
    """
    kind = values.device.type
    if not torch.amp.is_autocast_available(kind):
        yield  # e.g. `meta`: nothing to switch off
        return
    with torch.autocast(device_type=kind, enabled=False):
        yield
