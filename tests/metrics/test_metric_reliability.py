"""Noise ceilings against fixtures and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from reference_numbers import read_reference
from scipy.stats import pearsonr

from neurodecode.errors import DataError
from neurodecode.metrics.functional import (
    algonauts2023,
    mixed_repeats_inverse,
    ncsnr,
    noise_ceiling,
    noise_variance,
    normalised_r,
    normalised_r2,
    repeat_correlation,
    spearman_brown,
)

RTOL = 1e-8


@pytest.fixture
def reference(fixtures_dir):
    """Trials in mixed order (90, 5), their stimuli, betas (3, 30, 5), expectations."""
    inputs, expected = read_reference(fixtures_dir, "noise_ceiling")
    betas = np.array(inputs["betas_vox_rep_image"]).transpose(1, 2, 0)
    order = np.random.default_rng(0).permutation(90)
    stimulus = np.tile([f"image{i:02d}" for i in range(30)], 3)
    return betas.reshape(90, 5)[order], stimulus[order], betas, np.array(
        inputs["pred_vox_image"]
    ), expected  # fmt: skip


def test_noise_sd(reference):
    trials, stimulus, _, _, expected = reference
    got = np.sqrt(noise_variance(trials, stimulus))
    np.testing.assert_allclose(got, expected["noise_sd"], rtol=RTOL)


@pytest.mark.parametrize("chunk", [2, 512])
@pytest.mark.parametrize("ddof", [0, 1])
def test_ncsnr(reference, ddof, chunk):
    trials, stimulus, _, _, expected = reference
    got = ncsnr(trials, stimulus, ddof=ddof, chunk=chunk)
    np.testing.assert_allclose(got, expected[f"ncsnr_total_var_ddof{ddof}"], rtol=RTOL)


def test_ncsnr_of_z_scored_betas(reference):
    trials, stimulus, _, _, expected = reference
    z = (trials - trials.mean(0)) / trials.std(0, ddof=1)
    got = ncsnr(z, stimulus, total_variance=1.0)
    np.testing.assert_allclose(got, expected["ncsnr_zscored"], rtol=RTOL, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_noise_ceiling(reference, n):
    got = 100 * noise_ceiling(reference[4]["ncsnr_total_var_ddof0"], n)
    np.testing.assert_allclose(got, reference[4][f"noise_ceiling_percent_n{n}"], rtol=RTOL)


def test_mixed_repeats(reference):
    want = reference[4]["mixed_repeats"]
    inverse = mixed_repeats_inverse({3: 515, 2: 200, 1: 285})
    assert inverse == pytest.approx(want["effective_inverse_n"])
    got = noise_ceiling(reference[4]["ncsnr_total_var_ddof0"], inverse=inverse)
    np.testing.assert_allclose(got, want["noise_ceiling_fraction"], rtol=RTOL)


def test_normalised_scores(reference):
    _, _, betas, predicted, expected = reference
    mean = betas.mean(0).T
    r = [pearsonr(a, b).statistic for a, b in zip(predicted, mean, strict=True)]
    np.testing.assert_allclose(r, expected["pearson_r"], rtol=RTOL)
    ceiling = np.array(expected["noise_ceiling_percent_n3"]) / 100
    np.testing.assert_allclose(normalised_r(r, ceiling), expected["r_over_sqrt_nc"], rtol=1e-7)
    np.testing.assert_allclose(normalised_r2(r, ceiling), expected["r2_over_nc"], rtol=1e-7)
    score = algonauts2023(r, ceiling)
    np.testing.assert_allclose(score, expected["algonauts2023_per_vertex"], rtol=1e-7)
    assert 100 * np.mean(score) == pytest.approx(expected["algonauts2023_mean_x100"])
    assert 100 * np.median(score) == pytest.approx(expected["algonauts2023_median_x100"])


def test_split_half(reference):
    betas, expected = reference[2], reference[4]
    halves = repeat_correlation(betas[:2])
    np.testing.assert_allclose(halves, expected["split_half_rho_rep0_rep1"], rtol=RTOL)
    mean = repeat_correlation(betas)
    np.testing.assert_allclose(mean, expected["mean_pairwise_rho"], rtol=RTOL)
    for factor, key in ((2, "spearman_brown_2"), (3, "spearman_brown_length_factor_3_from_single")):
        got = spearman_brown(halves, factor, clip=False)
        np.testing.assert_allclose(got, expected[key], rtol=1e-7)
        clipped = spearman_brown(halves, factor)
        np.testing.assert_allclose(clipped, np.maximum(expected[key], 0), rtol=1e-7)


def test_unequal_repeats_recover_a_known_ceiling():
    rng = np.random.default_rng(1)
    repeats = rng.integers(1, 5, size=4000)
    stimulus = np.repeat(np.arange(4000), repeats)
    signal = rng.normal(size=(4000, 3)) * [0.4, 1.0, 0.0]
    trials = signal[stimulus] + rng.normal(size=(len(stimulus), 3)) * [1.0, 2.0, 1.0]
    got = ncsnr(trials, stimulus)
    np.testing.assert_allclose(got**2, [0.16, 0.25, 0.0], atol=0.03)


def test_a_perfect_model_reaches_the_ceiling():
    rng = np.random.default_rng(2)
    signal = rng.normal(size=(20_000, 2)) * [0.4, 1.5]
    average = signal + rng.normal(size=signal.shape) / np.sqrt(3)
    r2 = [pearsonr(signal[:, v], average[:, v]).statistic ** 2 for v in range(2)]
    np.testing.assert_allclose(noise_ceiling(np.array([0.4, 1.5]), 3), r2, atol=0.02)


def test_edges():
    trials = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 5.0], [1.0, 4.0, 4.0], [1.0, 4.0, 9.0]])
    got = ncsnr(trials, np.array([0, 0, 1, 1]))
    assert np.isnan(got[0])  # constant voxel
    assert np.isinf(got[1])  # no noise at all
    np.testing.assert_allclose(noise_ceiling(np.array([0.0, np.inf]), 3), [0, 1])
    with pytest.raises(DataError, match="shown twice"):
        ncsnr(trials, np.arange(4))
    with pytest.raises(DataError, match="1 repeat"):
        repeat_correlation(trials[None])
