"""Sound to features: known responses of filters, rates that do not divide, useless sound."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal
from scipy.io import wavfile

from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.audio.bands import erb_frequencies, gammatone_bands, mel_matrix
from neurodecode.preprocess.audio.features import FEATURES, SoundRecipe, sound_features
from neurodecode.preprocess.audio.rates import band_limit, common_length, resample
from neurodecode.preprocess.audio.wave import check_sound, read_wave, require_binaural

RATE = 11025.0


def syllables(depth_hz, seconds=6.0, rate=RATE, seed=3):
    """Noise whose loudness goes up and down."""
    t = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return t, 0.1 * noise * (1.0 + 0.9 * np.sin(2 * np.pi * depth_hz * t))


def test_bands_are_evenly_spaced_in_bandwidths_and_let_their_centre_pass():
    centres = erb_frequencies(150, 4000, 1.5)
    assert centres[0] == pytest.approx(150)
    number = 21.4 * np.log10(1 + 0.00437 * centres)
    np.testing.assert_allclose(np.diff(number), 1.5)
    assert centres[-1] <= 4000 < 1.2 * centres[-1]
    t = np.arange(8000) / 8000
    found = gammatone_bands(np.sin(2 * np.pi * centres[7] * t), 8000, centres[5:10])
    power = found[:, 4000:].std(axis=1)
    assert power.argmax() == 2
    assert power[2] == pytest.approx(np.sqrt(0.5), rel=0.01)
    _, impulse = signal.freqz(*signal.gammatone(centres[9], "fir", fs=8000), [centres[7]], fs=8000)
    # the infinite and the finite filter of the same band agree on what leaks into it
    assert power[4] / power[2] == pytest.approx(abs(impulse[0]), rel=0.15)


def test_envelopes_follow_loudness():
    _, sound = syllables(3.0)
    true = np.sin(2 * np.pi * 3.0 * np.arange(6 * 64) / 64)
    for name in ("gammatone", "broadband"):
        found = sound_features(sound, RATE, SoundRecipe((name,)))
        assert found.shape == (384, 1)
        # not late: gammatone filters delay by less than a sample at 64 Hz
        lags = [np.corrcoef(found[50:-50, 0], np.roll(true, k)[50:-50])[0, 1] for k in (-2, 0, 2)]
        assert lags[1] > 0.95
        assert lags[1] == max(lags)


def test_onsets_are_where_it_gets_louder():
    t = np.arange(int(4 * RATE)) / RATE
    sound = 0.1 * np.random.default_rng(0).standard_normal(len(t)) * np.where(t > 2, 1.0, 0.01)
    onset, rate = FEATURES["onset"](sound, RATE)
    assert onset.argmax() / rate == pytest.approx(2.0, abs=0.03)
    assert onset.min() == 0


def test_phoneme_rate_tells_fast_from_slow_modulations():
    recipe = SoundRecipe(("phoneme_rate",), low_hz=None, high_hz=None)
    fast = sound_features(syllables(12.0)[1], RATE, recipe).mean()
    slow = sound_features(syllables(3.0)[1], RATE, recipe).mean()
    assert fast > 3 * slow


def test_mel_bands_hold_the_tone_they_are_at():
    t = np.arange(int(2 * RATE)) / RATE
    recipe = SoundRecipe(("mel", "gammatone"), low_hz=None, high_hz=None)
    found = sound_features(0.3 * np.sin(2 * np.pi * 1000 * t), RATE, recipe)
    assert found.shape == (128, 11)
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 4000 / 700), 12) / 2595) - 1)
    closest = np.abs(edges[1:-1] - 1000).argmin()
    assert found[40:80, :10].mean(axis=0).argmax() == closest
    with pytest.raises(ConfigError, match="ask for fewer"):
        mel_matrix(np.linspace(0, 4000, 9), 40, 0, 4000)


def test_rates_that_do_not_divide_keep_time():
    t, high = np.arange(44100 * 3) / 44100.0, 64.0
    low = resample(np.sin(2 * np.pi * 5 * t), 44100.0, high)
    assert len(low) == 192
    np.testing.assert_allclose(
        low[20:-20], np.sin(2 * np.pi * 5 * np.arange(192) / high)[20:-20], atol=2e-3
    )
    with pytest.raises(ConfigError, match="no ratio of whole numbers"):
        resample(np.ones(100), 44100.123456, 64.0)


def test_causal_filters_know_nothing_of_the_future(rng):
    values = rng.normal(size=(300, 2))
    changed = values.copy()
    changed[200:] = 0
    causal = [band_limit(each, 64, 1, 9, causal=True) for each in (values, changed)]
    np.testing.assert_array_equal(causal[0][:200], causal[1][:200])
    both = [band_limit(each, 64, 1, 9) for each in (values, changed)]
    assert np.abs(both[0][:200] - both[1][:200]).max() > 1e-3
    with pytest.raises(ConfigError, match="no filter from 1 to 40 Hz at 64 Hz"):
        band_limit(values, 64, 1, 40)


def test_different_lengths_are_cut_or_refused():
    assert common_length(640, 700, 64) == 640
    assert common_length(700, 650, 64) == 650
    with pytest.raises(DataError, match=r"20\.00 s of recording and 10\.00 s of sound"):
        common_length(1280, 640, 64, subject="S1", field="trial 3")


def test_useless_sound_is_named(tmp_path):
    loud = np.clip(3 * np.sin(np.arange(8000) / 20), -1, 1)
    with pytest.raises(DataError, match=r"clipped: .*% of it stays at 1"):
        check_sound(loud)
    check_sound(np.sin(np.arange(8000) / 20))
    with pytest.raises(DataError, match="silent"):
        check_sound(np.zeros(100))
    with pytest.raises(DataError, match="1 channel where both ears"):
        require_binaural(loud[:, None], "a.wav")
    with pytest.raises(DataError, match=r"file .*none\.wav: the sound is missing"):
        read_wave(tmp_path / "none.wav")
    (tmp_path / "bad.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(DataError, match="not a readable WAV"):
        read_wave(tmp_path / "bad.wav")


def test_every_kind_of_wave_is_read_at_full_scale_one(tmp_path):
    wave = 0.5 * np.sin(np.arange(400) / 5)
    for kind in (np.int16, np.int32, np.float32, np.uint8):
        scaled = {np.float32: wave, np.uint8: wave * 128 + 128}.get(
            kind, wave * np.iinfo(kind).max if kind not in (np.float32, np.uint8) else wave
        )
        wavfile.write(tmp_path / "a.wav", 8000, np.round(scaled, 6).astype(kind))
        found, rate = read_wave(tmp_path / "a.wav")
        assert (found.shape, rate) == ((400, 1), 8000)
        np.testing.assert_allclose(found[:, 0], wave, atol=0.02)
