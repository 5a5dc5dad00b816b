"""Making splits: shares, strata, look-alikes, and that every trial is on exactly one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from neurodecode.errors import ConfigError, DataError
from neurodecode.recording import StimulusSet, content_id
from neurodecode.splits import SIDES, check, make_split, near_duplicates, run_keys


@dataclass
class Table:
    """What a split needs to know of a subject."""

    stimulus_id: np.ndarray
    session: np.ndarray
    run: np.ndarray


def table(ids: list[str], n_runs: int = 4) -> Table:
    run = np.arange(len(ids)) % n_runs + 1
    return Table(np.array(ids), np.ones(len(ids), dtype=int), run)


def names(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{number:03d}" for number in range(n)]


@pytest.fixture
def subjects() -> dict[str, Table]:
    """Two subjects with 11 shared stimuli, 57 and 39 of their own, shown three times or once."""
    shared = names("shared", 11)
    return {
        "a": table((shared + names("a", 57)) * 3),
        "b": table(shared + names("b", 39)),
    }


def sides_of(split, fold: int, subject: Table) -> dict[str, set[str]]:
    trials = split.trials(fold, subject)
    return {side: set(subject.stimulus_id[trials[side]]) for side in SIDES}


@pytest.mark.parametrize("scheme", ["shared-test", "kfold", "leave-one-run-out"])
def test_every_trial_is_on_exactly_one_side(scheme, subjects):
    split = make_split(scheme, subjects, n_folds=3)
    for fold in range(len(split.folds)):
        for subject in subjects.values():
            trials = split.trials(fold, subject)
            everything = np.concatenate([trials[side] for side in SIDES])
            assert np.array_equal(np.sort(everything), np.arange(len(subject.run)))


def test_shared_test_keeps_repeats_together_and_cuts_validation_by_content(subjects):
    split = make_split("shared-test", subjects, val_share=0.2)
    assert len(split.folds) == 1
    assert split.folds[0].test == tuple(names("shared", 11))
    assert len(split.folds[0].validation) == round(0.2 * (57 + 39))
    # stratified: each subject gives its own share
    for subject, own in (("a", 57), ("b", 39)):
        validation = sides_of(split, 0, subjects[subject])["validation"]
        assert abs(len(validation) - 0.2 * own) <= 1


def test_published_test_set_is_taken_over(subjects):
    split = make_split("shared-test", subjects, test=["shared003", "a007", "never shown"])
    assert split.folds[0].test == ("a007", "shared003")


def test_shared_test_without_shared_stimuli_says_so(subjects):
    apart = {"a": table(names("a", 7)), "b": table(names("b", 8))}
    with pytest.raises(ConfigError, match="0 of 15 stimuli are shared"):
        make_split("shared-test", apart)


@pytest.mark.parametrize("n_folds", [2, 5])
def test_kfold_tests_everything_once_with_equal_shares_for_each_subject(n_folds, subjects):
    split = make_split("kfold", subjects, n_folds=n_folds)
    tested = [stimulus for fold in split.folds for stimulus in fold.test]
    assert sorted(tested) == sorted(names("shared", 11) + names("a", 57) + names("b", 39))
    for subject in subjects.values():
        counts = [len(sides_of(split, k, subject)["test"]) for k in range(n_folds)]
        assert max(counts) - min(counts) <= 2


def test_kfold_depends_on_the_seed_and_on_nothing_else(subjects):
    turned = dict(reversed(subjects.items()))
    one, same, other = (
        make_split("kfold", world, seed=seed)
        for world, seed in ((subjects, 3), (turned, 3), (subjects, 4))
    )
    assert one == same
    assert one.folds != other.folds


@pytest.mark.parametrize("n_folds", [1, 108])
def test_kfold_refuses_impossible_numbers(n_folds, subjects):
    with pytest.raises(ConfigError, match=f"cannot make {n_folds} folds of 107 stimuli"):
        make_split("kfold", subjects, n_folds=n_folds)


def test_leave_one_run_out_holds_out_each_run_once(subjects):
    split = make_split("leave-one-run-out", subjects, val_share=0.25)
    runs = sorted(set(run_keys(subjects["a"].session, subjects["a"].run)))
    assert [fold.test for fold in split.folds] == [(run,) for run in runs]
    assert split.unit == "run"
    assert all(len(fold.validation) == 1 and len(fold.train) == 2 for fold in split.folds)


def test_no_validation_if_none_is_wanted(subjects):
    for scheme in ("shared-test", "kfold", "leave-one-run-out"):
        split = make_split(scheme, subjects, val_share=0.0)
        assert all(not fold.validation for fold in split.folds)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_impossible_validation_share_is_refused(share, subjects):
    with pytest.raises(ConfigError, match="val_share"):
        make_split("kfold", subjects, val_share=share)


def test_unknown_scheme_lists_the_known_ones(subjects):
    with pytest.raises(ConfigError, match="unknown split scheme 'half'; known: held-out"):
        make_split("half", subjects)


def test_trial_of_an_unknown_stimulus_is_refused(subjects):
    split = make_split("kfold", subjects)
    with pytest.raises(DataError, match="1 trials belong to no side, first: stimulus new"):
        check(split, {"c": table(["new", "a001"])})


@pytest.fixture
def pictures(rng) -> np.ndarray:
    """23 pictures of 40 x 34 pixels, of which number 5 and 19 look the same."""
    images = rng.integers(0, 256, (23, 40, 34, 3), dtype=np.uint8)
    images[19] = images[5]
    images[19, ::7, ::5] ^= 1  # not the same file any more
    return images


def stimulus_set(images: np.ndarray) -> StimulusSet:
    return StimulusSet(ids=[content_id(image) for image in images], images=images)


def test_near_duplicates_are_found_and_others_are_not(pictures):
    stimuli = stimulus_set(pictures)
    pair = tuple(sorted([stimuli.ids[5], stimuli.ids[19]]))
    assert pair[0] != pair[1]
    assert near_duplicates(stimuli.ids, stimuli.images) == [pair]


def test_flat_pictures_are_not_taken_for_each_other():
    images = np.stack([np.full((9, 8, 3), value, np.uint8) for value in (0, 128, 255)])
    assert near_duplicates(["black", "grey", "white"], images) == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scheme", ["kfold", "shared-test"])
def test_look_alikes_are_kept_on_one_side(scheme, seed, pictures):
    stimuli = stimulus_set(pictures)
    # the second look-alike is seen by another subject, who shares only picture 5 and 6
    subjects = {"a": table(list(stimuli.ids[:19])), "b": table(list(stimuli.ids[19:]))}
    split = make_split(
        scheme, subjects, stimuli=stimuli, test=stimuli.ids[5:7], n_folds=4, seed=seed
    )
    for fold in split.folds:
        sides = [
            side
            for side, keys in fold.sides().items()
            for look_alike in (5, 19)
            if stimuli.ids[look_alike] in keys
        ]
        assert len(sides) == 2
        assert len(set(sides)) == 1
    check(split, subjects, stimuli)
