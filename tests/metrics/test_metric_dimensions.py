"""Effective rank and whitening: known spectra, scikit-learn, degenerate arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import entropy, ortho_group
from sklearn.covariance import ledoit_wolf

from neurodecode.metrics.functional import effective_rank, whiten_rows


@pytest.mark.parametrize("shape", [(9, 7), (7, 3, 4)])
def test_effective_rank_against_scipy(rng, shape):
    values = rng.normal(size=shape)
    flat = values.reshape(len(values), -1)
    sizes = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)
    sizes = sizes[sizes > 1e-12]
    assert effective_rank(values) == pytest.approx(np.exp(entropy(sizes)), rel=1e-6)


def test_equal_directions_are_counted(rng):
    basis = ortho_group.rvs(8, random_state=rng)[:3]
    corners = np.concatenate([basis, -basis])
    assert effective_rank(corners + 5) == pytest.approx(3, rel=1e-6)
    assert effective_rank(corners[:, None] * 7) == pytest.approx(3, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_degenerate_predictions(dtype):
    assert effective_rank(torch.full((7, 9), 0.1, dtype=dtype)) == 0
    assert effective_rank(torch.ones(1, 9, dtype=dtype)) == 0
    line = torch.arange(7, dtype=dtype)[:, None] * torch.ones(9, dtype=dtype)
    assert effective_rank(line + 3) == pytest.approx(1)
    assert np.isnan(effective_rank(torch.full((7, 9), torch.nan)))
    assert np.isnan(effective_rank(torch.zeros(0, 9)))


@pytest.mark.parametrize("shape", [(40, 5), (7, 2, 4)])
def test_whitening_against_scikit_learn(rng, shape):
    values = rng.normal(size=shape) * np.linspace(1, 4, shape[-1]) + 3
    flat = values.reshape(len(values), -1)
    covariance, shrinkage = ledoit_wolf(flat)
    want = (flat - flat.mean(axis=0)) @ np.linalg.inv(np.real(sqrtm(covariance)))
    white, used = whiten_rows(values)
    assert used == pytest.approx(shrinkage)
    np.testing.assert_allclose(white, want, atol=1e-8)


def test_nothing_to_whiten_by_is_refused():
    with pytest.raises(ValueError, match="two items"):
        whiten_rows(np.ones((1, 3)))
    with pytest.raises(ValueError, match="the same"):
        whiten_rows(np.full((4, 3), 0.1))
