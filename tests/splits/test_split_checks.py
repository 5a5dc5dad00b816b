"""Planted leaks: each must be found, and named in one line."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from neurodecode.errors import DataError, LeakError
from neurodecode.recording import StimulusSet, content_id
from neurodecode.splits import Fold, Split, check, check_windows, read_split, write_split


@pytest.fixture
def split() -> Split:
    folds = (
        Fold(train=("a", "b", "c"), validation=("d",), test=("e", "f")),
        Fold(train=("a", "e", "f"), validation=("b",), test=("c", "d")),
    )
    return Split("kfold", "stimulus", folds, duplicates=(("e", "f"),), info={"val_share": 0.1})


def with_fold(split: Split, **sides: tuple[str, ...]) -> Split:
    return replace(split, folds=(split.folds[0], replace(split.folds[1], **sides)))


def test_clean_split_passes(split):
    check(split)


@pytest.mark.parametrize(
    ("sides", "pair"),
    [
        ({"train": ("a", "c", "e", "f")}, "train and test"),
        ({"validation": ("b", "d")}, "validation and test"),
        ({"train": ("a", "b", "e", "f")}, "train and validation"),
    ],
)
def test_stimulus_on_two_sides_is_found(split, sides, pair):
    with pytest.raises(LeakError, match=f"fold 1: 1 stimulus keys are in both {pair}, first: "):
        check(with_fold(split, **sides))


def test_run_on_two_sides_is_found():
    runs = Fold(train=("ses-01_run-01", "ses-01_run-02"), validation=(), test=("ses-01_run-02",))
    with pytest.raises(LeakError, match="1 run keys are in both train and test"):
        check(Split("leave-one-run-out", "run", (runs,)))


def test_listed_look_alike_on_two_sides_is_found(split):
    leak = replace(split, duplicates=(("c", "a"),))
    with pytest.raises(
        LeakError, match="fold 1: the same picture is on two sides: c in test, a in"
    ):
        check(leak)


def test_look_alike_that_nobody_listed_is_found_from_the_pictures(rng):
    images = rng.integers(0, 256, (4, 18, 24, 3), dtype=np.uint8)
    images[3] = images[0]
    images[3, 0, 0] ^= 1
    ids = [content_id(image) for image in images]
    split = Split("kfold", "stimulus", (Fold((ids[0], ids[1]), (ids[2],), (ids[3],)),))
    check(split)
    with pytest.raises(LeakError, match="the same picture is on two sides"):
        check(split, stimuli=StimulusSet(ids=ids, images=images))


@pytest.mark.parametrize(("side", "name"), [("train", "train"), ("test", "test")])
def test_fold_without_training_or_test_part_is_refused(split, side, name):
    with pytest.raises(DataError, match=f"fold 1 has no {name} part"):
        check(with_fold(split, **{side: ()}))


@pytest.mark.parametrize(
    ("test", "margin", "leaks"),
    [
        ([[10.0, 12.0]], 0.0, False),  # begins where training stops
        ([[9.5, 11.0]], 0.0, True),
        ([[2.0, 3.0]], 0.0, True),  # inside
        ([[-4.0, 30.0]], 0.0, True),  # around
        ([[11.0, 12.0]], 1.5, True),  # too near
        ([[13.0, 14.0], [19.0, 21.0]], 0.0, True),  # the second one
    ],
)
def test_overlapping_windows_are_found(test, margin, leaks):
    train = {"rec-1": np.array([[0.0, 10.0], [20.0, 25.0]]), "rec-2": np.array([[0.0, 99.0]])}
    windows = {"rec-1": np.array(test), "rec-3": np.array([[0.0, 99.0]])}
    if not leaks:
        check_windows(train, windows, margin=margin)
        return
    with pytest.raises(LeakError, match=r"recording rec-1: test window \(.*\) overlaps"):
        check_windows(train, windows, margin=margin)


def test_window_that_stops_before_it_starts_is_refused():
    with pytest.raises(DataError, match="stops before it starts"):
        check_windows({"r": np.array([[3.0, 3.0]])}, {"r": np.array([[4.0, 5.0]])})


def test_split_survives_the_disk(split, tmp_path):
    write_split(tmp_path / "splits.json", split)
    assert read_split(tmp_path / "splits.json") == split


def test_leak_is_neither_written_nor_read(split, tmp_path):
    path = tmp_path / "splits.json"
    with pytest.raises(LeakError):
        write_split(path, with_fold(split, test=("a", "c")))
    assert not path.exists()
    write_split(path, split)
    content = json.loads(path.read_text())
    content["folds"][1]["test"].append("a")
    path.write_text(json.dumps(content))
    with pytest.raises(LeakError, match="in both train and test, first: a"):
        read_split(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 99}, "not splits of format version 1"),
        ({"kind": "predictions"}, "not splits of format version 1"),
        ({"folds": [{"train": ["a"]}]}, "entry is missing or malformed"),
    ],
)
def test_foreign_files_are_refused(split, tmp_path, change, message):
    path = tmp_path / "splits.json"
    write_split(path, split)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError, match=message):
        read_split(path)
