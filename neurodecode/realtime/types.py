"""What passes between source, windows, decoder and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

__all__ = [
    "Choice",
    "Chunk",
    "Decider",
    "Decision",
    "Description",
    "MarkerSource",
    "Output",
    "Source",
    "Window",
]


@dataclass(frozen=True)
class Description:
    """What a stream says of itself.

    Parameters
    ----------
    name : str
        Name of the stream, or the recording.
    channels : tuple of str of length n_channels
        Names, in the order of the samples.
    sfreq : float
        Nominal sampling rate in Hz.
    units : tuple of str or None, of length n_channels
        Unit of each channel, where the stream tells it; empty: V, T or T/m.
    bads : tuple of str
        Channels that the recording itself calls bad.
    """

    name: str
    channels: tuple[str, ...]
    sfreq: float
    units: tuple[str | None, ...] = ()
    bads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chunk:
    """Samples that arrived together.

    Parameters
    ----------
    samples : array of float of shape (n_times, n_channels)
        In the units of the stream.
    stamps : array of float64 of shape (n_times,)
        When each was recorded, in seconds of the stream's clock.
    arrived : float
        When they were here, in seconds of `time.perf_counter`.
    """

    samples: np.ndarray
    stamps: np.ndarray
    arrived: float


class Source(Protocol):
    """Where samples come from.

    Attributes
    ----------
    description : Description
        Of the stream as it is connected now.
    generation : int
        Counts connections: filters and matched channels of an earlier one are worth nothing.
    ended : bool
        Whether no sample will come any more.
    """

    description: Description
    generation: int
    ended: bool

    def pull(self, timeout_s: float) -> Chunk | None:
        """Wait for samples; None if there were none."""

    def clock(self) -> float | None:
        """Read the clock of the stamps; None if they are not of now."""

    def close(self) -> None:
        """Let go."""


class MarkerSource(Protocol):
    """Where the onsets of stimuli come from, if not from a channel of the stream."""

    def pull(self) -> list[tuple[float, str]]:
        """Stamp and label of every marker since the last call."""

    def close(self) -> None:
        """Let go."""


@dataclass(frozen=True)
class Window:
    """A stretch of the stream, prepared as the trials of the training were.

    Parameters
    ----------
    onset_s : float
        Time of what counts as the onset of a stimulus, on the stream's clock.
    last_s : float
        When the last sample was recorded, on the same clock.
    arrived : float
        When the last sample was here (`time.perf_counter`).
    label : str
        Of the marker; empty for sliding windows.
    trial : array of float32 of shape (n_channels, n_times) or None
        To be decoded; None if it cannot be used.
    problem : str
        Why not.
    filled_ms : float
        Time in the window that was lost and filled in.
    """

    onset_s: float
    last_s: float
    arrived: float
    label: str
    trial: np.ndarray | None
    problem: str = ""
    filled_ms: float = 0.0


@dataclass(frozen=True)
class Choice:
    """One thing that a window may have been about.

    Parameters
    ----------
    id : str
        Stimulus, talker, ...
    score : float
        How well it fits: cosine, correlation, ...
    confidence : float or None
        Probability, from 0 to 1; None if nobody calibrated it.
    caption : str
        For people.
    """

    id: str
    score: float
    confidence: float | None = None
    caption: str = ""


class Decider(Protocol):
    """From a prepared window to ranked choices; one for pictures is in `pictures`."""

    def __call__(self, trial: np.ndarray) -> Sequence[Choice]:
        """Rank, the best first; `trial` has shape (n_channels, n_times)."""


@dataclass(frozen=True)
class Decision:
    """What leaves the program for each window.

    Parameters
    ----------
    number : int
        Counts windows, from 0.
    onset_s : float
        See `Window`.
    label : str
        See `Window`.
    choices : tuple of Choice
        The best first; empty if the window could not be used.
    problem : str
        Why not.
    filled_ms : float
        See `Window`.
    latency_ms : float
        From the arrival of the window's last sample to the decision.
    age_ms : float or None
        From the recording of the last sample to the decision, by the stream's clock.
    """

    number: int
    onset_s: float
    label: str
    choices: tuple[Choice, ...]
    problem: str
    filled_ms: float
    latency_ms: float
    age_ms: float | None

    def plain(self) -> dict[str, Any]:
        """Give plain JSON values.

        Returns
        -------
        dict
            Field name to value.
        """
        return asdict(self)


class Output(Protocol):
    """Where decisions go."""

    def __call__(self, decision: Decision) -> None:
        """Take one."""

    def close(self) -> None:
        """Finish."""
