"""Lab Streaming Layer: samples and markers in."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodecode.errors import ConfigError, DataError
from neurodecode.realtime.types import Chunk, Description

if TYPE_CHECKING:
    from mne_lsl.lsl import StreamInlet

__all__ = ["LSLMarkers", "LSLSource", "lsl_library"]

log = logging.getLogger(__name__)
#: Stamps of another machine's clock become ours.
_FLAGS = ("clocksync", "threadsafe")
_BUFFERED_S, _MOST_SAMPLES = 30, 8192
_RETRY_S = 1.0
#: After so long without a sample one looks whether the stream is another one by now.
_SILENCE_S = 1.0


def lsl_library() -> Any:
    """Import MNE-LSL, whose wheel brings liblsl.

    Returns
    -------
    module
        ``mne_lsl.lsl``.

    Raises
    ------
    ConfigError
        If it is not installed, or liblsl is missing.
    """
    try:
        from mne_lsl import lsl
    except (ImportError, OSError, RuntimeError) as error:
        raise ConfigError(
            f"Lab Streaming Layer is missing ({error}); pip install 'neurodecode[meeg]'"
        ) from error
    return lsl


def _find(name: str, timeout_s: float) -> Any:
    """Wait for a stream; the first of several of one name."""
    lsl = lsl_library()
    until = time.monotonic() + timeout_s
    while (rest := until - time.monotonic()) > 0:
        if found := lsl.resolve_streams(timeout=min(rest, _RETRY_S), name=name):
            return found[0]
    others = sorted({each.name for each in lsl.resolve_streams(timeout=_RETRY_S)})
    raise DataError(
        f"no stream of this name within {timeout_s:g} s (found:"
        f" {', '.join(others[:10]) or 'none'})",
        field=name,
        fix="start it, check its name and the network, or wait longer with --timeout",
    )


def _open(name: str, timeout_s: float) -> StreamInlet:
    # without recovery: liblsl would go on with a stream whose channels are in another order
    inlet = lsl_library().StreamInlet(
        _find(name, timeout_s),
        max_buffered=_BUFFERED_S,
        recover=False,
        processing_flags=_FLAGS,
    )
    inlet.open_stream(timeout=timeout_s)
    return inlet


def _is_lost(error: Exception) -> bool:
    """Whether liblsl says that the connection is gone; its class is private."""
    return isinstance(error, TimeoutError) or type(error).__name__ == "LostError"


class LSLSource:
    """Samples of a stream; waits for it, and for its return when it is lost.

    liblsl tells of a loss only if the stream has a source id. So a stream that has been silent for
    a second is looked up: if one of its name has another id by then, the sender was started anew.

    Parameters
    ----------
    name : str
        Name of the stream.
    timeout_s : float
        How long to wait for it at the beginning.

    Raises
    ------
    DataError
        If there is no such stream, or it holds text.
    """

    def __init__(self, name: str, timeout_s: float = 30.0) -> None:
        self._name, self.generation, self.ended = name, 0, False
        self._lsl = lsl_library()
        self._inlet: StreamInlet | None = None
        self._heard = 0.0
        self._connect(timeout_s)

    def _connect(self, timeout_s: float) -> None:
        inlet = _open(self._name, timeout_s)
        info = inlet.get_sinfo(timeout=timeout_s)
        if inlet.dtype == "string":
            raise DataError("stream holds text, not samples", field=self._name,
                            fix="name the stream of the amplifier")  # fmt: skip
        names = info.get_channel_names() or []
        if len(names) != info.n_channels or None in names:
            raise DataError(
                "stream does not tell the names of its channels",
                field=self._name,
                fix="let the program that sends it describe them (desc/channels/channel/label)",
            )
        units = info.get_channel_units()
        self.description = Description(
            self._name, tuple(map(str, names)), float(info.sfreq), tuple(units or ())
        )
        self._inlet, self.generation = inlet, self.generation + 1
        self._uid, self._heard = info.uid, time.monotonic()

    def pull(self, timeout_s: float) -> Chunk | None:
        """Wait for a sample, and take all that are there with it.

        Parameters
        ----------
        timeout_s : float
            Longest wait.

        Returns
        -------
        Chunk or None
            None if nothing came, or the stream is lost.
        """
        if self._inlet is None:
            return self._reconnect(timeout_s)
        try:
            first, stamp = self._inlet.pull_sample(timeout=timeout_s)
            if stamp is None:
                self._look_up()
                return None
            self._heard = time.monotonic()
            # its memory is used again by the next call
            head = np.array(first, dtype=np.float64)[None]
            rest, stamps = self._inlet.pull_chunk(timeout=0.0, max_samples=_MOST_SAMPLES)
        except Exception as error:
            if not _is_lost(error):
                raise
            log.warning("stream %s is lost; waiting for it", self._name)
            self._drop()
            return None
        samples = np.concatenate([head, np.asarray(rest, dtype=np.float64)])
        return Chunk(samples, np.concatenate([[stamp], stamps]), time.perf_counter())

    def _reconnect(self, timeout_s: float) -> None:
        if not self._lsl.resolve_streams(timeout=timeout_s, name=self._name):
            return
        try:
            self._connect(_RETRY_S * 5)
        except (DataError, TimeoutError, RuntimeError) as error:
            # it may still be starting; if not, the next attempt says so again
            log.warning("stream %s could not be opened again (%s)", self._name, error)
            return
        log.warning("stream %s is back", self._name)

    def _look_up(self) -> None:
        """Drop a stream in whose place there is another."""
        if time.monotonic() - self._heard < _SILENCE_S:
            return
        found = self._lsl.resolve_streams(timeout=_RETRY_S / 4, name=self._name)
        if found and self._uid not in {each.uid for each in found}:
            log.warning("stream %s was started anew", self._name)
            self._drop()

    def _drop(self) -> None:
        inlet, self._inlet = self._inlet, None
        if inlet is not None:
            inlet.close_stream()

    def clock(self) -> float | None:
        """Read the clock of the stamps, which is this machine's.

        Returns
        -------
        float
            Seconds.
        """
        return float(self._lsl.local_clock())

    def close(self) -> None:
        """Let go of the stream."""
        self._drop()


class LSLMarkers:
    """Markers of a stream: text, or numbers of which zero is none.

    Parameters
    ----------
    name : str
        Name of the stream.
    timeout_s : float
        How long to wait for it.

    Raises
    ------
    DataError
        If there is no such stream.
    """

    def __init__(self, name: str, timeout_s: float = 30.0) -> None:
        self._name, self._lsl = name, lsl_library()
        self._inlet: StreamInlet | None = _open(name, timeout_s)

    def pull(self) -> list[tuple[float, str]]:
        """Take what came since the last call.

        Returns
        -------
        list of (float, str)
            Stamp and label of every marker.
        """
        try:
            if self._inlet is None:
                # at once: samples must not wait for markers
                found = self._lsl.resolve_streams(timeout=0.01, name=self._name)
                self._inlet = _open(self._name, _RETRY_S) if found else None
                return []
            values, stamps = self._inlet.pull_chunk(timeout=0.0)
        except Exception as error:
            if not (_is_lost(error) or isinstance(error, DataError)):
                raise
            log.warning("stream %s is lost; waiting for it", self._name)
            self._inlet = None
            return []
        labels = [_label(value) for value in values]
        return [(float(t), text) for t, text in zip(stamps, labels, strict=True) if text]

    def close(self) -> None:
        """Let go of the stream."""
        if self._inlet is not None:
            self._inlet.close_stream()


def _label(value: Sequence[Any]) -> str:
    first = value[0] if len(value) else ""
    if isinstance(first, str):
        return first
    return "" if not first else f"{first:g}"
