"""Divisions that follow the structure of the data, and those that are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from listening import listeners

from neurodecode.auditory.all_decoders import ATTENTION_DECODERS
from neurodecode.auditory.leaks import PROTOCOLS, check_fold, leaking_folds, refuse
from neurodecode.auditory.run import ScoringPlan, run_folds
from neurodecode.auditory.schemes import SCHEMES, make_folds
from neurodecode.auditory.stories import choose_scheme, story_groups
from neurodecode.errors import ConfigError, LeakError

SAME, OTHERS = "same-subject", "other-subjects"


@pytest.fixture(scope="module")
def trials():
    return listeners()


@pytest.fixture(scope="module")
def again(trials):
    """As `trials`, but every subject hears the first story a second time."""
    more = [
        replace(trial, trial="again", sound=("u", "v")) for trial in trials if trial.trial == "0"
    ]
    return [*trials, *more]


def alone(trials):
    """Everybody hears stories of their own."""
    return [
        replace(
            trial,
            sound=tuple(f"{trial.subject}-{name}" for name in trial.sound),
            story=tuple(f"{trial.subject}-{name}" for name in trial.story),
        )
        for trial in trials
    ]


def test_the_stimuli_decide_what_is_left_out(trials, again):
    assert choose_scheme(trials, SAME) == "trial"
    assert choose_scheme(again, SAME) == "story"
    assert choose_scheme(trials, OTHERS) == "subject-story"
    assert choose_scheme(alone(trials), OTHERS) == "subject"
    single = listeners(single=True, one_sound=True)
    single = [replace(trial, story=("",)) for trial in single]
    assert choose_scheme(single, SAME) == "block"
    assert choose_scheme(single, OTHERS) == "subject-block"
    with pytest.raises(ConfigError, match="at least two subjects"):
        choose_scheme(trials[:6], OTHERS)


def test_stories_that_were_heard_together_belong_together(trials):
    mixed = [
        replace(trials[0], story=("a", "b")),
        replace(trials[1], story=("c", "d")),
        replace(trials[2], story=("b", "c")),
        replace(trials[3], story=("e", "f")),
    ]
    assert story_groups(mixed) == [0, 0, 0, 1]


def data_for(scheme, trials, again):
    if "block" in scheme:
        single = listeners(single=True, one_sound=True)
        return [replace(trial, story=("",)) for trial in single]
    return {"story": again, "subject": alone(trials)}.get(scheme, trials)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_keeps_the_test_out_of_training(scheme, trials, again):
    data = data_for(scheme, trials, again)
    folds = list(make_folds(data, scheme))
    tested = [(trial.subject, trial.trial) for fold in folds for trial in fold.test]
    assert len(tested) == len(set(tested))
    assert {subject for subject, _ in tested} == {"S1", "S2", "S3"}
    for fold in folds:
        check_fold(fold, context_s=1.0)
        # the division is repeated within training
        assert len(fold.inner) == len(fold.train)
        for own, others in zip(fold.train, fold.inner, strict=True):
            assert others
            for number in others:
                other = fold.train[number]
                if scheme.startswith("subject"):
                    assert not {t.subject for t in own} & {t.subject for t in other}
                if "block" not in scheme and scheme != "subject":
                    assert not {n for t in own for n in t.groups} & {
                        n for t in other for n in t.groups
                    }


def test_what_leaks_is_refused_in_one_line(trials, again):
    single = [replace(t, story=("",)) for t in listeners(single=True, one_sound=True)]
    (story, *_) = make_folds(again, "story")
    (subject, *_) = make_folds(trials, "subject-story")
    (block, *_) = make_folds(single, "block")
    cases = [
        (next(make_folds(single, "trial")), "its sound is in training, too"),
        (next(make_folds(single, "subject")), "its sound is in training, too"),
        (replace(story, train=(*story.train, (replace(story.test[0], sound=("p", "q")),))),
         "its story is in training"),
        (replace(subject, train=(*subject.train, (replace(
            subject.test[0], sound=("p", "q"), story=("", "")),))), "the subject is in training"),
        (next(make_folds(single, "block", gap_s=0.5)), "training comes within 1 s"),
    ]  # fmt: skip
    for fold, message in cases:
        with pytest.raises(LeakError, match=message) as caught:
            check_fold(fold, context_s=1.0)
        assert "\n" not in str(caught.value)
    with pytest.raises(LeakError, match="reads labels from the brain alone"):
        check_fold(block, context_s=1.0, reads_sound=False)
    with pytest.raises(ConfigError, match="unknown scheme"):
        next(make_folds(trials, "hour"))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_five_leaking_protocols_are_refused_and_can_be_forced(name, trials):
    with pytest.raises(LeakError, match=f"protocol {name}: .*--allow-leak"):
        refuse(name, allow_leak=False)
    refuse(name, allow_leak=True)
    method = {"shared-stimulus": "trf_backward", "speaker-identity": "talker_signature"}
    decoder = ATTENTION_DECODERS[method.get(name, "csp")]
    data = trials
    if name == "shared-stimulus":
        data = [replace(t, story=("",)) for t in listeners(single=True, one_sound=True)]
    folds = list(leaking_folds(data, name, SAME))
    assert {fold.leak for fold in folds} == {name}
    plan = ScoringPlan(windows_s=(2.0,), mismatch_s=(), n_shifts=0, decision_s=0)
    scored = next(run_folds(decoder, folds, plan, allow_leak=True))
    assert np.isfinite(scored.windows[2.0]).all()
    if name != "filters-before-split":
        with pytest.raises(LeakError):
            next(run_folds(decoder, [replace(folds[0], leak="")], plan))


def test_filters_that_saw_the_test_are_those_of_both_sides(trials):
    """Forced, the filters are fitted to everything; honest, to training alone."""
    honest, forced = ATTENTION_DECODERS["csp"](), ATTENTION_DECODERS["csp"]()
    forced.prefit(trials[:6])
    for decoder in (honest, forced):
        decoder.fit([[trial] for trial in trials[:4]])
    everything = ATTENTION_DECODERS["csp"]().fit([[trial] for trial in trials[:6]])
    np.testing.assert_array_equal(forced.filters_, everything.filters_)
    assert not np.allclose(honest.filters_, forced.filters_)
    fold = replace(next(make_folds(trials, "trial")), leak="filters-before-split")
    plan = ScoringPlan(windows_s=(2.0,))
    with pytest.raises(ConfigError, match="no spatial filters"):
        next(run_folds(ATTENTION_DECODERS["trf_backward"], [fold], plan, allow_leak=True))


def test_windows_longer_than_the_trial_are_left_out_or_refused(trials):
    fold = next(make_folds(trials[:6], "trial"))
    plan = ScoringPlan(windows_s=(6.0, 30.0), mismatch_s=(6.0, 20.0), n_shifts=3)
    scored = next(run_folds(ATTENTION_DECODERS["trf_backward"], [fold], plan))
    assert list(scored.windows) == [6.0]
    assert {key: value.shape for key, value in scored.mismatch.items()} == {6.0: (2, 4, 4)}
    np.testing.assert_allclose(
        np.diagonal(scored.mismatch[6.0], axis1=1, axis2=2).T, scored.windows[6.0], atol=1e-9
    )
    assert scored.null.shape == (2, 3)
    with pytest.raises(ConfigError, match="24 s are shorter than every window"):
        next(run_folds(ATTENTION_DECODERS["csp"], [fold], ScoringPlan(windows_s=(30.0,))))
