"""Counts the operations of matrix products (torch's own counter takes 2 s to import)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

MATMUL = {torch.matmul, torch.bmm, Tensor.matmul, Tensor.__matmul__, Tensor.__rmatmul__}


class Products(TorchFunctionMode):
    """Two operations for each multiply-add of every product inside."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if function in MATMUL:
            self.flops += 2 * out.numel() * args[0].shape[-1]
        elif function is F.scaled_dot_product_attention:
            self.flops += 4 * out.numel() * args[1].shape[2]
        elif function is torch.einsum:
            names = args[0].partition("->")[0].split(",")
            sizes = {}
            for letters, each in zip(names, args[1:], strict=True):
                sizes |= dict(zip(letters, each.shape, strict=True))
            self.flops += 2 * math.prod(sizes.values())
        return out
