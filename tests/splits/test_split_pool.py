"""What training may use beside what was shown, and what tells one division from another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neurodecode.errors import ConfigError
from neurodecode.splits import Fold, Split

STIMULI = ("a", "b", "c", "d", "e", "f", "u", "v", "w", "x")


@pytest.fixture
def split() -> Split:
    folds = (
        Fold(train=("a", "b", "c"), validation=("d",), test=("e", "f")),
        Fold(train=("a", "e", "f"), validation=("b",), test=("c", "d")),
    )
    # nobody was shown u to x: u looks like a test picture of fold 0, v and w like each other
    return Split("kfold", "stimulus", folds, duplicates=(("e", "u"), ("v", "w"), ("b", "x")))


def test_pool_is_training_and_what_was_never_shown(split):
    assert split.pool(0, STIMULI) == ["a", "b", "c", "v", "w", "x"]
    assert split.pool(1, STIMULI) == ["a", "e", "f", "u", "v", "w"]


def test_pool_of_a_part_holds_nothing_else(split):
    assert split.pool(0, {"w", "d", "u", "b"}) == ["b", "w"]


def test_split_of_runs_has_no_pool():
    fold = Fold(train=("ses-01_run-01",), validation=(), test=("ses-01_run-02",))
    with pytest.raises(ConfigError, match="leave-one-run-out divides runs, not stimuli"):
        Split("leave-one-run-out", "run", (fold,)).pool(0, STIMULI)


def test_digest_tells_divisions_apart(split):
    first, second = split.folds
    assert first.digest == Fold(first.train, first.validation, first.test).digest
    moved = replace(first, train=("a", "b"), validation=("c", "d"))
    renamed = Fold(first.test, first.validation, first.train)
    assert len({each.digest for each in (first, second, moved, renamed)}) == 4
