"""AdamW with weight decay on matrices only, and the one-cycle learning rate."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

__all__ = ["adamw_one_cycle", "parameter_groups"]


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Separate the parameters that decay from those that do not.

    Parameters
    ----------
    module : nn.Module
        What is trained.
    weight_decay : float
        Decay of matrices and convolution kernels; biases, norms and other vectors have none.

    Returns
    -------
    list of dict
        Two groups for a torch optimizer.
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


def adamw_one_cycle(
    module: nn.Module, n_steps: int, *, lr: float, weight_decay: float, warmup: float
) -> dict[str, Any]:
    """Optimise by AdamW under a one-cycle schedule (Smith and Topin 2019).

    Parameters
    ----------
    module : nn.Module
        What is trained.
    n_steps : int
        Optimiser steps of the whole training.
    lr : float
        Peak learning rate; the rate starts at a 25th and ends at a 25,000th of it.
    weight_decay : float
        Decoupled weight decay of matrices.
    warmup : float
        Share of all steps in which the rate rises.

    Returns
    -------
    dict
        What Lightning's ``configure_optimizers`` returns.
    """
    optimizer = AdamW(parameter_groups(module, weight_decay), lr=lr, fused=True)
    # torch divides by the length of each leg, so neither may be shorter than two steps
    total = max(n_steps, 4)
    rising = min(max(warmup * total, 2.0), total - 2.0)
    scheduler = OneCycleLR(
        optimizer,
        max_lr=lr,
        total_steps=total,
        pct_start=rising / total,
        final_div_factor=1000.0,
        cycle_momentum=False,
    )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
