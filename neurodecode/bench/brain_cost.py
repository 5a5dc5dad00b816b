"""What a training step with a mechanism costs."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

from neurodecode.bench.memory import peak_memory
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.nn.attention import Attention
from neurodecode.tasks.encode import EncodeTask

__all__ = ["training_cost"]

STEPS = 5


def training_cost(
    task: EncodeTask, data: EncodingDataModule, attention: Attention | None
) -> dict[str, Any]:
    """Measure steps of training on one batch, and count what the mechanism does in them.

    Parameters
    ----------
    task : EncodeTask
        Its gradients are cleared, its weights are not changed.
    data : EncodingDataModule
        Where the batch comes from.
    attention : Attention or None
        The mechanism, if there is one.

    Returns
    -------
    dict
        ``step_cpu_ms``, processor time of a step forward and back (other processes do not count
        in it), ``step_peak_mb`` above what was held before, and ``attention_mflop``, operations
        of the mechanism in one forward pass of the batch.
    """
    batch = next(iter(data.train_dataloader()))
    task.train()
    calls: list[tuple[int, int, int]] = []

    def note(module: Attention, given: tuple[Any, ...], out: object) -> None:
        calls.append((given[0].shape[2], given[1].shape[2], len(given[0])))

    hook = None if attention is None else attention.register_forward_hook(note)
    _step(task, batch)
    if hook is not None:
        hook.remove()
    with peak_memory("cpu") as peak:
        _step(task, batch)
    times = []
    for _ in range(STEPS):
        start = time.process_time()
        _step(task, batch)
        times.append(time.process_time() - start)
    task.zero_grad()
    flops = sum(attention.cost(q, k, n_batch=n).flops for q, k, n in calls) if attention else 0
    return {
        "step_cpu_ms": round(1e3 * statistics.median(times), 1),
        "step_peak_mb": None if peak.bytes is None else round(peak.bytes / 1e6, 1),
        "attention_mflop": round(flops / 1e6, 1),
    }


def _step(task: EncodeTask, batch: Any) -> None:
    task.zero_grad()
    predicted = task(batch)
    errors = [
        torch.nn.functional.mse_loss(predicted[name], true)
        for name, true in batch["responses"].items()
    ]
    torch.stack(errors).mean().backward()
