"""Contrastive losses against independent implementations, values and gradients."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from reference_numbers import read_reference, tensor

from neurodecode.losses import (
    clip_mse,
    cosine_temperature,
    info_nce,
    n_mixup_epochs,
    soft_clip,
    soft_contrastive,
    unit_rows,
)

EXACT = {"rtol": 1e-8, "atol": 1e-10}


def unit(n: int, dim: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(n, dim, generator=generator, dtype=dtype), dim=-1)


@pytest.fixture(params=["0.1", "0.0075"])
def soft_case(fixtures_dir, request):
    inputs, expected = read_reference(fixtures_dir, "softclip")
    return inputs, float(request.param), expected[request.param]


def test_soft_clip_values(soft_case):
    inputs, temperature, expected = soft_case
    p, t = tensor(inputs["preds"]), tensor(inputs["targs"])
    symmetric = soft_clip(p, t, temperature)
    forward = soft_clip(p, t, temperature, bidirectional=False)
    torch.testing.assert_close(symmetric, tensor(expected["symmetric"]), **EXACT)
    torch.testing.assert_close(forward, tensor(expected["brain_to_clip"]), **EXACT)


def test_soft_clip_gradients(soft_case):
    inputs, temperature, expected = soft_case
    for detach in (True, False):
        p, t = tensor(inputs["preds"], grad=True), tensor(inputs["targs"], grad=True)
        soft_clip(p, t, temperature, detach_targets=detach).backward()
        torch.testing.assert_close(p.grad, tensor(expected["grad_preds_symmetric"]), **EXACT)
        if detach:
            assert t.grad is None
        else:
            torch.testing.assert_close(t.grad, tensor(expected["grad_targs_symmetric"]), **EXACT)
    p = tensor(inputs["preds"], grad=True)
    soft_clip(p, tensor(inputs["targs"]), temperature, bidirectional=False).backward()
    torch.testing.assert_close(p.grad, tensor(expected["grad_preds_brain_to_clip"]), **EXACT)


def test_soft_clip_minimum_is_the_entropy_of_the_targets(soft_case):
    inputs, temperature, expected = soft_case
    t = tensor(inputs["targs"])
    loss = soft_clip(t, t, temperature, bidirectional=False)
    torch.testing.assert_close(loss, tensor(expected["lower_bound_entropy_of_targets"]), **EXACT)


def test_info_nce(soft_case):
    inputs, temperature, expected = soft_case
    p, t = tensor(inputs["preds"], grad=True), tensor(inputs["targs"])
    loss = info_nce(p, t, temperature)
    loss.backward()
    torch.testing.assert_close(loss, tensor(expected["infonce_bidirectional"]), **EXACT)
    torch.testing.assert_close(
        p.grad, tensor(expected["grad_preds_infonce_bidirectional"]), **EXACT
    )
    forward = info_nce(p, t, temperature, bidirectional=False)
    torch.testing.assert_close(forward, tensor(expected["infonce_brain_to_clip"]), **EXACT)


@pytest.mark.parametrize("loss", [soft_clip, info_nce])
def test_single_precision_agrees(loss):
    p, t = unit(7, 9), unit(7, 9, seed=1)
    double, single = loss(p, t, 0.0075), loss(p.float(), t.float(), 0.0075)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=0)


@pytest.mark.parametrize("loss", [soft_clip, info_nce])
def test_autocast_does_not_coarsen_the_logits(loss):
    p, t = unit(7, 9, dtype=torch.float32), unit(7, 9, seed=1, dtype=torch.float32)
    outside = loss(p, t, 0.004)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (p @ t.T).dtype == torch.bfloat16  # autocast is really on
        inside = loss(p, t, 0.004)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, outside, rtol=1e-6, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_inputs_give_finite_gradients(dtype):
    p, t = unit(7, 9).to(dtype).requires_grad_(), unit(7, 9, seed=1).to(dtype)
    loss = soft_clip(p, t, 0.004)
    loss.backward()
    assert loss.dtype == torch.float32
    assert p.grad.isfinite().all()


@pytest.mark.parametrize("loss", [soft_clip, info_nce])
def test_a_batch_of_one_has_nothing_to_contrast(loss):
    p, t = unit(1, 9), unit(1, 9, seed=1)
    torch.testing.assert_close(loss(p, t, 0.01), tensor(0.0))


def test_info_nce_prefers_the_right_order():
    t = unit(7, 9)
    assert info_nce(t, t, 0.05) < info_nce(t.roll(1, 0), t, 0.05)


def test_unit_rows_normalises_all_tokens_of_an_item_together():
    tokens = torch.randn(7, 8, 9, dtype=torch.float16)
    rows = unit_rows(tokens)
    assert rows.shape == (7, 72)
    assert rows.dtype == torch.float32
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(7))
    torch.testing.assert_close(rows, F.normalize(tokens.float().reshape(7, 72), dim=1))


def test_soft_contrastive(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "temperature_and_softcont")
    s, t, a = (tensor(inputs[name]) for name in ("student", "teacher", "teacher_aug"))
    loss = soft_contrastive(s, t, a, inputs["temp"])
    torch.testing.assert_close(loss, tensor(expected["soft_cont_loss"]), rtol=1e-9, atol=0)
    grid = [x.reshape(2, 2, 3) for x in (s, t, a)]
    torch.testing.assert_close(soft_contrastive(*grid, inputs["temp"]), loss)


@pytest.mark.parametrize("weight", ["0", "0.25", "0.5", "0.75", "1"])
def test_clip_mse(fixtures_dir, weight):
    inputs, expected = read_reference(fixtures_dir, "meg_clip_mse")
    z_clip, z_mse = tensor(inputs["z_clip"], grad=True), tensor(inputs["z_mse"], grad=True)
    loss = clip_mse(tensor(inputs["targets"]), z_clip, z_mse, inputs["log_scale"], float(weight))
    torch.testing.assert_close(loss.total, tensor(expected[f"total_lambda_{weight}"]), **EXACT)
    torch.testing.assert_close(loss.clip, tensor(expected["clip"]), **EXACT)
    torch.testing.assert_close(loss.mse, tensor(expected["mse"]), **EXACT)
    if weight == "0.75":
        loss.total.backward()
        torch.testing.assert_close(
            z_clip.grad, tensor(expected["grad_Z_clip_lambda_0p75"]), **EXACT
        )
        torch.testing.assert_close(z_mse.grad, tensor(expected["grad_Z_mse_lambda_0p75"]), **EXACT)


def test_clip_mse_ignores_the_length_of_the_contrastive_head(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "meg_clip_mse")
    targets, z_clip, z_mse = (tensor(inputs[name]) for name in ("targets", "z_clip", "z_mse"))
    loss = clip_mse(targets, 3.7 * z_clip, z_mse, inputs["log_scale"])
    torch.testing.assert_close(loss.clip, tensor(expected["clip_is_scale_invariant"]), **EXACT)


def test_clip_mse_trains_its_scale():
    log_scale = torch.nn.Parameter(torch.tensor(2.0))
    clip_mse(torch.randn(5, 4), torch.randn(5, 4), torch.randn(5, 4), log_scale).total.backward()
    assert log_scale.grad.abs() > 0


@pytest.mark.parametrize(
    ("start", "end", "n", "key"),
    [
        (0.004, 0.0075, 101, "0.004->0.0075 n=101"),
        (0.004, 0.0075, 5, "0.004->0.0075 n=5"),
        (0.004, 0.006, 33, "0.004->0.006 n=33"),
    ],
)
def test_temperature(fixtures_dir, start, end, n, key):
    expected = read_reference(fixtures_dir, "temperature_and_softcont")[1]["schedule"][key]
    got = [cosine_temperature(epoch, n, start, end) for epoch in range(n)]
    if isinstance(expected, dict):
        assert got[0] == pytest.approx(expected["first"], rel=1e-9)
        assert got[n // 2] == pytest.approx(expected["mid"], rel=1e-9)
        assert got[-1] == pytest.approx(expected["last"], rel=1e-9)
        assert math.fsum(got) == pytest.approx(expected["sum"], rel=1e-9)
    else:
        assert got == pytest.approx(expected, rel=1e-9)


def test_temperature_at_the_edges():
    assert cosine_temperature(0, 1) == 0.004
    assert cosine_temperature(3, 1) == 0.004
    assert cosine_temperature(9, 5) == pytest.approx(0.0075)
    for step, n in ((0, 0), (-1, 5)):
        with pytest.raises(ValueError, match="no temperature"):
            cosine_temperature(step, n)


@pytest.mark.parametrize(("n", "share", "want"), [(240, 0.33, 79), (50, 0.35, 17), (2, 0.33, 0)])
def test_mixup_epochs(n, share, want):
    assert n_mixup_epochs(n, share) == want


@pytest.mark.parametrize("bidirectional", [True, False])
def test_soft_clip_with_negatives_is_a_cross_entropy_over_more_columns(bidirectional):
    p, t, n = unit(7, 9), unit(7, 9, seed=1), unit(8, 9, seed=2)
    columns = torch.cat([t, n])
    want = F.cross_entropy(p @ columns.T / 0.05, (t @ columns.T / 0.05).softmax(dim=1))
    if bidirectional:
        backward = F.cross_entropy(t @ p.T / 0.05, (t @ t.T / 0.05).softmax(dim=1))
        want = (want + backward) / 2
    loss = soft_clip(p, t, 0.05, bidirectional=bidirectional, negatives=n)
    torch.testing.assert_close(loss, want)
    assert abs(loss - soft_clip(p, t, 0.05, bidirectional=bidirectional)) > 0.01


def test_soft_clip_without_any_negative_is_what_it_was():
    p, t = unit(7, 9), unit(7, 9, seed=1)
    torch.testing.assert_close(soft_clip(p, t, 0.05, negatives=t[:0]), soft_clip(p, t, 0.05))
