"""Likelihood identification and transductive re-scoring against fixtures and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reference_numbers import read_reference, tensor
from scipy.stats import multivariate_normal

from neurodecode.metrics.functional import (
    RESCORERS,
    correlation_scores,
    cosine_matrix,
    csls,
    hungarian,
    hungarian_scores,
    log_likelihood_scores,
    noise_covariance,
    posterior,
    ranks,
    sinkhorn,
    top_k_credit,
    whitened_correlation_scores,
)

EXACT = {"rtol": 1e-7, "atol": 1e-9}


@pytest.fixture
def reference(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "likelihood_identification")
    names = ("measured_image_by_voxel", "predicted_image_by_voxel", "noise_covariance")
    return *(tensor(inputs[name]) for name in names), inputs, expected


def test_log_likelihood(reference):
    measured, predicted, covariance, inputs, expected = reference
    scores = log_likelihood_scores(measured, predicted, covariance)
    torch.testing.assert_close(scores, tensor(expected["loglik"]), **EXACT)
    assert scores.argmax(1).tolist() == expected["argmax"]
    assert top_k_credit(scores).mean() == expected["accuracy"]
    assert ranks(scores).tolist() == expected["rank_of_true"]
    uniform = tensor(expected["posterior_uniform_prior"])
    torch.testing.assert_close(posterior(scores), uniform, **EXACT)
    best = posterior(scores, inputs["prior"]).argmax(1)
    assert best.tolist() == expected["map_argmax_with_prior"]


def test_ledoit_wolf(reference):
    measured, predicted, _, inputs, expected = reference
    covariance, shrinkage = noise_covariance(tensor(inputs["training_residuals"]))
    torch.testing.assert_close(covariance, tensor(expected["ledoit_wolf_covariance"]), **EXACT)
    assert shrinkage == pytest.approx(expected["ledoit_wolf_shrinkage"], rel=1e-8)
    scores = log_likelihood_scores(measured, predicted, covariance)
    torch.testing.assert_close(scores, tensor(expected["loglik_with_ledoit_wolf"]), **EXACT)
    assert scores.argmax(1).tolist() == expected["argmax_with_ledoit_wolf"]


def test_correlations(reference):
    measured, predicted, covariance, _, expected = reference
    plain = correlation_scores(measured, predicted)
    assert plain.argmax(1).tolist() == expected["correlation_identification"]
    assert top_k_credit(plain).mean() == pytest.approx(expected["accuracy_correlation"])
    white = whitened_correlation_scores(measured, predicted, covariance)
    assert white.argmax(1).tolist() == expected["whitened_correlation_identification"]


@pytest.mark.parametrize("n", [1, 3])
def test_averages_against_scipy(rng, n):
    measured, predicted = rng.normal(size=(7, 4)), rng.normal(size=(8, 4))
    root = rng.normal(size=(4, 4))
    covariance = root @ root.T + np.eye(4)
    got = log_likelihood_scores(measured, predicted, covariance, n_averaged=n)
    for j, centre in enumerate(predicted):
        want = multivariate_normal(centre, covariance / n).logpdf(measured)
        np.testing.assert_allclose(got[:, j], want, rtol=1e-9)


@pytest.mark.parametrize("scores", [log_likelihood_scores, whitened_correlation_scores])
def test_singular_noise_is_refused(scores):
    with pytest.raises(ValueError, match="positive definite"):
        scores(torch.zeros(2, 3), torch.zeros(2, 3), torch.diag(torch.tensor([1.0, 0.0, 1.0])))


def test_distant_predictions_keep_their_differences():
    # the expanded form |a|^2 - 2ab + |b|^2 would lose these digits
    measured = torch.tensor([[1e8, 0.0]], dtype=torch.float64)
    predicted = torch.tensor([[1e8, 0.0], [1e8, 1e-3]], dtype=torch.float64)
    scores = log_likelihood_scores(measured, predicted, torch.eye(2))
    assert float(scores[0, 0] - scores[0, 1]) == pytest.approx(5e-7, rel=1e-6)


@pytest.fixture
def cosines(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "csls_sinkhorn")
    scores = cosine_matrix(tensor(inputs["queries"]), tensor(inputs["gallery"]))
    torch.testing.assert_close(scores, tensor(expected["cosine"]), **EXACT)
    return scores, expected


@pytest.mark.parametrize("k", [1, 3])
def test_csls(cosines, k):
    scores, expected = cosines
    got = csls(scores, k)
    torch.testing.assert_close(got, tensor(expected[f"csls_k{k}"]), **EXACT)
    assert got.argmax(1).tolist() == expected[f"csls_argmax_k{k}"]
    hubs = scores.argmax(1).bincount(minlength=9)
    assert hubs.tolist() == expected["hub_counts_cosine"]
    assert got.argmax(1).bincount(minlength=9).max() < hubs.max()


@pytest.mark.parametrize("k", [0, 8])
def test_csls_needs_that_many_neighbours(cosines, k):
    with pytest.raises(ValueError, match="neighbours"):
        csls(cosines[0], k)


@pytest.mark.parametrize("reg", [0.05, 0.2])
def test_sinkhorn(cosines, reg):
    scores, expected = cosines
    plan = sinkhorn(scores[:, :7], reg)
    want = tensor(expected[f"sinkhorn_plan_reg{reg}"])
    torch.testing.assert_close(plan, want, rtol=0, atol=1e-8)
    assert plan.argmax(1).tolist() == expected[f"sinkhorn_argmax_reg{reg}"]


def test_sinkhorn_marginals_with_more_candidates_than_queries(cosines):
    plan = sinkhorn(cosines[0], 0.1)
    torch.testing.assert_close(plan.sum(1), torch.full((7,), 1 / 7, dtype=torch.float64))
    torch.testing.assert_close(plan.sum(0), torch.full((9,), 1 / 9, dtype=torch.float64))


def test_sinkhorn_near_an_assignment(rng):
    scores = cosine_matrix(x := rng.normal(size=(60, 8)), x + 0.8 * rng.normal(size=(60, 8)))
    plan = sinkhorn(scores, 0.02)
    torch.testing.assert_close(plan.sum(0), torch.full((60,), 1 / 60, dtype=torch.float64))
    value = float((plan * scores).sum()) * 60
    assert value == pytest.approx(float(scores[range(60), hungarian(scores)].sum()), rel=0.02)


def test_a_plan_that_does_not_settle_is_refused(cosines):
    with pytest.raises(ValueError, match="no transport plan"):
        sinkhorn(cosines[0], 0.05, n_iterations=3)


def test_hungarian(cosines):
    scores, expected = cosines
    columns = hungarian(scores[:, :7])
    assert columns.tolist() == expected["hungarian_columns"]
    total = scores[torch.arange(7), columns].sum()
    assert float(total) == pytest.approx(expected["hungarian_total_cosine"], rel=1e-8)
    assert hungarian_scores(scores[:, :7]).argmax(1).tolist() == expected["hungarian_columns"]
    with pytest.raises(ValueError, match="cannot share"):
        hungarian(scores.T)


@pytest.mark.parametrize("name", sorted(RESCORERS))
def test_every_rescorer_keeps_the_shape_and_a_clear_answer(name):
    scores = 0.1 + 0.8 * torch.eye(12, 13)
    result = RESCORERS[name](scores)
    assert result.shape == (12, 13)
    assert top_k_credit(result).mean() == 1
    assert set(RESCORERS) == {"csls", "sinkhorn", "hungarian"}
