"""Networks behind the interface of attention decoders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from listening import SFREQ, listeners

import neurodecode.tasks.listening_decoders
from neurodecode.auditory.canonical import CanonicalDecoder
from neurodecode.auditory.decoder import ATTENTION_DECODERS
from neurodecode.auditory.excerpts import Excerpts
from neurodecode.auditory.run import ScoringPlan, run_folds
from neurodecode.auditory.schemes import make_folds
from neurodecode.errors import ConfigError

assert neurodecode.tasks.listening_decoders  # fills the registry
SHORT = {"epochs": 2, "batches": 4, "window_s": 4.0}
OPTIONS = {
    "aadnet": {**SHORT, "n_components": 2, "network": {"n_filters": 2}},
    "dilated": {**SHORT, "epochs": 6, "batches": 8, "lr": 2e-2, "align": None},
}


@pytest.fixture(scope="module")
def trials():
    return listeners(n_subjects=1, n_trials=10)


@pytest.fixture(scope="module", params=list(OPTIONS))
def decoder(request, trials):
    return ATTENTION_DECODERS[request.param](**OPTIONS[request.param]).fit(
        [[t] for t in trials[:7]]
    )


def test_finds_who_is_attended_on_new_trials(decoder, trials):
    right = [decoder.score_trial(t, 6.0).argmax(1) == t.attended[0] for t in trials[7:]]
    assert np.concatenate(right).mean() >= 0.9
    swapped = replace(trials[9], candidates=np.asarray(trials[9].candidates)[::-1])
    scores = decoder.score_trial(trials[9], 6.0)
    np.testing.assert_allclose(decoder.score_trial(swapped, 6.0)[:, ::-1], scores, atol=1e-6)
    assert all(isinstance(value, int | float) for value in decoder.describe().values())
    # what scores are worth is learned from trials that the network within did not see
    within = decoder.within(2.0)
    assert within
    assert all(len(rows) == 12 for _, rows in within)


@pytest.mark.parametrize("name", OPTIONS)
def test_causal_ones_do_not_look_past_a_window(name, trials):
    quick = {**OPTIONS[name], "epochs": 1, "batches": 1, "causal": True}
    decoder = ATTENTION_DECODERS[name](**quick).fit([[t] for t in trials[:4]])
    length = int(6 * SFREQ)
    eeg = np.asarray(trials[9].eeg).copy()
    before = decoder.scores(eeg, trials[9].candidates, 6.0)
    eeg = eeg.copy()
    eeg[2 * length :] = 100.0
    after = decoder.scores(eeg, trials[9].candidates, 6.0)
    np.testing.assert_allclose(after[:2], before[:2], atol=1e-6)
    assert np.abs(after[2:] - before[2:]).max() > 1e-3


def test_without_training_it_is_the_canonical_decoder(trials):
    parts = [[t] for t in trials[:7]]
    decoder = ATTENTION_DECODERS["aadnet"](
        **{**OPTIONS["aadnet"], "epochs": 1, "batches": 1, "lr": 1e-12}
    ).fit(parts)
    linear = CanonicalDecoder(n_components=2, align=0.05).fit(parts)
    found, expected = (each.score_trial(trials[8], 6.0) for each in (decoder, linear))
    ratio = float(linear.logit_weight_[0] / linear.weight_[0])
    np.testing.assert_allclose(found, ratio * expected, rtol=1e-3, atol=1e-3)


def test_division_of_subjects_and_stories_is_repeated_within():
    fold = next(iter(make_folds(listeners(), "subject-story", n_folds=2)))
    make = ATTENTION_DECODERS["aadnet"]
    plan = ScoringPlan(windows_s=(6.0,), mismatch_s=(6.0,), n_shifts=2, decision_s=2.0)
    seen = []
    scores = list(run_folds(lambda: make(**OPTIONS["aadnet"]), [fold], plan, fitted=seen.append))
    held = seen[0].within(2.0)[0][0]
    assert held.subject != fold.subject
    assert len(scores) == len(fold.test)
    assert scores[0].log_likelihood.shape == (12, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": {"depth": 3}}, "options of the network of dilated.*depth"),
        ({"epochs": 0}, "epochs is 0"),
        ({"averaging": 1.0}, "averaging"),
        ({"align": 3.0}, "align is 3"),
    ],
)
def test_options_that_cannot_be(options, message, trials):
    with pytest.raises(ConfigError, match=message):
        ATTENTION_DECODERS["dilated"](**options).fit([[trial] for trial in trials[:3]])


def test_excerpts_are_of_one_attended_talker(trials):
    attended = np.repeat([0, 1], trials[0].n_times // 2)
    switching = replace(trials[0], attended=attended)
    found = Excerpts([switching], 4.0, 3, 1.0)
    assert len(found)
    assert found[0]["eeg"].shape == (67, 7)
    for number, (_, start, talker) in enumerate(found.places):
        assert (attended[start : start + 67] == talker).all()
        assert found[number]["attended"] == talker
    with pytest.raises(ConfigError, match="shorter windows"):
        Excerpts([switching], 20.0, 3, 1.0)
    # one talker: another moment of the same sound is the other candidate
    single = Excerpts(listeners(1, 1, single=True), 4.0, 3, 1.0)[2]
    assert single["candidates"].shape == (2, 67, 1)
    assert single["attended"] == 0
    assert (single["candidates"][0] != single["candidates"][1]).any()
