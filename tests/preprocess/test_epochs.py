"""Continuous runs to epochs, against MNE and cases worked by hand."""

from __future__ import annotations

import mne
import numpy as np
import pytest
from meeg_worlds import continuous

from neurodecode.errors import DataError
from neurodecode.preprocess.channels import bad_channels, channel_features, set_montage
from neurodecode.preprocess.epochs import epoch_run
from neurodecode.preprocess.filters import CausalFilter
from neurodecode.preprocess.recipe import Recipe

NAMES = ["Fz", "Cz", "Pz", "O1", "O2", "P3", "P4"]
PLAIN = Recipe(low_hz=None, high_hz=None, baseline_s=None, tmin_s=-0.1, tmax_s=0.3, scale=None,
               clamp=None)  # fmt: skip


@pytest.fixture
def onset():
    return np.array([300, 777, 1200, 2001])


@pytest.fixture
def raw(onset, rng):
    return continuous(NAMES, "eeg", onset, [1, 2, 3, 4], rng, sfreq=200.0, seconds=14.0)


def test_epochs_are_those_of_mne(raw, onset):
    recipe = Recipe(notch_hz=(50.0,), low_hz=0.5, high_hz=30.0, sfreq_hz=100.0, tmin_s=-0.1,
                    tmax_s=0.3, baseline_s=(-0.1, 0.0), reference="average")  # fmt: skip
    found = epoch_run(raw, onset, recipe)
    ours = raw.copy().load_data().notch_filter(50.0, verbose="ERROR")
    ours.filter(0.5, 30.0, verbose="ERROR").set_eeg_reference("average", verbose="ERROR")
    events = np.column_stack([onset, 0 * onset, np.arange(1, 5)])
    epochs = mne.Epochs(ours, events, tmin=-0.1, tmax=0.3, baseline=None, decim=2,
                        picks="eeg", preload=True, verbose="ERROR")  # fmt: skip
    epochs.apply_baseline((-0.1, 0), verbose="ERROR")
    assert found.data.shape == (4, 7, 41)
    np.testing.assert_allclose(found.data, epochs.get_data(), rtol=1e-4, atol=1e-10)
    assert found.info["sfreq"] == 100.0
    assert not found.rejected


def test_epochs_start_at_their_events(raw, onset):
    found = epoch_run(raw, onset, PLAIN)
    samples = raw.get_data(picks=["O1"])[0]
    np.testing.assert_allclose(found.data[2, 3], samples[1200 - 20 : 1200 + 61], rtol=1e-5)


def test_other_rates_are_resampled(onset, rng):
    raw = continuous(NAMES, "eeg", onset, [1, 2, 3, 4], rng, sfreq=200.0, seconds=14.0)
    seconds = raw.times
    raw._data[0] = np.sin(2 * np.pi * 3.0 * seconds)
    recipe = Recipe(**{**vars(PLAIN), "sfreq_hz": 128.0, "high_hz": 40.0})
    found = epoch_run(raw, onset, recipe)
    times = np.arange(-13, 39) / 128
    assert found.data.shape[2] == len(times)
    starts = np.round(onset * 0.64) / 128
    expected = np.sin(2 * np.pi * 3.0 * (starts[:, None] + times))
    np.testing.assert_allclose(found.data[:, 0], expected, atol=0.02)


