"""Retrieval and two-way identification: fixtures, ties, edges, other libraries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reference_numbers import read_reference, tensor
from sklearn.metrics import label_ranking_average_precision_score, top_k_accuracy_score

from neurodecode.metrics.functional import (
    compare,
    correlation_matrix,
    cosine_matrix,
    expected_top_k,
    median_rank,
    ranks,
    repeated_draws,
    top_k_credit,
    two_way_from_scores,
    two_way_identification,
)


@pytest.fixture
def reference(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "retrieval")
    return tensor(inputs["brain"]), tensor(inputs["image"]), expected


def test_cosines(reference):
    brain, image, expected = reference
    torch.testing.assert_close(
        cosine_matrix(brain, image), tensor(expected["cosine_brain_by_image"]), rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize("k", [1, 2, 5])
def test_both_directions(reference, k):
    brain, image, expected = reference
    scores = cosine_matrix(brain, image)
    image_retrieval, brain_retrieval = (top_k_credit(s, k).mean() for s in (scores, scores.T))
    assert image_retrieval == pytest.approx(expected[f"given_brain_find_image_top{k}"])
    assert brain_retrieval == pytest.approx(expected[f"given_image_find_brain_top{k}"])
    # what MindEye's code calls "fwd" is the direction from image to brain
    assert brain_retrieval == pytest.approx(expected[f"reference_fwd_top{k}"])
    assert image_retrieval == pytest.approx(expected[f"reference_bwd_top{k}"])


def test_more_places_than_candidates_always_hit(reference):
    brain, image, expected = reference
    assert top_k_credit(cosine_matrix(brain, image), 20).mean() == expected["reference_bwd_top20"]


def test_median_rank(reference):
    brain, image, expected = reference
    assert median_rank(cosine_matrix(brain, image)) == expected["median_rank_given_brain"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_collapsed_decoder_scores_chance_both_ways(reference, dtype):
    brain, image, expected = reference
    collapsed = brain[3].expand(len(brain), -1).to(dtype)
    scores = cosine_matrix(collapsed, image.to(dtype))
    want = expected["collapsed_prediction"]
    assert top_k_credit(scores, 1).mean() == pytest.approx(want["reference_bwd_top1"])
    assert top_k_credit(scores.T, 1).mean() == pytest.approx(want["reference_fwd_top1"])
    assert two_way_from_scores(scores.T).mean() == pytest.approx(0.5)
    assert ranks(scores.T).mean() == pytest.approx(6.5)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_top_k_against_sklearn(rng, k):
    scores, truth = rng.normal(size=(9, 7)), rng.integers(7, size=9)
    want = top_k_accuracy_score(truth, scores, k=k, labels=range(7))
    assert top_k_credit(scores, k, truth).mean() == pytest.approx(want)


def test_ranks_against_sklearn(rng):
    scores, truth = rng.normal(size=(9, 7)), rng.integers(7, size=9)
    want = label_ranking_average_precision_score(np.eye(7)[truth], scores)
    assert (1 / ranks(scores, truth)).mean() == pytest.approx(want)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_ties_get_what_random_order_gives(rng, k):
    scores = rng.integers(3, size=(8, 6)).astype(float)
    truth = rng.integers(6, size=8)
    noise = rng.random(size=(20_000, 8, 6)) * 0.01
    order = np.argsort(-(scores + noise), axis=2)
    place = (order == truth[None, :, None]).argmax(axis=2)
    np.testing.assert_allclose(top_k_credit(scores, k, truth), (place < k).mean(0), atol=0.015)
    np.testing.assert_allclose(ranks(scores, truth), 1 + place.mean(0), atol=0.05)


@pytest.mark.parametrize("k", [1, 2])
def test_hand_worked_tie(k):
    # truth shares the first place with two others: one third, then two thirds
    scores = [[5.0, 5.0, 5.0, 1.0]]
    assert float(top_k_credit(scores, k, [1])) == pytest.approx(k / 3)
    assert float(ranks(scores, [1])) == 2
    assert float(two_way_from_scores(scores, [1])) == pytest.approx(2 / 3)
    assert float(two_way_from_scores(scores, [1], ties="strict")) == pytest.approx(1 / 3)


def test_one_candidate():
    assert float(top_k_credit([[0.3]], 1)) == 1
    assert median_rank([[0.3]]) == 1
    assert two_way_from_scores([[0.3]]).isnan().all()


def test_undefined_scores_lose():
    scores = np.array([[np.nan, 0.1, 0.2], [0.3, 0.2, np.nan], [0.1, np.nan, 0.4]])
    counts = compare(scores)
    assert counts.n_better.tolist() == [2, 1, 0]
    assert counts.n_tied.tolist() == [0, 0, 0]
    assert counts.n_lower.tolist() == [0, 0, 1]
    assert two_way_from_scores(scores).tolist() == [0, 0, 0.5]
    assert top_k_credit(np.full((2, 3), np.nan), 1).tolist() == [0, 0]


def test_infinite_scores_have_an_order():
    scores = [[-np.inf, -np.inf, 1.0], [np.inf, np.inf, -np.inf]]
    assert ranks(scores, [0, 0]).tolist() == [2.5, 1.5]


def test_tolerance(rng):
    scores = [[1.0, 1.05, 0.5]]
    assert float(ranks(scores)) == 2
    assert float(ranks(scores, tolerance=0.1)) == 1.5
    assert float(two_way_from_scores(scores, tolerance=0.1)) == 0.75


@pytest.mark.parametrize(
    ("truth", "message"), [([0], "shape"), ([0, 9], "outside"), ([0, -1], "outside")]
)
def test_wrong_truth_is_refused(truth, message):
    with pytest.raises(ValueError, match=message):
        top_k_credit(np.zeros((2, 3)), 1, truth)


def test_more_queries_than_candidates_need_their_truth():
    with pytest.raises(ValueError, match="truth"):
        ranks(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="strict"):
        two_way_from_scores(np.zeros((2, 2)), ties="often")


def test_repeated_draws_are_seeded_and_converge_to_the_exact_expectation(rng):
    brain = rng.normal(size=(40, 6))
    scores = cosine_matrix(brain, brain + rng.normal(size=(40, 6)))
    draws = repeated_draws(scores, 12, 30, seed=4)
    assert draws.shape == (30,)
    torch.testing.assert_close(draws, repeated_draws(scores, 12, 30, seed=4))
    many = repeated_draws(scores, 12, 3000, seed=5)
    error = float(many.std() / 3000**0.5)
    assert float(many.mean()) == pytest.approx(
        float(expected_top_k(scores, 12).mean()), abs=4 * error
    )


def test_all_candidates_leave_nothing_to_draw(rng):
    scores = rng.integers(4, size=(9, 9)).astype(float)
    for k in (1, 3):
        torch.testing.assert_close(expected_top_k(scores, 9, k), top_k_credit(scores, k))
    torch.testing.assert_close(repeated_draws(scores, 9, 2), top_k_credit(scores).mean().expand(2))


@pytest.mark.parametrize("k", [1, 2])
def test_expected_top_k_by_enumeration_with_ties(k):
    from itertools import combinations

    scores = np.array([[3.0, 5.0, 3.0, 1.0, 3.0, 0.0]])
    want = [
        float(top_k_credit(scores[:, [0, *others]], k)) for others in combinations(range(1, 6), 3)
    ]
    assert float(expected_top_k(scores, 4, k)) == pytest.approx(np.mean(want))


def test_draws_beyond_the_set_are_refused(rng):
    for size in (0, 10):
        with pytest.raises(ValueError, match="cannot draw"):
            repeated_draws(np.eye(9), size, 2)
        with pytest.raises(ValueError, match="cannot draw"):
            expected_top_k(np.eye(9), size)


TWO_WAY_CASES = {
    "no_ties": lambda real, pred: (real, pred),
    "duplicate_images": lambda real, pred: (real[[0, 1, 2, 1, 4, 5, 1, 7]], pred),
    "collapsed_predictions": lambda real, pred: (real, pred[[2] * 8]),
    "constant_feature_row": lambda real, pred: (
        real,
        torch.where(torch.arange(8)[:, None] == 4, 1.0, pred),
    ),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", TWO_WAY_CASES)
def test_two_way(fixtures_dir, case, dtype):
    inputs, expected = read_reference(fixtures_dir, "two_way_identification")
    real, pred = TWO_WAY_CASES[case](tensor(inputs["real"]), tensor(inputs["pred"]))
    real, pred, want = real.to(dtype), pred.to(dtype), expected[case]
    strict = two_way_identification(real, pred)
    np.testing.assert_allclose(strict, want["per_pred_strict"], atol=1e-9)
    assert strict.mean() == pytest.approx(want["strict"])
    counts = np.asarray(want["reference_counts"], dtype=float)
    # on ties by rounding the reference may fall either way; here they are ties
    assert (np.asarray(strict) * 7 <= counts + 1e-9).all()
    if "corr_real_by_pred" in want:
        r = np.asarray(correlation_matrix(pred, real)).T
        np.testing.assert_allclose(r, want["corr_real_by_pred"], rtol=1e-5, atol=1e-6)
    if "strict_with_tolerance" in want:
        near = two_way_identification(
            real, pred, tolerance=1e-9 if dtype == torch.float64 else None
        )
        assert near.mean() == pytest.approx(want["strict_with_tolerance"])
    if "half_credit_ties" in want:
        half = two_way_identification(real, pred, ties="half")
        assert half.mean() == pytest.approx(want["half_credit_ties"])
        swapped = two_way_identification(pred, real)
        assert swapped.mean() == pytest.approx(want["transposed_strict"])


def test_two_way_of_one_image_is_undefined():
    assert two_way_identification(torch.randn(1, 9), torch.randn(1, 9)).isnan().all()


@pytest.mark.slow
def test_a_thousand_images_in_seconds():
    from time import perf_counter

    real = torch.randn(982, 2048)
    pred = real + 5 * torch.randn(982, 2048)
    start = perf_counter()
    two_way_identification(real, pred)
    scores = cosine_matrix(pred, real)
    ranks(scores)
    repeated_draws(scores, 300, 30)
    assert perf_counter() - start < 10
