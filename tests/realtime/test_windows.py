"""Streams give what the whole recording gives, whatever happens to them on the way."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from live_world import NAMES, ONSET, RATES, SFREQ, SUBJECT, TRIGGER, make_world

from neurodecode.errors import ConfigError, DataError
from neurodecode.realtime.types import Chunk, Description
from neurodecode.realtime.windows import LiveWindows, WindowOptions

CHANNELS = (*NAMES, TRIGGER)
TRIGGERED = WindowOptions(trigger_channel=TRIGGER)


def play(windows, samples, stamps, size):
    found = []
    for start in range(0, len(samples), size):
        part = slice(start, start + size)
        found += windows.feed(Chunk(samples[part], stamps[part], time.perf_counter()))
    return found


def start(world, options=TRIGGERED, channels=CHANNELS, session=2, sfreq=SFREQ):
    return LiveWindows(world.front_end, session, Description("s", channels, sfreq), options)


@pytest.fixture
def samples(raw):
    return raw.get_data().T.copy()


@pytest.fixture
def stamps(samples):
    return 7000.0 + np.arange(len(samples)) / SFREQ


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [1, 7, 64])
def test_windows_are_the_trials_of_the_recording(worlds, samples, stamps, rate, size):
    world = worlds[rate]
    found = play(start(world), samples, stamps, size)
    assert [each.label for each in found] == ["1", "2", "3", "4", "5", "6"]
    np.testing.assert_allclose([each.onset_s for each in found], stamps[ONSET])
    trials = world.store.read([0, 1, 2, 3])  # session 2; the last two are of session 5
    for window, trial in zip(found[:4], trials, strict=True):
        assert window.problem == ""
        np.testing.assert_array_equal(window.trial, trial)
    other = play(start(world, session=5), samples, stamps, size)
    np.testing.assert_array_equal(other[5].trial, world.store.read([5])[0])
    assert np.abs(other[5].trial - found[5].trial).max() > 0.1


def test_decisions_are_those_of_the_recording(world, samples, stamps):
    found = play(start(world), samples, stamps, 13)
    trials = world.store.read([0, 1, 2, 3])
    offline = world.model.decode({SUBJECT: trials}, session={SUBJECT: 2}).tokens.numpy()
    live = [world.model.decode({SUBJECT: each.trial[None]}, session={SUBJECT: 2}).tokens[0].numpy()
            for each in found[:4]]  # fmt: skip
    np.testing.assert_allclose(live, offline, rtol=1e-5, atol=1e-6)


def test_sliding_windows_do_not_depend_on_the_chunks(world, samples, stamps):
    options = WindowOptions(hop_ms=70.0)
    one, other = (play(start(world, options), samples, stamps, size) for size in (3, 250))
    assert len(one) == len(other) == (len(samples) - 101) // 14 + 1
    for a, b in zip(one, other, strict=True):
        assert a.onset_s == pytest.approx(b.onset_s)
        np.testing.assert_array_equal(a.trial, b.trial)


def test_a_chunk_longer_than_the_buffer(world, samples, stamps):
    found = play(start(world), samples, stamps, len(samples))
    np.testing.assert_array_equal(found[3].trial, world.store.read([3])[0])


def test_markers_of_another_stream(world, samples, stamps):
    windows = start(world, WindowOptions(markers=True))
    assert not windows.mark(stamps[400], "too early to place")
    assert not play(windows, samples[:300], stamps[:300], 9)
    assert windows.mark(stamps[400] + 0.4 / SFREQ, "c")
    assert windows.mark(stamps[5], "a")  # its baseline was never there
    found = play(windows, samples[300:], stamps[300:], 9)
    assert [(each.label, each.problem) for each in found] == [("a", "samples were lost"), ("c", "")]
    np.testing.assert_array_equal(found[1].trial, world.store.read([2])[0])


def test_short_gaps_are_bridged_and_told(world, samples, stamps):
    gone = np.r_[560:568]  # 40 ms in the fourth trial
    kept = np.setdiff1d(np.arange(len(samples)), gone)
    found = play(start(world), samples[kept], stamps[kept], 10)
    assert [each.filled_ms for each in found] == [0, 0, 0, 40, 0, 0]
    assert all(each.problem == "" for each in found)
    bridged = samples.copy()
    share = (np.arange(8) + 1)[:, None] / 9
    bridged[gone] = samples[559] * (1 - share) + samples[568] * share
    expected = play(start(world), bridged, stamps, 10)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.trial, b.trial, atol=1e-4)
    strict = play(
        start(world, replace(TRIGGERED, most_filled=0.05)), samples[kept], stamps[kept], 9
    )
    assert strict[3].problem == "40 ms were lost"
    assert strict[3].trial is None


def test_after_a_long_gap_filters_start_anew(world, samples, stamps):
    kept = np.r_[0:250, 300 : len(samples)]
    windows = start(world)
    found = play(windows, samples[kept], stamps[kept], 10)
    assert [each.problem for each in found] == ["", "samples were lost", "", "", "", ""]
    np.testing.assert_allclose([each.onset_s for each in found], stamps[ONSET], atol=1e-9)
    fresh = play(start(world), samples[300:], stamps[300:], 10)
    np.testing.assert_array_equal(found[2].trial, fresh[0].trial)
    assert (windows.conditioner.lost, windows.conditioner.restarts) == (50, 1)


def test_late_time_stamps_are_no_gaps(world, samples, stamps, rng):
    late = stamps + np.repeat(rng.uniform(-0.002, 0.002, len(stamps) // 10), 10)
    # the clock of the amplifier is slow besides: 10 ms at the end
    late = stamps[0] + (late - stamps[0]) * 1.002
    windows = start(world, replace(TRIGGERED, jitter_ms=10.0))
    found = play(windows, samples, late, 10)
    assert windows.conditioner.lost == 0
    np.testing.assert_array_equal(found[3].trial, world.store.read([3])[0])
    assert found[5].onset_s == pytest.approx(late[ONSET[5]], abs=0.01)


def test_a_clock_that_is_set_back(world, samples, stamps):
    moved = np.where(np.arange(len(stamps)) < 300, stamps, stamps - 5000)
    windows = start(world)
    found = play(windows, samples, moved, 10)
    fresh = play(start(world), samples[300:], stamps[300:], 10)
    assert [each.problem for each in found] == ["", "samples were lost", "", "", "", ""]
    np.testing.assert_array_equal(found[2].trial, fresh[0].trial)


def test_bursts_of_nan_give_no_decision_and_leave_no_trace(world, samples, stamps):
    broken = samples.copy()
    broken[520:526, 2] = np.nan
    broken[524, 4] = np.inf
    found = play(start(world), broken, stamps, 7)
    assert [each.problem for each in found] == ["", "", "", "30 ms are not numbers", "", ""]
    held = samples.copy()
    held[520:526, 2], held[524, 4] = samples[519, 2], samples[523, 4]
    expected = play(start(world), held, stamps, 7)
    for number in (4, 5):
        np.testing.assert_array_equal(found[number].trial, expected[number].trial)
        assert np.isfinite(found[number].trial).all()


def test_it_begins_with_the_first_whole_sample(world, samples, stamps, caplog):
    broken = samples.copy()
    broken[:200, 1] = np.nan
    found = play(start(world), broken, stamps, 10)
    fresh = play(start(world), samples[200:], stamps[200:], 10)
    assert "waiting for numbers from channel Cz" in caplog.text
    assert [each.problem for each in found[:2]] == ["samples were lost", ""]
    np.testing.assert_array_equal(found[1].trial, fresh[0].trial)


def test_limits_of_the_recipe_hold(tmp_path, raw, samples, stamps):
    world = make_world(tmp_path, 50.0, raw, whiten=None, reference=None)
    limited = replace(world.front_end.recipe, reject={"eeg": 150e-6})
    front_end = replace(world.front_end, recipe=limited)
    broken = samples.copy()
    broken[560:570, 3] += 300e-6
    windows = LiveWindows(front_end, 2, Description("s", CHANNELS, SFREQ), TRIGGERED)
    problems = [each.problem for each in play(windows, broken, stamps, 10)]
    assert problems[3] == "eeg above 0.00015"
    assert problems[1] == ""


@pytest.mark.parametrize(
    ("sfreq", "options", "error", "message"),
    [
        (40.0, TRIGGERED, DataError, "stream s: sampled at 40 Hz, which holds nothing above 20"),
        (45.0, TRIGGERED, DataError, "stream s: sampled at 45 Hz, .* filters at 60 Hz"),
        (0.0, TRIGGERED, DataError, "stream s has no regular sampling rate"),
        (SFREQ, WindowOptions(trigger_channel="STI 9"), ConfigError, "--stim-channel STI 9"),
        (SFREQ, WindowOptions(unit="parsec"), ConfigError, "--unit parsec: unknown"),
        (SFREQ, WindowOptions(exclude=["Qz"]), ConfigError, "--exclude Qz"),
    ],
)
def test_streams_that_do_not_fit(world, sfreq, options, error, message):
    with pytest.raises(error, match=message):
        start(world, options, sfreq=sfreq)
