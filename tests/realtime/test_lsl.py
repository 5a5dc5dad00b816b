"""Lab Streaming Layer on loopback, with MNE-LSL's player and with senders that fail."""

from __future__ import annotations

import json
import threading
import time
import uuid

import numpy as np
import pytest
from live_world import NAMES, ONSET, SFREQ, TRIGGER

from neurodecode.errors import DataError
from neurodecode.preprocess.filters import CausalFilter
from neurodecode.realtime.loop import Limits, run_loop
from neurodecode.realtime.outlets import LSLOutlet
from neurodecode.realtime.types import Choice
from neurodecode.realtime.windows import LiveWindows, WindowOptions

CHANNELS = [*NAMES, TRIGGER]


@pytest.fixture(scope="session")
def lsl():
    """mne_lsl.lsl, where a stream reaches this process from this process."""
    lsl = pytest.importorskip("mne_lsl.lsl", reason="mne-lsl or liblsl is not installed")
    name = f"probe-{uuid.uuid4().hex[:8]}"
    outlet = lsl.StreamOutlet(lsl.StreamInfo(name, "EEG", 1, 100.0, "float32", name))
    if not lsl.resolve_streams(timeout=5, name=name):
        pytest.skip("Lab Streaming Layer finds no streams on this machine (multicast, firewall)")
    outlet._del()
    return lsl


@pytest.fixture
def name():
    """No other stream is called so, whoever else tests on this network."""
    return f"amp-{uuid.uuid4().hex[:8]}"


class Sender:
    """Sends a recording with time stamps of its own, in any order of channels, as often as told."""

    def __init__(self, lsl, name, raw, order=None, unit="V"):
        self.order = list(range(len(CHANNELS))) if order is None else order
        info = lsl.StreamInfo(name, "EEG", len(CHANNELS), SFREQ, "float64", "")
        info.set_channel_names([CHANNELS[k] for k in self.order])
        info.set_channel_units([unit] * len(CHANNELS))
        self.outlet = lsl.StreamOutlet(info)
        self.samples = raw.get_data().T[:, self.order] * (1e6 if unit == "uV" else 1)
        self.clock = lsl.local_clock

    def send(self, start, stop, began):
        for first in range(start, stop, 50):
            last = min(first + 50, stop)
            part = np.ascontiguousarray(self.samples[first:last])
            self.outlet.push_chunk(part, timestamp=began + (last - 1) / SFREQ)

    def stop(self):
        self.outlet._del()


class Tap:
    """A source that remembers what it gave, and gives up after a while."""

    def __init__(self, name, timeout_s=20.0):
        from neurodecode.realtime.lsl import LSLSource

        self._source, self._until = LSLSource(name, timeout_s), time.monotonic() + 40
        self.chunks = []

    def __getattr__(self, name):
        return getattr(self._source, name)

    @property
    def ended(self):
        assert time.monotonic() < self._until, "nothing came for 40 s"
        return False

    def pull(self, timeout_s):
        chunk = self._source.pull(timeout_s)
        if chunk is not None:
            self.chunks.append((self._source.generation, chunk))
        return chunk

    def heard(self, generation):
        return np.concatenate([c.samples for g, c in self.chunks if g == generation])


def test_decisions_of_a_player_are_those_of_the_recording(lsl, world, raw, name):
    from mne_lsl.player import PlayerLSL

    heard, told = [], []
    player = PlayerLSL(raw, chunk_size=20, name=name)

    def decide(trial):
        heard.append(trial)
        return [Choice("pic", 1.0)]

    def windows(source):
        return LiveWindows(world.front_end, 2, source.description, WindowOptions(hop_ms=200))

    # it starts while we are waiting for it
    later = threading.Timer(0.5, player.start)
    later.start()
    source = Tap(name)
    try:
        kept = run_loop(source, windows, decide, [told.append], limits=Limits(3, behind_ms=1e9))
    finally:
        source.close()
        later.join()
        player.stop()
    assert source.description.channels == tuple(CHANNELS)
    assert kept.n_decided == len(heard) == 3, [each.problem for each in told]
    assert all(0 < age < 20_000 for age in kept.age_ms)
    filtered = CausalFilter(world.front_end.recipe, SFREQ)(source.heard(1)[:, :7].T)
    for number, trial in enumerate(heard):
        epoch = filtered[:, 40 * number : 40 * number + 101 : 4]
        np.testing.assert_array_equal(trial, world.front_end.finish(epoch, 2)[0])


