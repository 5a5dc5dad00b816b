"""Time and memory of every attention mechanism, over lengths and patterns."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neurodecode.bench.memory import available_bytes, peak_memory
from neurodecode.errors import ConfigError
from neurodecode.nn.attention import ATTENTION, Attention, make_attention

__all__ = ["LENGTHS", "PATTERNS", "Settings", "measure_attention", "rows"]

#: Squares, so that mechanisms on a grid take part.
LENGTHS = (64, 256, 1024, 4096, 16384, 65536)
#: Name -> whether all tokens are queries, and whether the future is hidden.
PATTERNS = {
    "self": (True, False),
    "self, causal": (True, True),
    "cross": (False, False),
    "cross, causal": (False, True),
}


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Parameters
    ----------
    n_heads, head_dim, n_batch : int
        Sizes.
    n_queries : int
        Queries in the cross patterns, at most; spread over the keys, or the last ones if causal.
    device : str
        ``cpu`` or ``cuda``.
    backward : bool
        Also the gradients of queries, keys, values and parameters.
    repeats : int
        Runs of which the median is taken.
    seconds : float
        A run expected to take longer is left out.
    memory : float
        Share of the free memory that a run may be expected to need.
    """

    n_heads: int = 4
    head_dim: int = 32
    n_batch: int = 1
    n_queries: int = 64
    device: str = "cpu"
    backward: bool = False
    repeats: int = 3
    seconds: float = 20.0
    memory: float = 0.5


def rows(
    names: Sequence[str], lengths: Sequence[int], settings: Settings
) -> Iterator[dict[str, Any]]:
    """Measure one mechanism, pattern and length after the other.

    Parameters
    ----------
    names : sequence of str
        Mechanisms.
    lengths : sequence of int
        Numbers of keys, squares.
    settings : Settings
        Sizes and limits.

    Yields
    ------
    dict
        Mechanism, pattern, length, operations and bytes as counted, and ``ms``, ``cpu_ms`` and
        ``peak_mb``, or ``skipped``, the reason for which there are none.

    Raises
    ------
    ConfigError
        If a mechanism is unknown, or a length no square.
    """
    if wrong := [n for n in lengths if math.isqrt(n) ** 2 != n or n < 1]:
        raise ConfigError(f"lengths must be squares (a grid has to fit), not {wrong}")
    # what other processes take of the machine is no property of the mechanism
    clock = "cpu_ms" if settings.device == "cpu" else "ms"
    for name in names:
        module = make_attention(name, settings.n_heads, settings.head_dim).to(settings.device)
        for pattern in PATTERNS:
            pace = 0.0  # seconds an operation, of the length before
            for length in sorted(lengths):
                made = _row(name, module, pattern, length, settings, pace)
                yield made
                if "skipped" not in made:
                    pace = made[clock] / 1e3 / made["flops"]


def _row(
    name: str, module: Attention, pattern: str, length: int, settings: Settings, pace: float
) -> dict[str, Any]:
    whole, causal = PATTERNS[pattern]
    n_queries = length if whole else min(settings.n_queries, length)
    cost = module.cost(n_queries, length, n_batch=settings.n_batch)
    made: dict[str, Any] = {
        "mechanism": name, "pattern": pattern, "length": length, "queries": n_queries,
        "flops": cost.flops, "bytes": cost.bytes,
    }  # fmt: skip
    # a causal matrix of pairs is made besides; gradients need what lies between again
    needed = cost.bytes * (3 if settings.backward else 1) + causal * n_queries * length
    if needed > settings.memory * available_bytes(settings.device):
        return made | {"skipped": f"needs about {needed / 1e9:.0f} GB"}
    if (expected := pace * cost.flops) > settings.seconds:
        said = f"would take about {expected:.2g} s, limit {settings.seconds:g} s"
        return made | {"skipped": said}
    try:
        return made | measure_attention(module, n_queries, length, causal, settings)
    except torch.cuda.OutOfMemoryError:
        return made | {"skipped": "out of memory"}


def measure_attention(
    module: Attention, n_queries: int, n_keys: int, causal: bool, settings: Settings
) -> dict[str, float | None]:
    """Time and memory of one call.

    Parameters
    ----------
    module : Attention
        The mechanism.
    n_queries, n_keys : int
        Lengths.
    causal : bool
        Whether the future is hidden.
    settings : Settings
        Sizes.

    Returns
    -------
    dict
        ``ms``, the median, ``cpu_ms``, processor time of all threads (other processes do not
        count in it), and ``peak_mb`` above inputs, None where the system does not tell.
    """
    q, k, v = (
        torch.randn(settings.n_batch, settings.n_heads, n, settings.head_dim,
                    device=settings.device, requires_grad=settings.backward)
        for n in (n_queries, n_keys, n_keys)
    )  # fmt: skip
    places = _places(n_queries, n_keys, causal, settings.device)

    def run() -> None:
        with torch.set_grad_enabled(settings.backward):
            out = module(q, k, v, causal=causal, positions=places)
            if settings.backward:
                out.sum().backward()
        if settings.device == "cuda":
            torch.cuda.synchronize()

    with peak_memory(settings.device) as peak:
        run()  # also the one to warm up
    times, busy = [], []
    for _ in range(settings.repeats):
        start, worked = time.perf_counter(), time.process_time()
        run()
        times.append(time.perf_counter() - start)
        busy.append(time.process_time() - worked)
    megabytes = None if peak.bytes is None else round(peak.bytes / 1e6, 1)
    return {"ms": _milliseconds(times), "cpu_ms": _milliseconds(busy), "peak_mb": megabytes}


def _milliseconds(seconds: Sequence[float]) -> float:
    return float(f"{1e3 * statistics.median(seconds):.4g}")


def _places(n_queries: int, n_keys: int, causal: bool, device: str) -> tuple[Tensor, Tensor] | None:
    """Keys on a square grid; queries spread over it, or at its end."""
    side = math.isqrt(n_keys)
    keys = torch.cartesian_prod(*[torch.arange(side, device=device)] * 2).view(-1, 2)
    steps = torch.arange(n_queries, device=device)
    chosen = steps + n_keys - n_queries if causal else steps * n_keys // n_queries
    return keys[chosen], keys


def known_mechanisms() -> list[str]:
    """Names of the registry.

    Returns
    -------
    list of str
        Sorted.
    """
    return sorted(ATTENTION)
