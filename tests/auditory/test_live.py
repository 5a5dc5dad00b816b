"""Decisions while it is recorded are those of the whole recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodecode.auditory.live import LiveSettings, live_start, live_step
from neurodecode.auditory.markov import filtered, stay_matrix
from neurodecode.auditory.reconstruction import BackwardTRF
from neurodecode.auditory_trials import AuditoryTrial
from neurodecode.datasets.auditory.assemble import assemble
from neurodecode.errors import ConfigError
from neurodecode.preprocess.audio.causal import causal_start, causal_step
from neurodecode.preprocess.audio.features import SoundRecipe

RATE, CHANNELS = 64.0, tuple("abcdefg")
RECIPE = SoundRecipe(sfreq=16.0, low_hz=0.5, high_hz=6.0, causal=True)


def recording(seed, seconds=30.0):
    """EEG of 7 channels at 64 Hz and two features at 16 Hz that it follows."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((2, int(seconds * 16), 1))
    response = np.repeat(np.roll(features[0][:, 0], 2), 4)
    eeg = rng.standard_normal((len(response), 7)) * 2 + np.outer(response, np.arange(7) - 3)
    return eeg, features


def trial(seed) -> AuditoryTrial:
    eeg, features = recording(seed)
    return assemble(
        subject="S1", trial=str(seed), eeg=eeg, sfreq=RATE, channels=CHANNELS,
        features=list(features), attended=0, recipe=RECIPE, story=("", ""), talker=("x", "y"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def settings():
    decoder = BackwardTRF(causal=True).fit([[trial(seed)] for seed in range(4)])
    _, features = recording(9)
    return LiveSettings(decoder, features, RECIPE, RATE, 4.0, 4.0, 5.0, stay_matrix(2, 0.9))


def feed(eeg, settings, sizes, onset=0):
    state, found, start = live_start(7, settings, onset), [], 0
    for size in sizes:
        decisions, state = live_step(eeg[start : start + size], state, settings)
        found += decisions
        start += size
    return found


@pytest.mark.parametrize("sizes", [[5] * 384, [640, 0, 1, 1279]])
def test_any_chunks_give_what_the_whole_recording_gives(settings, sizes):
    eeg, _ = recording(9)
    found = feed(eeg, settings, sizes)
    whole = trial(9)
    expected = settings.decoder.scores(np.asarray(whole.eeg), settings.candidates, 4.0)
    np.testing.assert_allclose([each.scores for each in found], expected, atol=1e-5)
    posterior = filtered(5.0 * expected, settings.transition, np.full(2, 0.5))
    decided = [each.decision.posterior for each in found]
    np.testing.assert_allclose(decided, posterior, atol=1e-4)
    assert [each.second for each in found] == [4.0 * k for k in range(1, 8)]
    assert posterior[-1, 0] > 0.9


def test_sounds_may_begin_later(settings):
    eeg, _ = recording(9)
    late = np.concatenate([np.zeros((101, 7)), eeg])
    plain, shifted = feed(eeg, settings, [1920]), feed(late, settings, [50, 1971], onset=101)
    np.testing.assert_allclose(
        [each.scores for each in shifted], [each.scores for each in plain], atol=1e-9
    )


def test_lost_samples_are_said_and_do_not_spread(settings):
    eeg, _ = recording(9)
    eeg[400:440, 3] = np.nan  # .6 s in the second window
    eeg[1000:1004] = np.nan  # bridged in the fourth
    found = feed(eeg, settings, [100] * 20)
    assert [bool(each.problem) for each in found] == [False, True] + 5 * [False]
    assert "not finite" in found[1].problem
    assert found[1].decision is None
    assert np.isfinite([each.scores for each in found]).all()


def test_rates_have_to_divide_and_windows_to_fit(settings):
    state = causal_start(7, 50.0, RECIPE)
    with pytest.raises(ConfigError, match="50 Hz cannot be thinned out to 16 Hz"):
        causal_step(np.zeros((5, 7)), state, 50.0, RECIPE)
    with pytest.raises(ConfigError, match="longer than the sounds"):
        replace(settings, window_s=40.0)
    with pytest.raises(ConfigError, match="causal"):
        replace(settings, decoder=BackwardTRF())