def test_a_stream_that_comes_back_in_another_order(lsl, world, raw, name):
    order = [5, 2, 7, 0, 1, 6, 3, 4]
    sender = Sender(lsl, name, raw, unit="uV")
    source, trials, told = Tap(name), [], []

    def decide(trial):
        trials.append(trial)
        return [Choice("pic", 1.0)]

    def windows(source):
        return LiveWindows(world.front_end, 2, source.description, WindowOptions(hop_ms=500))

    def play():
        nonlocal sender
        assert sender.outlet.wait_for_consumers(timeout=20)
        sender.send(0, 250, lsl.local_clock())
        while len(told) < 2:
            time.sleep(0.01)
        sender.stop()
        sender = Sender(lsl, name, raw, order)
        assert sender.outlet.wait_for_consumers(timeout=20)
        sender.send(300, 550, lsl.local_clock())

    thread = threading.Thread(target=play)
    thread.start()
    try:
        run_loop(source, windows, decide, [told.append], limits=Limits(4, behind_ms=1e9))
    finally:
        source.close()
        thread.join()
        sender.stop()
    assert source.generation == 2
    assert [each.problem for each in told] == [""] * 4
    samples = raw.get_data(picks=list(NAMES))
    for first, pair in ((0, trials[:2]), (300, trials[2:])):
        filtered = CausalFilter(world.front_end.recipe, SFREQ)(samples[:, first : first + 250])
        for number, trial in enumerate(pair):
            epoch = filtered[:, 100 * number : 100 * number + 101 : 4]
            expected = world.front_end.finish(epoch, 2)[0]
            np.testing.assert_allclose(trial, expected, rtol=1e-4, atol=1e-5)


def test_markers_of_another_stream(lsl, world, raw, name):
    from neurodecode.realtime.lsl import LSLMarkers

    sender = Sender(lsl, name, raw)
    info = lsl.StreamInfo(f"{name}-m", "Markers", 1, 0.0, "string", "m")
    outlet = lsl.StreamOutlet(info)
    source, markers = Tap(name), LSLMarkers(f"{name}-m", 20.0)
    assert outlet.wait_for_consumers(timeout=20)
    began, trials = lsl.local_clock(), []
    for number in (0, 2):
        outlet.push_sample([f"picture {number}"], timestamp=began + ONSET[number] / SFREQ)
    outlet.push_sample([""], timestamp=began)
    time.sleep(0.3)
    sender.send(0, 600, began)
    told = []

    def decide(trial):
        trials.append(trial)
        return []

    def windows(source):
        return LiveWindows(world.front_end, 2, source.description, WindowOptions(markers=True))

    run_loop(source, windows, decide, [told.append], markers, Limits(2))
    for each in (source, markers, sender):
        each.close() if hasattr(each, "close") else each.stop()
    outlet._del()
    assert [each.label for each in told] == ["picture 0", "picture 2"]
    np.testing.assert_allclose(trials, world.store.read([0, 2]), rtol=1e-5, atol=1e-5)


def test_decisions_go_out_as_json(lsl, name):
    from neurodecode.realtime.types import Decision

    outlet = LSLOutlet(name)
    inlet = lsl.StreamInlet(lsl.resolve_streams(timeout=20, name=name)[0])
    inlet.open_stream(timeout=20)
    outlet(Decision(7, 1.5, "x", (Choice("é", 0.5, 0.25),), "", 0.0, 3.0, None))
    sample, _ = inlet.pull_sample(timeout=20)
    inlet.close_stream()
    outlet.close()
    content = json.loads(sample[0])
    assert content["choices"] == [{"id": "é", "score": 0.5, "confidence": 0.25, "caption": ""}]
    assert (content["number"], content["label"], content["age_ms"]) == (7, "x", None)


def test_no_such_stream(lsl, raw, name):
    sender = Sender(lsl, name, raw)
    with pytest.raises(
        DataError, match=rf"field {name}x: no stream of this name within 0.3 s.*{name}"
    ):
        Tap(f"{name}x", 0.3)
    sender.stop()


def test_streams_without_names_or_samples(lsl, name):
    outlet = lsl.StreamOutlet(lsl.StreamInfo(name, "EEG", 3, 100.0, "float32", ""))
    with pytest.raises(DataError, match="does not tell the names of its channels"):
        Tap(name)
    outlet._del()
    other = lsl.StreamOutlet(lsl.StreamInfo(f"{name}t", "Markers", 1, 0.0, "string", ""))
    with pytest.raises(DataError, match="stream holds text, not samples"):
        Tap(f"{name}t")
    other._del()
