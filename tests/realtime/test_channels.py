"""Channels by name: other orders, other spellings, other units, missing ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from live_world import NAMES

from neurodecode.errors import DataError
from neurodecode.realtime.channels import ChannelMap, match_names
from neurodecode.realtime.types import Description
from neurodecode.realtime.units import factor


@pytest.fixture
def samples(rng):
    return rng.standard_normal((9, len(NAMES)))


def test_reordered_and_additional_channels(world, samples):
    order = [3, 0, 6, 1, 2, 5, 4]
    names = (*(NAMES[k] for k in order), "TRIG", "Fp1")
    offered = np.hstack([samples[:, order], np.full((9, 2), 1e9)])
    channels = ChannelMap(world.front_end, Description("s", names, 200.0))
    np.testing.assert_array_equal(channels.complete(channels.pick(offered)), samples.T)


def test_names_are_spelt_in_many_ways():
    offered = ["EEG fp1", "MLC11-1609", "pz ", "EEG 001", "MEG0111", "T7", "t7", "O1", "o1"]
    wanted = ["Fp1", "MLC11", "Pz", "EEG001", "MEG 0111", "T7", "O1", "O 1", "C3"]
    assert match_names(wanted, offered) == [0, 1, 2, 3, 4, 5, 7, None, None]


def test_missing_electrodes_are_interpolated_as_mne_does(world, raw, caplog):
    names = tuple(name for name in NAMES if name != "Pz")
    channels = ChannelMap(world.front_end, Description("s", names, 200.0, bads=("P4",)))
    signals = raw.get_data(picks=list(names))
    found = channels.complete(channels.pick(signals.T))
    expected = raw.copy().pick(list(NAMES))
    expected.info["bads"] = ["Pz", "P4"]
    expected.interpolate_bads(origin=(0.0, 0.0, 0.04), verbose="ERROR")
    np.testing.assert_allclose(found, expected.get_data(), rtol=1e-6, atol=1e-12)
    assert "stream s lacks 2 of 7 channels: Pz, P4" in caplog.text
    assert "silent" not in caplog.text


def test_other_missing_sensors_are_silent(world, samples, caplog):
    front_end = replace(world.front_end, types=("mag",) * len(NAMES))
    channels = ChannelMap(front_end, Description("s", NAMES, 200.0), exclude=["O1"])
    found = channels.complete(channels.pick(samples))
    assert not found[3].any()
    np.testing.assert_array_equal(np.delete(found, 3, 0), np.delete(samples.T, 3, 0))
    assert "cannot be interpolated and are silent: O1" in caplog.text


@pytest.mark.parametrize("offered", [("A1", "A2"), ("Fz", "Cz", "Pz")])
def test_other_sensors_are_refused(world, offered):
    with pytest.raises(DataError, match=f"has {3 * (len(offered) == 3)} of the decoder's 7"):
        ChannelMap(world.front_end, Description("amp", offered, 200.0))


def test_units(world, samples):
    units = ("microvolts", "uV", "µV", "-6", "mV", "V", None)
    channels = ChannelMap(world.front_end, Description("s", NAMES, 200.0, units))
    scale = np.array([1e-6, 1e-6, 1e-6, 1e-6, 1e-3, 1, 1])
    np.testing.assert_allclose(channels.pick(samples), samples.T * scale[:, None])
    given = ChannelMap(world.front_end, Description("s", NAMES, 200.0, units), unit="nV")
    np.testing.assert_allclose(given.pick(samples), samples.T * 1e-9)
    with pytest.raises(DataError, match="unknown unit 'ohm'"):
        ChannelMap(world.front_end, Description("s", NAMES, 200.0, ("ohm",) * 7))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("fT", 1e-15), ("femtotesla", 1e-15), ("fT/cm", 1e-13), ("none", 1), ("0", 1), ("T/m", 1),
     ("pT", 1e-12), ("mT", 1e-3), ("volts", 1), ("kg", None), ("m", None)],
)  # fmt: skip
def test_factors(text, expected):
    assert factor(text) == (None if expected is None else pytest.approx(expected))
