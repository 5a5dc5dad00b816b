"""Prior loss and STTM's composite."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from reference_numbers import read_reference, tensor

from neurodecode.losses import (
    Mixup,
    bimixco,
    global_contrastive,
    prior_loss,
    soft_clip,
    sttm_total,
)

EXACT = {"rtol": 1e-8, "atol": 1e-10}


@pytest.mark.parametrize(("stage", "global_weight"), [("stage1", 0.5), ("stage2", 0.2)])
def test_sttm(fixtures_dir, stage, global_weight):
    inputs, expected = read_reference(fixtures_dir, "sttm_composite")
    first = inputs["stage1"]
    shares = torch.where(torch.tensor(first["select"]), tensor(first["betas"]), 1.0)
    mixup = Mixup(torch.tensor(first["perm"]), shares)
    contrast = {
        "stage1": partial(bimixco, mixup=mixup, temperature=first["temp"]),
        "stage2": partial(soft_clip, temperature=inputs["epoch_temp"]),
    }[stage]
    names = ("pred_tokens", "image_tokens", "text_embed")
    terms = global_contrastive(*(tensor(inputs[name]) for name in names), contrast)
    want = expected[stage]
    torch.testing.assert_close(terms.tokens, tensor(want["nce_tokens"]), **EXACT)
    torch.testing.assert_close(terms.image, tensor(want["nce_global_image"]), **EXACT)
    torch.testing.assert_close(terms.text, tensor(want["nce_global_text"]), **EXACT)
    weights = tensor(inputs["batch_weight"])
    total = sttm_total(terms, inputs["prior_loss"], weights, global_weight=global_weight)
    torch.testing.assert_close(total, tensor(want["total"]), **EXACT)


@pytest.mark.parametrize(("scale", "key"), [(1.0, "loss_x0"), (2.0, "loss_x0_scaled_target")])
def test_prior_loss(fixtures_dir, scale, key):
    inputs, expected = read_reference(fixtures_dir, "diffusion_prior")
    loss = prior_loss(tensor(inputs["pred_x0_cond"]), tensor(inputs["x0"]), scale)
    torch.testing.assert_close(loss, tensor(expected[key]), rtol=1e-5, atol=0)


def test_prior_loss_is_formed_in_single_precision():
    predicted = torch.full((2, 3, 4), 300.0, dtype=torch.float16)
    assert prior_loss(predicted, torch.zeros_like(predicted)) == 90_000  # above float16's range
