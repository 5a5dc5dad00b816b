"""Reading the numeric fixtures of ../shared/fixtures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

__all__ = ["read_reference", "tensor"]


def read_reference(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and expected outputs of one fixture; "nan" and "inf" become numbers."""
    content = json.loads((folder / f"{name}.json").read_text())
    return _numbers(content["inputs"]), _numbers(content["expected"])


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return float(value) if value in ("nan", "inf", "-inf") else value


def tensor(values: Any, *, grad: bool = False) -> torch.Tensor:
    """Values in double precision."""
    return torch.tensor(values, dtype=torch.float64, requires_grad=grad)
