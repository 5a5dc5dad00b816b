"""Kernels run in Triton's interpreter where there is no GPU."""

from __future__ import annotations

import importlib.util

import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture
def device() -> str:
    """Where kernels run, or why not."""
    if importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed: kernels are not tested")
    from neurodecode_kernels.interpreter import interpreting

    if DEVICE == "cpu" and not interpreting():
        pytest.skip("no GPU, and Triton was imported before its interpreter could be chosen")
    return DEVICE
