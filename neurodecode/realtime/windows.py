"""From chunks of a stream to windows that look like the trials of the training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.filters import check_rate
from neurodecode.preprocess.front_end import FrontEnd
from neurodecode.preprocess.recipe import Recipe
from neurodecode.preprocess.sampling import Sampler
from neurodecode.realtime.channels import ChannelMap
from neurodecode.realtime.conditioner import Conditioner
from neurodecode.realtime.ring import FILLED, HELD
from neurodecode.realtime.schedule import Due, OnMarkers, Schedule, Sliding, TriggerChannel
from neurodecode.realtime.types import Chunk, Description, Window

__all__ = ["LiveWindows", "WindowOptions"]

#: Markers may come this much later than their samples.
_MARKER_DELAY_S = 1.0


@dataclass(frozen=True)
class WindowOptions:
    """How windows are cut out of a stream.

    Parameters
    ----------
    hop_ms : float
        Time between sliding windows.
    trigger_channel : str or None
        Channel of the stream whose onsets start windows instead.
    markers : bool
        Whether markers of another stream start windows instead.
    unit : str or None
        Of all channels, if the stream does not tell it.
    exclude : sequence of str
        Broken channels.
    fill_ms : float
        Longest gap that is bridged.
    jitter_ms : float
        Largest deviation of a time stamp that is not a gap.
    most_filled : float
        Largest share of a window that may be filled in.
    """

    hop_ms: float = 100.0
    trigger_channel: str | None = None
    markers: bool = False
    unit: str | None = None
    exclude: Sequence[str] = ()
    fill_ms: float = 50.0
    jitter_ms: float = 20.0
    most_filled: float = 0.1


class LiveWindows:
    """Cuts windows out of one connection to a stream.

    Parameters
    ----------
    front_end : FrontEnd
        How the trials of the training were prepared.
    session : int
        Whose statistics are used.
    description : Description
        Of the stream.
    options : WindowOptions
        How windows are cut.

    Raises
    ------
    DataError
        If the stream is sampled too slowly, or its channels are not those of the decoder.
    ConfigError
        If an option does not fit the stream.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        session: int,
        description: Description,
        options: WindowOptions | None = None,
    ) -> None:
        options = options or WindowOptions()
        self._front_end, self._session, self._options = front_end, session, options
        recipe, sfreq = front_end.recipe, description.sfreq
        _check(recipe, description)
        self._sampler = Sampler(recipe, sfreq)
        channels = ChannelMap(front_end, description, options.unit, options.exclude)
        self._schedule, self._arrived = self._make_schedule(sfreq), 0.0
        self._trigger, self._column = TriggerChannel(), _column(description, options)
        length = self._sampler.last - self._sampler.first + 1
        # a chunk after a long pause may hold more than the ring buffer: this much at a time
        self._step = max(1, round(_MARKER_DELAY_S * sfreq))
        self.conditioner = Conditioner(
            channels,
            recipe,
            sfreq,
            len(front_end.names),
            length + self._step,
            options.fill_ms / 1000,
            options.jitter_ms / 1000,
        )

    def _make_schedule(self, sfreq: float) -> Schedule:
        first, last = self._sampler.first, self._sampler.last
        if self._options.markers or self._options.trigger_channel is not None:
            return OnMarkers(first, last)
        return Sliding(max(1, round(self._options.hop_ms / 1000 * sfreq)), first, last)

    def mark(self, stamp: float, label: str) -> bool:
        """Take a marker of another stream.

        Parameters
        ----------
        stamp : float
            Seconds of the stream's clock.
        label : str
            What it says.

        Returns
        -------
        bool
            Whether its place is known; if not, give it again once samples have come.
        """
        onset = self.conditioner.timeline.sample(stamp)
        if onset is None or not isinstance(self._schedule, OnMarkers):
            return False
        self._schedule.add(onset, label)
        return True

    def feed(self, chunk: Chunk) -> Iterator[Window]:
        """Take a chunk, and give the windows that it completes.

        Parameters
        ----------
        chunk : Chunk
            What arrived.

        Yields
        ------
        Window
            In order.
        """
        for start in range(0, len(chunk.samples), self._step):
            part = slice(start, start + self._step)
            self._take(chunk.samples[part], chunk.stamps[part])
            self._arrived = chunk.arrived
            yield from self.ready()

    def ready(self) -> Iterator[Window]:
        """Give windows that need no more samples: those of markers that came after them.

        Yields
        ------
        Window
            In order, each once.
        """
        ring = self.conditioner.ring
        for due in self._schedule.due(ring.start, ring.stop):
            yield self._window(due, self._arrived)

    def _take(self, samples: np.ndarray, stamps: np.ndarray) -> None:
        for placed in self.conditioner.feed(samples, stamps):
            if self._column is None or not isinstance(self._schedule, OnMarkers):
                continue
            for offset, value in self._trigger(samples[placed.start : placed.stop, self._column]):
                self._schedule.add(placed.number + offset, str(value))

    def _window(self, due: Due, arrived: float) -> Window:
        trial, problem, filled_ms = None, "samples were lost", 0.0
        if due.complete:
            trial, problem, filled_ms = self._cut(due.onset)
        seconds = self.conditioner.timeline.seconds
        return Window(
            onset_s=seconds(due.onset),
            last_s=seconds(due.onset + self._sampler.last),
            arrived=arrived,
            label=due.label,
            trial=None if problem else trial,
            problem=problem,
            filled_ms=filled_ms,
        )

    def _cut(self, onset: int) -> tuple[np.ndarray | None, str, float]:
        sampler = self._sampler
        start, stop = onset + sampler.first, onset + sampler.last + 1
        samples, marks = self.conditioner.ring.read(start, stop)
        sfreq = self.conditioner.timeline.sfreq
        filled, held = int((marks & FILLED).sum()), int(((marks & HELD) > 0).sum())
        filled_ms = 1000 * filled / sfreq
        if held:
            return None, f"{1000 * held / sfreq:.0f} ms are not numbers", filled_ms
        if filled > self._options.most_filled * len(marks):
            return None, f"{filled_ms:.0f} ms were lost", filled_ms
        trial, problem = self._front_end.finish(sampler(samples, -sampler.first), self._session)
        return trial, problem, filled_ms


def _check(recipe: Recipe, description: Description) -> None:
    if not description.sfreq > 0:
        raise DataError(
            f"stream {description.name} has no regular sampling rate",
            field="sfreq",
            fix="name the stream of the samples, not one of markers",
        )
    try:
        check_rate(recipe, description.sfreq)
    except DataError as error:
        raise DataError(
            f"stream {description.name}: {error.problem}",
            field=error.field,
            fix="stream at a higher rate, or train a decoder with another recipe",
        ) from error


def _column(description: Description, options: WindowOptions) -> int | None:
    name = options.trigger_channel
    if name is None:
        return None
    if name not in description.channels:
        raise ConfigError(f"--stim-channel {name}: stream {description.name} has no such channel")
    return description.channels.index(name)
