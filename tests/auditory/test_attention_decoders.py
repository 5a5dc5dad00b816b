"""Every attention decoder through the one interface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from listening import SFREQ, listeners

from neurodecode.auditory.all_decoders import ATTENTION_DECODERS
from neurodecode.auditory.run import only_gaze
from neurodecode.auditory.windows import correlations, window_starts
from neurodecode.errors import ConfigError, DataError

READING = [name for name, each in ATTENTION_DECODERS.items() if each.reads_sound]


def accuracy(decoder, trials, window_s):
    found = [decoder.score_trial(trial, window_s) for trial in trials]
    right = [
        (rows.argmax(1) == trial.attended[0]) for rows, trial in zip(found, trials, strict=True)
    ]
    return np.concatenate(right).mean()


@pytest.fixture(scope="module")
def trials():
    return listeners(n_subjects=1, n_trials=12)


def parts(trials):
    return [[trial] for trial in trials]


@pytest.mark.parametrize("name", READING)
def test_finds_who_is_attended_on_new_trials(name, trials):
    decoder = ATTENTION_DECODERS[name]().fit(parts(trials[:9]))
    scores = decoder.score_trial(trials[9], 6.0)
    assert scores.shape == (4, 2)
    assert accuracy(decoder, trials[9:], 6.0) >= 0.9
    # by name: describe gives what goes into the record
    assert all(isinstance(value, int | float) for value in decoder.describe().values())
    # exchanged candidates exchange their scores
    swapped = replace(trials[9], candidates=np.asarray(trials[9].candidates)[::-1])
    np.testing.assert_allclose(decoder.score_trial(swapped, 6.0)[:, ::-1], scores, atol=1e-12)


@pytest.mark.parametrize("name", READING)
def test_finds_nothing_where_nothing_is(name):
    silent = listeners(n_subjects=1, n_trials=24, gain=0.0, seed=5)
    decoder = ATTENTION_DECODERS[name]().fit(parts(silent[:12]))
    assert 0.25 < accuracy(decoder, silent[12:], 6.0) < 0.75


@pytest.mark.parametrize("name", READING)
def test_a_causal_decoder_does_not_look_past_the_end_of_a_window(name, trials):
    decoder = ATTENTION_DECODERS[name](causal=True).fit(parts(trials[:6]))
    trial, length = trials[10], int(6 * SFREQ)
    eeg = np.asarray(trial.eeg).copy()
    before = decoder.scores(eeg, trial.candidates, 6.0)
    eeg[2 * length :] = 100.0
    after = decoder.scores(eeg, trial.candidates, 6.0)
    np.testing.assert_allclose(after[:2], before[:2], atol=1e-12)
    assert np.abs(after[2:] - before[2:]).max() > 0.01
    with pytest.raises(ConfigError, match="causal"):
        decoder.scores(eeg, trial.candidates, 0.3)


def test_labels_are_not_looked_at_without_supervision(trials):
    wrong = [replace(trial, attended=1 - trial.attended) for trial in trials]
    plain, flipped = (
        ATTENTION_DECODERS["trf_unsupervised"]().fit(parts(some[:9])) for some in (trials, wrong)
    )
    np.testing.assert_array_equal(plain.model.weights_, flipped.model.weights_)


@pytest.mark.parametrize("name", ["csp", "mean_direction", "talker_signature"])
def test_decoders_without_sound_read_what_the_brain_says_by_itself(name, trials):
    loud = []
    for trial in trials:
        # power on one side, mean on the other, depending on what is attended
        eeg = np.asarray(trial.eeg).copy()
        eeg[:, int(trial.attended[0])] *= 3.0
        eeg[:, 3] += trial.attended - 0.5
        loud.append(replace(trial, eeg=eeg))
    decoder = ATTENTION_DECODERS[name]().fit(parts(loud[:9]))
    assert not decoder.reads_sound
    assert accuracy(decoder, loud[9:], 6.0) == 1
    plain = ATTENTION_DECODERS[name]().fit(parts(trials[:9]))
    assert accuracy(plain, trials[9:], 6.0) < 0.9
    with pytest.raises(ConfigError, match="score a trial"):
        decoder.scores(np.ones((100, 7)), np.ones((2, 100, 1)), 1.0)
    nowhere = [replace(trial, direction=(), talker=("", "")) for trial in trials]
    with pytest.raises(DataError, match="of the talkers is known"):
        ATTENTION_DECODERS[name]().fit(parts(nowhere))


def test_gaze_alone_is_a_brain_of_two_channels(trials):
    eyes = [only_gaze(trial) for trial in trials]
    decoder = ATTENTION_DECODERS["mean_direction"]().fit(parts(eyes[:9]))
    assert accuracy(decoder, eyes[9:], 6.0) == 1
    with pytest.raises(ConfigError, match="no eye channel"):
        only_gaze(replace(trials[0], gaze=None))


def test_patterns_show_the_channels_that_respond(trials):
    decoder = ATTENTION_DECODERS["trf_backward"]().fit(parts(trials))
    patterns = decoder.patterns()
    assert patterns.shape == (7, 5, 1)
    # the response comes two samples after the sound: lag -2 of a backward model
    power = (patterns[:, :, 0] ** 2).sum(axis=0)
    assert decoder.model.lags_[int(power.argmax())] == -2
    response = np.mean(
        [trial.eeg.T @ np.roll(trial.heard()[:, 0], 2) / trial.n_times for trial in trials], axis=0
    )
    at = decoder.model.lags_.index(-2)
    assert np.corrcoef(patterns[:, at, 0], response)[0, 1] > 0.98


def test_windows(rng):
    assert window_starts(100, 30).tolist() == [0, 30, 60]
    assert window_starts(100, 30, 20).tolist() == [0, 20, 40, 60]
    with pytest.raises(ConfigError, match="130 samples is longer than the trial of 100"):
        window_starts(100, 130)
    a, b = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    expected = [np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(2)]
    np.testing.assert_allclose(correlations(a, b), expected)
    assert correlations(np.ones((9, 1)), a[:9, :1]).tolist() == [0]
