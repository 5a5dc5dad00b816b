"""From chunks as they arrive to a gapless, finite, filtered signal in a ring buffer."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np

from neurodecode.preprocess.filters import CausalFilter
from neurodecode.preprocess.recipe import Recipe
from neurodecode.realtime.channels import ChannelMap
from neurodecode.realtime.ring import FILLED, HELD, RingBuffer
from neurodecode.realtime.timeline import Piece, Timeline

__all__ = ["Conditioner", "Placed"]

log = logging.getLogger(__name__)


class Placed(NamedTuple):
    """Where samples of a chunk went.

    Parameters
    ----------
    start, stop : int
        Samples of the chunk.
    number : int
        Number of the first in the stream.
    """

    start: int
    stop: int
    number: int


class Conditioner:
    """Matches channels, mends gaps, holds what is not a number, filters forwards, and keeps it.

    Parameters
    ----------
    channels : ChannelMap
        Of the stream.
    recipe : Recipe
        Filters.
    sfreq : float
        Sampling rate of the stream in Hz.
    n_channels : int
        Of the decoder.
    capacity : int
        Samples that are kept.
    fill_s : float
        Gaps up to this long are bridged by straight lines and marked; after longer ones the
        filters start anew, and so does the ring buffer.
    jitter_s : float
        See `Timeline`.

    Attributes
    ----------
    ring : RingBuffer
        Filtered samples.
    timeline : Timeline
        Their times.
    lost : int
        Samples lost so far.
    restarts : int
        How often the filters had to start anew.
    """

    def __init__(
        self,
        channels: ChannelMap,
        recipe: Recipe,
        sfreq: float,
        n_channels: int,
        capacity: int,
        fill_s: float = 0.05,
        jitter_s: float = 0.02,
    ) -> None:
        self.ring = RingBuffer(n_channels, capacity)
        self.timeline = Timeline(sfreq, jitter_s)
        self.lost = self.restarts = 0
        self._channels, self._filter = channels, CausalFilter(recipe, sfreq)
        self._longest = round(fill_s * sfreq)
        #: Last finite value of every channel; None until there is one of each.
        self._last: np.ndarray | None = None
        self._silent_said = False

    def feed(self, samples: np.ndarray, stamps: np.ndarray) -> list[Placed]:
        """Take a chunk.

        Parameters
        ----------
        samples : array of shape (n_times, n_stream_channels)
            In the units of the stream.
        stamps : array of float64 of shape (n_times,)
            Seconds.

        Returns
        -------
        list of Placed
            Where they went.
        """
        number, placed = self.timeline.next, []
        for piece in self.timeline.pieces(stamps):
            number += piece.lost or 0
            values = self._channels.pick(samples[piece.start : piece.stop])
            self._bridge(piece, number, values)
            self._append(values, number)
            placed.append(Placed(piece.start, piece.stop, number))
            number += piece.stop - piece.start
        return placed

    def _bridge(self, piece: Piece, number: int, values: np.ndarray) -> None:
        """Do what the gap before a piece asks for."""
        if piece.lost == 0:
            return
        self.lost += piece.lost or 0
        if piece.lost is None or piece.lost > self._longest or self._last is None:
            how_long = "" if piece.lost is None else f" of {piece.lost} samples"
            log.info("gap%s in the stream: filters start anew", how_long)
            self._restart(number)
            return
        after = np.where(np.isfinite(values[:, :1]), values[:, :1], self._last)
        share = np.arange(1, piece.lost + 1) / (piece.lost + 1)
        line = self._last * (1 - share) + after * share
        self._push(line, np.full(piece.lost, FILLED, dtype=np.uint8))

    def _restart(self, number: int) -> None:
        self.ring.restart(number)
        self._filter.reset()
        self._last = None
        self.restarts += 1

    def _append(self, values: np.ndarray, number: int) -> None:
        if self._last is None:
            values, number = self._first_finite(values, number)
            if not values.shape[1]:
                return
            self.ring.restart(number)
        held, marks = self._hold(values)
        self._push(held, marks)

    def _first_finite(self, values: np.ndarray, number: int) -> tuple[np.ndarray, int]:
        """Wait for a number from every channel: a filter that starts elsewhere rings for long."""
        whole = np.flatnonzero(np.isfinite(values).all(axis=0))
        if not len(whole):
            if not self._silent_said and values.shape[1]:
                self._silent_said = True
                bad = ~np.isfinite(values).any(axis=1)
                names = [n for n, b in zip(self._channels.names, bad, strict=True) if b]
                log.warning("waiting for numbers from channel %s; leave out what is broken with"
                            " --exclude", ", ".join(names[:5]) or "(all)")  # fmt: skip
            return values[:, :0], number
        start = int(whole[0])
        self._last = values[:, start : start + 1].copy()
        return values[:, start:], number + start

    def _hold(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Replace what is not finite by the last value of its channel."""
        assert self._last is not None
        finite = np.isfinite(values)
        marks = np.zeros(values.shape[1], dtype=np.uint8)
        if not finite.all():
            known = np.hstack([self._last, values])
            place = np.where(finite, np.arange(1, known.shape[1]), 0)
            held = np.maximum.accumulate(place, axis=1)
            values = np.take_along_axis(known, held, axis=1)
            marks[~finite.all(axis=0)] = HELD
        self._last = values[:, -1:].copy()
        return values, marks

    def _push(self, values: np.ndarray, marks: np.ndarray) -> None:
        if values.shape[1]:
            self.ring.append(self._filter(self._channels.complete(values)), marks)
