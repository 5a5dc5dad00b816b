"""The container: what goes in comes out, and what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodecode.errors import DataError
from neurodecode.gaze.grid import cell_areas, cell_of, normalise
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths
from neurodecode.store.scanpaths import read_scanpaths, scanpath_attrs, write_scanpaths


def one(viewer, stimulus, n, size=(90, 70), **labels):
    at = np.arange(n, dtype=np.float32)
    return Scanpath(at + 0.5, at + 1.25, 100 + at, viewer, stimulus, size=size, **labels)


@pytest.fixture
def some():
    return Scanpaths.from_list(
        [
            one("a", "first", 7, task="search_present", target="cup"),
            one("b", "first", 1),
            one("a", "second", 9, size=(80, 60), caption="a red cup"),
        ],
        pixels_per_degree=24.5,
    )


def same(left, right):
    for name in ("x", "y", "duration", "offsets", "viewer", "stimulus", "target", "caption"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)
    assert left.size == right.size
    np.testing.assert_equal(left.pixels_per_degree, right.pixels_per_degree)


def test_views_selection_and_concatenation(some):
    assert [len(each) for each in some] == [7, 1, 9]
    assert some[-1].caption == "a red cup"
    assert some[0].size == (90, 70)
    picked = some.select(np.array([2, 0]))
    np.testing.assert_array_equal(picked.x, np.r_[np.arange(9), np.arange(7)] + np.float32(0.5))
    assert picked.viewer.tolist() == ["a", "a"]
    assert some.select(some.stimulus == "second").size == {"second": (80, 60)}
    parts = [some.select(some.viewer == "a"), some.select(some.viewer == "b")]
    same(Scanpaths.concatenate(parts), some.select(np.array([0, 2, 1])))
    empty = some.select(np.zeros(3, bool))
    assert len(empty) == 0
    assert empty.check().shape == (0,)


def test_store_and_table_give_back_what_they_got(some, tmp_path):
    write_scanpaths(tmp_path / "s.h5", some, {"method": "uniform", "seed": 7})
    same(read_scanpaths(tmp_path / "s.h5"), some)
    assert scanpath_attrs(tmp_path / "s.h5") == {"method": "uniform", "seed": 7}
    frame = some.to_frame()
    assert frame["fixation"].tolist() == [*range(1, 8), 1, *range(1, 10)]
    same(Scanpaths.from_frame(frame, pixels_per_degree=24.5), some)
    with pytest.raises(DataError, match="field width"):
        Scanpaths.from_frame(frame.drop(columns="width"))


def test_fixations_off_the_image_are_flagged_kept_and_clipped_when_asked(some):
    x = some.x.copy()
    x[[2, 7, 16]] = [-3, 90, 79.9]
    some = replace(some, x=x)
    # the only fixation of viewer b's scanpath lies outside, others on the same image do not
    assert np.flatnonzero(some.check()).tolist() == [2, 7]
    assert len(some.x) == 17
    clipped = some.clipped()
    assert clipped.x[[2, 7]].tolist() == [0.5, 89.5]
    assert clipped.x[16] == np.float32(79.9)
    assert not clipped.off_image.any()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"duration": np.r_[np.full(16, 100.0), 0.0]}, "subject a, field duration: duration of 0"),
        ({"duration": np.r_[-5.0, np.full(16, 100.0)]}, "duration of -5 ms"),
        ({"x": np.r_[np.full(16, 1.0), np.nan]}, "field x: coordinate is not a number"),
        ({"size": {"first": (90, 70)}}, "second has no size"),
        ({"size": {"first": (90, 70), "second": (4, 60)}}, "second lie outside 4 x 60"),
    ],
)
def test_what_cannot_be_a_scanpath_is_refused(some, change, named):
    with pytest.raises(DataError, match=named):
        replace(some, **change).check()


def test_empty_scanpaths_and_arrays_that_do_not_fit_are_refused(some):
    with pytest.raises(DataError, match="subject b, field x: scanpath is empty"):
        Scanpaths.from_list([one("a", "first", 8), one("b", "first", 0)]).check()
    with pytest.raises(DataError, match="field viewer"):
        replace(some, viewer=np.array(["a"]))
    with pytest.raises(DataError, match="field offsets"):
        replace(some, x=some.x[:-1])


def test_unknown_durations_and_single_fixations_are_fine(some):
    replace(some, duration=np.full(17, np.nan)).check()


def test_objects_know_what_lies_where():
    objects = Objects([[10, 10, 40, 30], [20, 20, 10, 10], [70, 5, 10, 9]], ["desk", "cup", "cat"])
    x, y = np.array([25.0, 12.0, 79.9, 80.0]), np.array([25.0, 39.9, 13.9, 8.0])
    assert objects.at(x, y).tolist() == [1, 0, 2, -1]  # the cup lies on the desk
    assert objects.at(x, y, margin=2).tolist() == [1, 0, 2, 2]
    assert objects.centres[2].tolist() == [75, 9.5]
    assert objects.find("cup").tolist() == [1]
    with pytest.raises(DataError, match=r"target 'dog' is not among the objects \(cat, cup, desk"):
        objects.find("dog")
    objects.check((90, 70))
    with pytest.raises(DataError, match="box of cat"):
        objects.check((79, 70))


def test_a_grid_has_cut_cells_at_the_edge(rng):
    size, cell = (90, 70), 8
    areas = cell_areas(size, cell)
    assert areas.shape == (9, 12)
    assert areas.sum() == 90 * 70
    assert areas[-1, -1] == 6 * 2
    density = normalise(rng.random((9, 12)), size, cell)
    assert (np.exp(density) * areas).sum() == pytest.approx(1)
    row, column = cell_of(np.array([0, 89.9, 200]), np.array([8, 69.9, -5]), size, cell)
    assert row.tolist() == [1, 8, 0]
    assert column.tolist() == [0, 11, 11]
