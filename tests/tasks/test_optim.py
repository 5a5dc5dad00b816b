from __future__ import annotations

import pytest
import torch
from torch import nn

from neurodecode.tasks.optim import adamw_one_cycle, parameter_groups


def test_only_matrices_decay():
    module = nn.Sequential(nn.Linear(7, 9), nn.LayerNorm(9), nn.Conv2d(2, 3, 3))
    module[0].requires_grad_(False)
    decayed, plain = parameter_groups(module, 0.1)
    assert [tuple(p.shape) for p in decayed["params"]] == [(3, 2, 3, 3)]
    assert [tuple(p.shape) for p in plain["params"]] == [(9,), (9,), (3,)]
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)


@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("n_steps", [1, 2, 4, 5, 20, 200])
def test_learning_rate_rises_to_its_peak_and_falls(n_steps, warmup):
    made = adamw_one_cycle(nn.Linear(7, 9), n_steps, lr=0.2, weight_decay=0.0, warmup=warmup)
    optimizer, scheduler = made["optimizer"], made["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(max(n_steps, 4)):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < max(n_steps, 4):
            scheduler.step()
    assert rates[0] == pytest.approx(0.2 / 25)
    assert max(rates) <= 0.2 + 1e-9
    assert rates[-1] < 1e-4
    top = rates.index(max(rates))
    assert torch.tensor(rates[: top + 1]).diff().ge(0).all()
    assert torch.tensor(rates[top:]).diff().le(0).all()
