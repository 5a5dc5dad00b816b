"""Which path a call takes, and why."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from neurodecode_kernels.interpreter import interpreting, mend_interpreter

__all__ = ["Backend", "KernelError", "check_alike", "take_triton", "why_not_triton"]

Backend = Literal["auto", "reference", "triton"]

_LOG = logging.getLogger(__name__)
_ON_CPU = "the tensors are on the CPU"
_DTYPES = (torch.float32, torch.bfloat16, torch.float16)
_SAID: set[tuple[str, str]] = set()


class KernelError(ValueError):
    """Input that no path can take, or a path that was asked for and cannot be taken."""


def check_alike(name: str, tensors: Sequence[Tensor]) -> None:
    """Refuse tensors of different type or device.

    Parameters
    ----------
    name : str
        The operation.
    tensors : sequence of Tensor
        Its inputs.

    Raises
    ------
    KernelError
        If they differ.
    """
    if len(types := {each.dtype for each in tensors}) > 1:
        raise KernelError(f"{name}: tensors of one dtype, not {', '.join(sorted(map(str, types)))}")
    if len(places := {each.device for each in tensors}) > 1:
        raise KernelError(f"{name}: one device, not {', '.join(sorted(map(str, places)))}")


def why_not_triton(tensors: Sequence[Tensor]) -> str | None:
    """Reason for which no Triton kernel can run on these tensors.

    Parameters
    ----------
    tensors : sequence of Tensor
        Inputs, of one type and device.

    Returns
    -------
    str or None
        The reason; None if there is none.
    """
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed"
    if any(not each.is_contiguous() for each in tensors):
        return "a tensor is not contiguous"
    if any(each.dtype not in _DTYPES for each in tensors):
        return f"no kernel for {tensors[0].dtype}"
    if any(each.device.type != "cuda" for each in tensors):
        # it would take the bits of bfloat16 for integers, and say nothing
        wrong = interpreting() and tensors[0].dtype == torch.bfloat16
        return "Triton's interpreter cannot multiply bfloat16" if wrong else _ON_CPU
    return None


def take_triton(name: str, reason: str | None, backend: Backend) -> bool:
    """Choose the path, and say so where it is not the expected one.

    Parameters
    ----------
    name : str
        The operation.
    reason : str or None
        From its `why_not`.
    backend : {"auto", "reference", "triton"}
        What the caller wants.

    Returns
    -------
    bool
        True for Triton.

    Raises
    ------
    KernelError
        If Triton was asked for and cannot run.
    """
    if backend not in ("auto", "reference", "triton"):
        raise KernelError(f"{name}: backend is auto, reference or triton, not {backend!r}")
    if backend == "reference":
        return False
    if backend == "triton":
        if reason == _ON_CPU and interpreting():
            mend_interpreter()
            return True
        if reason is None:
            return True
        raise KernelError(f"{name}: the Triton kernel cannot run: {reason}")
    if reason is None:
        return True
    if (name, reason) not in _SAID:
        _SAID.add((name, reason))
        level = logging.DEBUG if reason == _ON_CPU else logging.WARNING
        _LOG.log(level, "%s takes the reference path: %s", name, reason)
    return False
