"""The loop: wait for samples, cut windows, decide, tell everybody, and keep the times."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from neurodecode.realtime.types import Decider, Decision, MarkerSource, Output, Source, Window
from neurodecode.realtime.windows import LiveWindows

__all__ = ["Latencies", "Limits", "run_loop"]

log = logging.getLogger(__name__)
_WAIT_S = 0.25
#: Silence that is worth a word.
_SILENCE_S = 2.0


@dataclass
class Latencies:
    """Times from the last sample of a window to its decision.

    Parameters
    ----------
    latency_ms, age_ms : list of float
        See `neurodecode.realtime.types.Decision`; of windows that were decoded.
    n_decided, n_unusable : int
        Windows with and without choices.
    """

    latency_ms: list[float] = field(default_factory=list)
    age_ms: list[float] = field(default_factory=list)
    n_decided: int = 0
    n_unusable: int = 0

    def add(self, decision: Decision) -> None:
        """Count a decision.

        Parameters
        ----------
        decision : Decision
            What was decided.
        """
        if decision.problem:
            self.n_unusable += 1
            return
        self.n_decided += 1
        self.latency_ms.append(decision.latency_ms)
        if decision.age_ms is not None:
            self.age_ms.append(decision.age_ms)

    def percentiles(self, which: str = "latency_ms") -> dict[str, float]:
        """Summarise.

        Parameters
        ----------
        which : {"latency_ms", "age_ms"}
            What to summarise.

        Returns
        -------
        dict of str to float
            ``p50``, ``p95`` and ``p99`` in ms; empty if nothing was measured.
        """
        values = getattr(self, which)
        if not values:
            return {}
        found = np.percentile(values, [50, 95, 99])
        return dict(zip(("p50", "p95", "p99"), map(float, found), strict=True))


@dataclass(frozen=True)
class Limits:
    """When to stop, and what not to try.

    Parameters
    ----------
    max_decisions : int or None
        Stop after as many windows, usable or not.
    behind_ms : float
        A sliding window that is older than this is passed over unread, to catch up.
    """

    max_decisions: int | None = None
    behind_ms: float = 500.0


def run_loop(
    source: Source,
    make_windows: Callable[[Source], LiveWindows],
    decide: Decider,
    outputs: Sequence[Output] = (),
    markers: MarkerSource | None = None,
    limits: Limits | None = None,
    kept: Latencies | None = None,
) -> Latencies:
    """Decode until the source ends or there were enough decisions.

    Parameters
    ----------
    source : Source
        Samples.
    make_windows : callable
        Makes the windows of a connection; called again whenever the stream was lost.
    decide : Decider
        Ranks.
    outputs : sequence of Output
        Where decisions go.
    markers : MarkerSource, optional
        Onsets from another stream.
    limits : Limits, optional
        See there.
    kept : Latencies, optional
        Filled while it runs, for who interrupts it.

    Returns
    -------
    Latencies
        What it took: `kept`, or a new one.
    """
    limits, kept = limits or Limits(), kept if kept is not None else Latencies()
    for number, window in enumerate(_windows(source, make_windows, markers)):
        decision = _decision(number, window, decide, source, limits)
        kept.add(decision)
        for output in outputs:
            output(decision)
        if number + 1 == limits.max_decisions:
            break
    return kept


def _windows(
    source: Source, make_windows: Callable[[Source], LiveWindows], markers: MarkerSource | None
) -> Iterator[Window]:
    """Windows of every connection, one after the other."""
    windows, generation = make_windows(source), source.generation
    waiting: list[tuple[float, str]] = []
    heard = time.perf_counter()
    while not source.ended:
        chunk = source.pull(_WAIT_S)
        if source.generation != generation:
            windows, generation = make_windows(source), source.generation
        waiting = _mark(windows, waiting, markers)
        if chunk is not None:
            heard = time.perf_counter()
            yield from windows.feed(chunk)
        elif time.perf_counter() - heard > _SILENCE_S:
            log.info("no samples for %.0f s", _SILENCE_S)
            heard = time.perf_counter()
        if waiting:  # the first samples are there now
            waiting = _mark(windows, waiting, None)
        yield from windows.ready()


def _mark(
    windows: LiveWindows, waiting: list[tuple[float, str]], markers: MarkerSource | None
) -> list[tuple[float, str]]:
    """Place the markers that can be placed; give the others back."""
    if markers is not None:
        waiting = waiting + markers.pull()
    return [each for each in waiting if not windows.mark(*each)]


def _decision(
    number: int, window: Window, decide: Decider, source: Source, limits: Limits
) -> Decision:
    problem, choices = window.problem, ()
    age = _age_ms(window, source)
    if not problem and not window.label and age is not None and age > limits.behind_ms:
        problem = f"{age:.0f} ms behind the stream, passed over"
    if not problem and window.trial is not None:
        choices = tuple(decide(window.trial))
    return Decision(
        number=number,
        onset_s=window.onset_s,
        label=window.label,
        choices=choices,
        problem=problem,
        filled_ms=window.filled_ms,
        latency_ms=1000 * (time.perf_counter() - window.arrived),
        age_ms=_age_ms(window, source),
    )


def _age_ms(window: Window, source: Source) -> float | None:
    now = source.clock()
    return None if now is None else 1000 * (now - window.last_s)
