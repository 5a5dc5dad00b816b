"""Whole categories in the test set alone, shown or not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from neurodecode.errors import ConfigError, LeakError
from neurodecode.recording import StimulusSet
from neurodecode.splits import check, make_split, read_split, write_split

N_CATEGORIES, N_SHOWN = 9, 72
IDS = [f"p{number:03d}" for number in range(90)]


@pytest.fixture
def stimuli(rng) -> StimulusSet:
    """Nine categories of ten; p000 and p001, of two categories, look the same; p089 has none."""
    images = rng.integers(0, 256, (90, 8, 9, 3), dtype=np.uint8)
    images[1] = images[0]
    labels = [f"c{number % N_CATEGORIES}" for number in range(90)]
    return StimulusSet(IDS, images, categories=[*labels[:-1], ""])


@pytest.fixture
def subjects() -> dict[str, SimpleNamespace]:
    def trials(ids):
        ones = np.ones(len(ids), dtype=int)
        return SimpleNamespace(stimulus_id=np.array(ids), session=ones, run=ones)

    return {"1": trials([*IDS[:40], *IDS[:7], IDS[89]]), "2": trials(IDS[30:N_SHOWN])}


def make(subjects, stimuli, **options):
    options = {"n_folds": 4, "val_share": 0.2, **options}
    return make_split("held-out-categories", subjects, stimuli=stimuli, **options)


def categories(stimuli, ids):
    lookup = dict(zip(stimuli.ids, stimuli.categories, strict=True))
    return {lookup[name] for name in ids} - {""}


def test_no_category_is_on_two_sides_and_each_is_tested_once(subjects, stimuli):
    split = make(subjects, stimuli)
    tested = []
    for fold in split.folds:
        sides = [categories(stimuli, side) for side in fold.sides().values()]
        assert all(sides)
        assert sum(map(len, sides)) == len(set().union(*sides)) == N_CATEGORIES
        # what looks the same stays together, and so the two categories do
        assert any({"c0", "c1"} <= side for side in sides)
        assert IDS[89] in fold.train
        tested += fold.test
        for trials in subjects.values():
            split.trials(split.folds.index(fold), trials)
    assert sorted(tested) == sorted({*IDS[:N_SHOWN]})


def test_unshown_pictures_of_held_out_categories_are_not_for_training(subjects, stimuli):
    split = make(subjects, stimuli)
    for number, fold in enumerate(split.folds):
        pool = split.pool(number, stimuli.ids)
        held_out = categories(stimuli, [*fold.validation, *fold.test])
        assert not categories(stimuli, pool) & held_out
        assert any(name in pool for name in IDS[N_SHOWN:89])


def test_file_keeps_the_groups_and_an_edited_one_is_refused(subjects, stimuli, tmp_path):
    split = make(subjects, stimuli)
    write_split(tmp_path / "splits.json", split)
    assert read_split(tmp_path / "splits.json") == split
    fold = split.folds[0]
    moved = replace(fold, train=(*fold.train, fold.test[0]), test=fold.test[1:])
    with pytest.raises(LeakError, match="stimuli of one category are on two sides"):
        check(replace(split, folds=(moved,)))


def test_seed_decides(subjects, stimuli):
    assert make(subjects, stimuli, seed=3) == make(subjects, stimuli, seed=3)
    assert make(subjects, stimuli, seed=3) != make(subjects, stimuli, seed=4)


@pytest.mark.parametrize("n_folds", [1, 9])
def test_too_many_folds(subjects, stimuli, n_folds):
    # eight groups, as two categories are joined
    with pytest.raises(ConfigError, match="folds of 8 categories that were shown"):
        make(subjects, stimuli, n_folds=n_folds)


@pytest.mark.parametrize("labels", [None, [""] * 90])
def test_a_data_set_without_categories(subjects, stimuli, labels):
    with pytest.raises(ConfigError, match="tells no categories"):
        make(subjects, replace(stimuli, categories=labels))
