"""SI-SDR against another library and the fixture, and differences between ears by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reference_numbers import read_reference, tensor
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

from neurodecode.metrics.functional import level_difference, si_sdr, time_difference


def test_si_sdr_equals_the_fixture(fixtures_dir):
    given, expected = read_reference(fixtures_dir, "si_sdr")
    target, estimate, mixture = (tensor(given[name]) for name in ("target", "estimate", "mixture"))
    assert float(si_sdr(estimate, target)) == pytest.approx(expected["si_sdr_zero_mean"], abs=1e-5)
    plain = float(si_sdr(estimate, target, zero_mean=False))
    assert plain == pytest.approx(expected["si_sdr_no_zero_mean"], abs=1e-5)
    gain = float(si_sdr(estimate, target) - si_sdr(mixture, target))
    assert gain == pytest.approx(expected["si_sdr_improvement_zero_mean"], abs=1e-5)
    ten = float(si_sdr(10 * estimate, target))
    assert ten == pytest.approx(expected["scaled_estimate_x10_zero_mean"], abs=1e-5)


@pytest.mark.parametrize("zero_mean", [True, False])
def test_si_sdr_equals_torchmetrics_on_many_ears(zero_mean):
    torch.manual_seed(0)
    target = torch.randn(7, 2, 900, dtype=torch.float64) + 0.3
    estimate = target + torch.rand(7, 2, 1, dtype=torch.float64) * torch.randn(7, 2, 900)
    other = scale_invariant_signal_distortion_ratio(estimate, target, zero_mean=zero_mean)
    torch.testing.assert_close(si_sdr(estimate, target, zero_mean=zero_mean), other, atol=1e-6,
                               rtol=0)  # fmt: skip


def test_silence_and_perfection_are_finite_and_teach_something():
    target = torch.randn(2, 900)
    for estimate in (torch.zeros(2, 900, requires_grad=True), target.clone().requires_grad_()):
        si_sdr(estimate, target).sum().backward()
        assert torch.isfinite(estimate.grad).all()


@pytest.mark.parametrize("later", [-5.0, -0.5, 0.0, 3.25])
def test_time_and_level_between_ears(later):
    rng = np.random.default_rng(1)
    left = rng.standard_normal(4000)
    spectrum = np.fft.rfft(left) * np.exp(-2j * np.pi * np.fft.rfftfreq(4000) * later)
    ears = np.stack([left, 0.5 * np.fft.irfft(spectrum, 4000)])
    found = float(time_difference(ears[None], 8000)[0])
    assert found * 8000 == pytest.approx(later, abs=1 / 16)
    assert float(level_difference(ears)) == pytest.approx(10 * np.log10(0.25), abs=0.02)