def test_blocks_of_causal_filters_give_what_the_whole_gives(rng):
    recipe = Recipe(notch_hz=(50.0,), low_hz=0.3, high_hz=40.0, causal=True)
    signals = 5 + np.cumsum(rng.standard_normal((3, 900)), axis=1)
    whole = CausalFilter(recipe, 200.0)(signals)
    blocks = CausalFilter(recipe, 200.0)
    parts = [blocks(signals[:, a:b]) for a, b in ((0, 7), (7, 7), (7, 400), (400, 900))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    # no later sample reaches an earlier one, and a constant start makes no transient
    changed = signals.copy()
    changed[:, 500:] += 100
    np.testing.assert_array_equal(CausalFilter(recipe, 200.0)(changed)[:, :500], whole[:, :500])
    assert np.abs(CausalFilter(recipe, 200.0)(np.full((1, 50), 7.0))).max() < 1e-9


def test_epochs_are_rejected_and_counted(raw):
    onset = np.array([5, 300, 777, 1200, 2001, 2790])
    raw._data[1, 780:790] += 300e-6
    raw._data[2, 1170:1270] = 1e-6
    raw._data[3, 2001] = np.nan
    recipe = Recipe(**{**vars(PLAIN), "reject": {"eeg": 150e-6}, "flat": {"eeg": 1e-9}})
    found = epoch_run(raw, onset, recipe)
    assert found.kept.tolist() == [1]
    assert dict(found.rejected) == {
        "eeg above 0.00015": 1, "eeg below 1e-09": 1, "not finite": 1, "outside the recording": 2,
    }  # fmt: skip


@pytest.mark.parametrize("how", ["interpolate", "drop", "keep"])
def test_bad_channels(raw, onset, how):
    raw.info["bads"] = ["Pz"]
    raw._data[4] *= 40  # O2, which nobody noted
    recipe = Recipe(**{**vars(PLAIN), "bad_channels": how, "find_bad": 5.0})
    found = epoch_run(raw, onset, recipe)
    plain = epoch_run(raw, onset, Recipe(**{**vars(PLAIN), "bad_channels": "keep"}))
    assert found.bad == ["Pz", "O2"]
    if how == "drop":
        assert found.info["ch_names"] == ["Fz", "Cz", "O1", "P3", "P4"]
    elif how == "keep":
        np.testing.assert_array_equal(found.data, plain.data)
    else:
        assert np.array_equal(found.data[:, [0, 1, 3, 5, 6]], plain.data[:, [0, 1, 3, 5, 6]])
        assert found.data[:, 4].std() < 0.1 * plain.data[:, 4].std()


def test_bad_channels_are_flat_or_unlike_the_others():
    deviation = np.array([1.0, 1.1, 0.9, 1.05, 30.0, 0.0, 0.95])
    assert bad_channels(deviation, 6.0).tolist() == [False] * 4 + [True, True, False]
    assert not bad_channels(deviation, None).any()


def test_meg_positions_are_in_head_coordinates(onset, rng):
    raw = continuous(["A", "B"], "mag", onset, [1, 2, 3, 4], rng, sfreq=200.0, seconds=14.0)
    shift = np.eye(4)
    shift[:3, 3] = [0.0, 0.01, -0.02]
    raw.info["dev_head_t"] = mne.transforms.Transform("meg", "head", shift)
    raw.info["chs"][1]["loc"][:3] = np.nan
    found = channel_features(mne.pick_info(raw.info, [0, 1]))
    np.testing.assert_allclose(found["position"][0], [-0.06, 0.1, 0.06], atol=1e-7)
    assert np.isnan(found["position"][1]).all()
    assert found["type"].tolist() == ["mag", "mag"]


def test_channels_unknown_to_the_montage(onset, rng):
    raw = continuous(["Cz", "Q7", "pz"], "eeg", onset, [1, 2, 3, 4], rng, seconds=14.0)
    with pytest.raises(DataError, match=r"1 of 3 channel names are unknown to the montage.*: Q7"):
        set_montage(raw, "colin27_1020")


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (Recipe(low_hz=None, tmax_s=20.0), "epochs of 20.2 s are longer than the recording of 14"),
        (Recipe(low_hz=0.1), "recording of 14.0 s is shorter than the filter of 33.0 s"),
        (Recipe(low_hz=None, channels="^M"), "no MEG or EEG channel whose name matches"),
    ],
)
def test_recordings_that_do_not_allow_it(raw, onset, recipe, message):
    with pytest.raises(DataError, match=message):
        epoch_run(raw, onset, recipe)
