"""Pictures are divided by what they show, not by their names."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.errors import ConfigError, LeakError
from neurodecode.splits import read_split, write_split
from neurodecode.splits.pictures import picture_names, split_pictures


@pytest.fixture
def pictures(rng):
    found = {f"{k:02d}.png": rng.integers(0, 256, (7, 9, 3), np.uint8) for k in range(20)}
    found["copy.png"] = found["03.png"].copy()
    # 07 is tested by every-seventh, this one is not: another picture, but it looks the same
    found["also.png"] = np.where(found["07.png"] < 255, found["07.png"] + 1, 255).astype(np.uint8)
    return found


def sides(split, fold=0):
    return {name: side for side, names in picture_names(split, fold).items() for name in names}


@pytest.mark.parametrize("scheme", ["kfold", "every-seventh"])
def test_copies_stay_together(pictures, scheme, tmp_path):
    split = split_pictures(list(pictures), pictures, scheme, n_folds=4)
    for fold in range(len(split.folds)):
        found = sides(split, fold)
        assert set(found) == set(pictures)
        assert found["copy.png"] == found["03.png"]
        assert found["also.png"] == found["07.png"]
    write_split(tmp_path / "splits.json", split)
    assert sides(read_split(tmp_path / "splits.json")) == sides(split)


def test_every_picture_is_tested_once(pictures):
    split = split_pictures(list(pictures), pictures, n_folds=5)
    tested = [name for fold in range(5) for name in picture_names(split, fold)["test"]]
    assert sorted(tested) == sorted(pictures)


def test_every_seventh_of_stimuli_without_pictures():
    names = [f"{k:03d}" for k in range(21)]
    found = sides(split_pictures(names, {}, "every-seventh"))
    assert sorted(n for n, side in found.items() if side == "test") == ["000", "007", "014"]


def test_what_the_publisher_says_counts_unless_it_leaks(pictures):
    said = {name: ("test" if name < "05" else "train") for name in pictures}
    with pytest.raises(LeakError):
        split_pictures(list(pictures), pictures, "published", published=said)
    said["copy.png"] = "test"
    said["also.png"] = "train"
    split = split_pictures(list(pictures), pictures, "published", published=said)
    assert sides(split) == said
    del said["07.png"]
    with pytest.raises(ConfigError, match=r"on which side 07\.png is"):
        split_pictures(list(pictures), pictures, "published", published=said)
    with pytest.raises(ConfigError, match="unknown scheme for pictures 'thirds'"):
        split_pictures(list(pictures), pictures, "thirds")
