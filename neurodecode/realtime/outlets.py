"""Where decisions go: a line in the terminal, a table, a Lab Streaming Layer stream."""

from __future__ import annotations

import csv
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from neurodecode.files import atomic_path
from neurodecode.realtime.lsl import lsl_library
from neurodecode.realtime.types import Decision

__all__ = ["LSLOutlet", "LogFile", "Terminal", "line"]

_ID_SHOWN = 12


def line(decision: Decision, n_shown: int = 3) -> str:
    """Write a decision for the terminal.

    Parameters
    ----------
    decision : Decision
        What was decided.
    n_shown : int
        How many choices.

    Returns
    -------
    str
        One line.
    """
    head = f"{decision.number:6d} {decision.onset_s:10.3f} s"
    if decision.label:
        head += f" [{_plain(decision.label)}]"
    tail = f"  {decision.latency_ms:.1f} ms"
    if decision.filled_ms:
        tail += f", {decision.filled_ms:.0f} ms filled in"
    if decision.problem:
        return f"{head}  - {decision.problem}"
    parts = []
    for choice in decision.choices[:n_shown]:
        sure = "" if choice.confidence is None else f" p {choice.confidence:.2f}"
        name = _plain(choice.caption or choice.id[:_ID_SHOWN])
        parts.append(f"{name} ({choice.score:.2f}{sure})")
    return f"{head}  {' | '.join(parts)}{tail}"


def _plain(text: str) -> str:
    """Without what moves the cursor of a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)


class Terminal:
    """Writes a line for each decision.

    Parameters
    ----------
    file : TextIO
        Where.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __call__(self, decision: Decision) -> None:
        """Write one."""
        self._file.write(line(decision) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing to do."""


class LogFile:
    """Writes a table with a row for each decision.

    Parameters
    ----------
    path : path-like
        CSV file; it appears when the stream ends, and grows under a hidden name before.
    top_k : int
        How many choices have columns.
    """

    def __init__(self, path: str | Path, top_k: int) -> None:
        self._top_k, self._stack = top_k, ExitStack()
        temporary = self._stack.enter_context(atomic_path(path))
        self._file = temporary.open("w", newline="", encoding="utf-8")
        self._rows = csv.writer(self._file)
        head = ["number", "onset_s", "label", "problem", "filled_ms", "latency_ms", "age_ms"]
        for rank in range(1, top_k + 1):
            head += [f"id_{rank}", f"score_{rank}", f"confidence_{rank}"]
        self._rows.writerow(head)

    def __call__(self, decision: Decision) -> None:
        """Write a row."""
        row: list[object] = [
            decision.number, f"{decision.onset_s:.6f}", decision.label, decision.problem,
            f"{decision.filled_ms:.1f}", f"{decision.latency_ms:.3f}", _number(decision.age_ms),
        ]  # fmt: skip
        for choice in decision.choices[: self._top_k]:
            row += [choice.id, f"{choice.score:.6f}", _number(choice.confidence)]
        self._rows.writerow(row)
        self._file.flush()

    def close(self) -> None:
        """Give the file its name."""
        self._file.close()
        self._stack.close()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


class LSLOutlet:
    """Sends decisions as JSON, one string a sample, at an irregular rate.

    Parameters
    ----------
    name : str
        Name of the stream; its type is ``Decisions``.
    """

    def __init__(self, name: str) -> None:
        lsl = lsl_library()
        info = lsl.StreamInfo(name, "Decisions", 1, 0.0, "string", f"neurodecode-{name}")
        info.set_channel_names(["decision"])
        self._outlet: object | None = lsl.StreamOutlet(info)

    def __call__(self, decision: Decision) -> None:
        """Send one."""
        if self._outlet is not None:
            self._outlet.push_sample([json.dumps(decision.plain(), allow_nan=False)])

    def close(self) -> None:
        """End the stream."""
        self._outlet = None
