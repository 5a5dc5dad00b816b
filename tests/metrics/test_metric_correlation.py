"""Correlations against scipy and numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reference_numbers import read_reference, tensor
from scipy.spatial.distance import correlation as scipy_distance
from scipy.stats import pearsonr

from neurodecode.metrics.functional import (
    correlation_distance,
    correlation_matrix,
    cosine_matrix,
    pearson_r,
    row_correlation,
)


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_matrix_against_numpy(rng, chunk):
    rows, columns = rng.normal(size=(7, 9)), rng.normal(size=(8, 9))
    want = np.corrcoef(rows, columns)[:7, 7:]
    np.testing.assert_allclose(correlation_matrix(rows, columns, chunk=chunk), want, atol=1e-12)
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (rows, columns)]
    np.testing.assert_allclose(cosine_matrix(rows, columns), unit[0] @ unit[1].T, atol=1e-12)


def test_items_of_any_shape_are_flattened(rng):
    rows, columns = rng.normal(size=(7, 3, 4)), rng.normal(size=(8, 3, 4))
    flat = correlation_matrix(rows.reshape(7, 12), columns.reshape(8, 12))
    torch.testing.assert_close(correlation_matrix(rows, columns), flat)


@pytest.mark.parametrize("chunk", [2, 100])
def test_columns_against_scipy(rng, chunk):
    predicted, observed = rng.normal(size=(9, 7)), rng.normal(size=(9, 7))
    want = [pearsonr(predicted[:, v], observed[:, v]).statistic for v in range(7)]
    np.testing.assert_allclose(pearson_r(predicted, observed, chunk=chunk), want, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_constant_voxels_are_undefined_and_countable(rng, value, dtype):
    predicted = torch.tensor(rng.normal(size=(9, 7)), dtype=dtype)
    observed = torch.tensor(rng.normal(size=(9, 7)), dtype=dtype)
    predicted[:, 2], observed[:, 5] = value, value
    r = pearson_r(predicted, observed)
    assert r.isnan().nonzero().flatten().tolist() == [2, 5]
    rest = [0, 1, 3, 4, 6]
    torch.testing.assert_close(r[rest], pearson_r(predicted[:, rest], observed[:, rest]))


def test_one_sample_is_undefined():
    assert pearson_r(torch.randn(1, 4), torch.randn(1, 4)).isnan().all()


def test_offset_does_not_matter_in_single_precision(rng):
    x, y = rng.normal(size=(200, 3)), rng.normal(size=(200, 3))
    want = pearson_r(x, y)
    got = pearson_r((x + 100).astype(np.float32), (y - 100).astype(np.float32))
    np.testing.assert_allclose(got, want, atol=2e-5)


def test_distance_against_fixture_and_scipy(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "image_metrics")
    truth, recon = tensor(inputs["features_truth"]), tensor(inputs["features_recon"])
    got = correlation_distance(truth, recon)
    np.testing.assert_allclose(got, expected["correlation_distance_per_pair"], rtol=1e-8)
    np.testing.assert_allclose(got.mean(), expected["correlation_distance_mean"], rtol=1e-8)
    want = [scipy_distance(a, b) for a, b in zip(truth.numpy(), recon.numpy(), strict=True)]
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_read_only_and_half_precision_arrays_are_taken(rng):
    x = rng.normal(size=(7, 9)).astype(np.float16)
    x.flags.writeable = False
    torch.testing.assert_close(row_correlation(x, x), torch.ones(7), atol=1e-6, rtol=0)


def test_different_shapes_are_refused(rng):
    with pytest.raises(ValueError, match="shapes differ"):
        row_correlation(np.zeros((7, 9)), np.zeros((7, 8)))
    assert row_correlation(np.zeros((0, 9)), np.zeros((0, 9))).shape == (0,)
