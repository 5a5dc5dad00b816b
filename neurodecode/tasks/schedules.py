"""Optimiser settings shared by the pretraining tasks."""

from __future__ import annotations

import math
from typing import Any

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from neurodecode.tasks.optim import parameter_groups

__all__ = ["adamw_cosine", "warmup_cosine"]


def warmup_cosine(step: int, warmup: int, total: int, floor: float = 0.02) -> float:
    """Learning-rate factor: linear warm-up, then half a cosine down to a floor.

    Parameters
    ----------
    step : int
        Optimiser step, from 0.
    warmup : int
        Steps of the warm-up.
    total : int
        Steps of the whole training.
    floor : float
        Factor at the end.

    Returns
    -------
    float
        Factor on the peak learning rate.
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))


def adamw_cosine(module: nn.Module, lr: float, weight_decay: float, warmup: int,
                 total: int) -> dict[str, Any]:  # fmt: skip
    """AdamW with decay on matrices only, and a warm-up cosine schedule.

    Parameters
    ----------
    module : nn.Module
        What is trained.
    lr : float
        Peak learning rate.
    weight_decay : float
        Decoupled decay of weights with at least two axes.
    warmup, total : int
        Steps of the warm-up and of the whole training.

    Returns
    -------
    dict
        What Lightning's ``configure_optimizers`` returns.
    """
    optimizer = AdamW(parameter_groups(module, weight_decay), lr=lr, betas=(0.9, 0.98))
    scheduler = LambdaLR(optimizer, lambda step: warmup_cosine(step, warmup, total))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
