"""Scanpath metrics against other libraries, cases worked by hand, and over batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.metrics.functional import scanpath as fn
from neurodecode.metrics.modules import SCANPATH_METRICS

SIZE = (800, 600)


def walks(rng, n, longest=11):
    lengths = rng.integers(3, longest, n)
    low, high = (0, 0, 80), (*SIZE, 400)
    return [rng.uniform(low, high, (length, 3)) for length in lengths]


def as_records(path):
    columns = [path[:, 0], path[:, 1], path[:, 2] / 1000]
    return np.rec.fromarrays(columns, names="start_x,start_y,duration")


def test_multimatch_is_that_of_multimatch_gaze(rng):
    reference = pytest.importorskip("multimatch_gaze")
    left, right = walks(rng, 9), walks(rng, 9)
    wanted = [
        reference.docomparison(as_records(a), as_records(b), list(SIZE))
        for a, b in zip(left, right)
    ]
    np.testing.assert_allclose(fn.multimatch(left, right, SIZE), wanted, rtol=1e-8)


def test_clusters_are_those_of_scikit_learn(rng):
    from sklearn.cluster import MeanShift

    points = np.concatenate(
        [rng.normal(at, 25, (8, 2)) for at in ((90, 80), (300, 70), (140, 160))]
    )
    for bandwidth in (30.0, 60.0):
        wanted = MeanShift(bandwidth=bandwidth).fit(points).cluster_centers_
        ours = fn.fixation_clusters(points, bandwidth)
        assert len(ours) == len(wanted)
        np.testing.assert_allclose(np.sort(ours, axis=0), np.sort(wanted, axis=0), atol=1e-8)


def test_batches_of_pairs_do_not_depend_on_each_other(rng):
    left, right = walks(rng, 7), walks(rng, 7, longest=30)
    together = fn.multimatch(left, right, SIZE)
    for row, (a, b) in enumerate(zip(left, right)):
        np.testing.assert_allclose(fn.multimatch([a], [b], SIZE)[0], together[row])
        for compare in (fn.scanmatch, fn.string_edit, fn.stde, fn.sbtde):
            alone = compare([a], [b], SIZE)[0]
            np.testing.assert_allclose(
                compare(left, right, SIZE)[row], alone, err_msg=compare.__name__
            )


def test_sizes_may_differ_between_pairs(rng):
    left, right = walks(rng, 2), walks(rng, 2)
    sizes = np.array([SIZE, (1600, 700)])
    for compare in (fn.scanmatch, fn.multimatch, fn.string_edit, fn.stde, fn.sbtde):
        both = compare(left, right, sizes)
        np.testing.assert_allclose(both[1], compare(left[1:], right[1:], sizes[1])[0])
        assert np.any(both != compare(left, right, SIZE)), compare.__name__


def test_unknown_durations_leave_out_what_needs_them(rng):
    left, right = walks(rng, 2), walks(rng, 2)
    left[0][1, 2] = np.nan
    scores = fn.multimatch(left, right, SIZE)
    assert np.isnan(scores).tolist() == [[False] * 4 + [True], [False] * 5]
    assert np.isfinite(fn.scanmatch(left, right, SIZE)).all()
    with pytest.raises(ValueError, match="durations"):
        fn.scanmatch(left, right, SIZE, temporal_bin=50)


def test_positions_beyond_the_edge_belong_to_the_last_cell():
    xy = np.array([[800.0, 300.0], [-4.0, 610.0]])
    assert fn.grid_labels(xy, SIZE).tolist() == [3 + 4 * 2, 0 + 4 * 3]
    assert fn.scanmatch_sequences([xy], SIZE).values[0].tolist() == [11 + 12 * 4, 12 * 7]


def test_recurrence_worked_by_hand():
    # A B A B C C: recurrences (0,2), (1,3) on one diagonal line, (4,5) by itself
    place = {"A": (0, 0), "B": (100, 0), "C": (0, 100)}
    path = np.array([place[letter] for letter in "ABABCC"], float)
    (values,) = fn.recurrence([path], radius=10)
    np.testing.assert_allclose(
        values, [100 * 2 * 3 / (6 * 5), 100 * 2 / 3, 0, 100 * (2 + 2 + 1) / (5 * 3)]
    )
    # A A A: (0,1), (1,2) on a diagonal; (0,1), (0,2) in a row; (0,2), (1,2) in a column
    (values,) = fn.recurrence([path[[0, 0, 0]]], radius=10)
    np.testing.assert_allclose(values, [100, 100 * 2 / 3, 100 * 4 / 6, 100 * 4 / (2 * 3)])
    assert np.isnan(fn.recurrence([path[:1]], 10)).all()
    assert fn.recurrence([path[[0, 1, 4]]], 10)[0, 0] == 0


def test_cross_recurrence_worked_by_hand():
    place = {"A": (0, 0), "B": (100, 0), "C": (0, 100), "D": (50, 50)}
    first, second = (np.array([place[k] for k in word], float) for word in ("ABC", "DABDC"))
    (values,) = fn.cross_recurrence([first], [second], radius=10)
    # A at 1, B at 2 (a diagonal), C at 4
    np.testing.assert_allclose(values, [100 * 3 / 15, 100 * 2 / 3, 0])


def test_conditional_auc_has_a_map_for_each_fixation(rng):
    maps, row, column = rng.random((7, 8, 9)), rng.integers(0, 8, 7), rng.integers(0, 9, 7)
    values = fn.auc_placements(maps, row, column)
    for k in range(7):
        wanted = fn.auc_placements(maps[k], row[k : k + 1], column[k : k + 1])
        np.testing.assert_allclose(values[k], wanted[0])
    np.testing.assert_array_equal(fn.auc_placements(np.ones((7, 8, 9)), row, column), 0.5)


def test_a_uniform_map_knows_nothing():
    flat = np.full((8, 9), 0.1)
    row, column = np.array([1, 2, 7]), np.array([0, 8, 4])
    np.testing.assert_array_equal(fn.nss(flat, row, column), 0)
    assert np.isnan(fn.correlation(flat, flat))
    assert fn.similarity(flat, flat) == pytest.approx(1)


@pytest.mark.parametrize("name", ["scanmatch", "multimatch", "string_similarity", "stde", "sbtde"])
def test_batches_of_a_metric_give_the_whole(rng, name):
    human, model = walks(rng, 7), walks(rng, 7)
    human[2] = human[2][:2]  # too short for MultiMatch, which leaves it out
    metric = SCANPATH_METRICS[name]()
    metric.update(model[:3], human[:3], SIZE)
    metric.update(model[3:], human[3:], SIZE)
    values = np.asarray(getattr(fn, name)(human, model, SIZE), float).reshape(7, -1)
    wanted = np.nanmean(values, axis=0)
    np.testing.assert_allclose(torch.stack(list(metric.compute().values())), wanted)


def test_density_metrics_over_batches(rng):
    density = np.log(rng.dirichlet(np.ones(72)).reshape(8, 9))
    row, column = rng.integers(0, 8, 7), rng.integers(0, 9, 7)
    wanted = {
        "nss": fn.nss(np.exp(density), row, column).mean(),
        "auc": fn.auc(np.exp(density), row, column),
        "information_gain_bits": np.mean(np.log2(np.exp(density[row, column]) * 72)),
    }
    for name, value in wanted.items():
        metric = SCANPATH_METRICS[name]()
        metric.update(density, row[:3], column[:3])
        metric.update(np.stack([density] * 4), row[3:], column[3:])
        assert metric.compute()[name].item() == pytest.approx(value), name


def test_sequence_score_over_images(rng):
    metric = SCANPATH_METRICS["sequence_score"](bandwidth=60.0)
    human = walks(rng, 4)
    metric.update([human[0]], human)
    with_self = metric.compute()["sequence_score"].item()
    metric.reset()
    metric.update([human[0]], human[1:])
    assert with_self > metric.compute()["sequence_score"].item()


def test_a_single_fixation_is_compared_where_that_means_something(rng):
    left, right = [np.array([[100.0, 80, 150]])], walks(rng, 1)
    for compare in (fn.scanmatch, fn.string_similarity, fn.stde, fn.sbtde):
        assert 0 <= compare(left, right, SIZE)[0] <= 1
        np.testing.assert_allclose(compare(left, left, SIZE), 1)
    assert np.isnan(fn.multimatch(left, right, SIZE)).all()
    assert np.isfinite(fn.cross_recurrence(left, right, 60)[0, 0])
