"""Terms of the decoder's loss, against the plain formulas and the reference's numbers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from reference_numbers import read_reference, tensor

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.losses import Mixup, bimixco, soft_clip, unit_rows
from neurodecode.nn.aggregation import AdaptivePool
from neurodecode.nn.builders import ResponseBuilder
from neurodecode.nn.decoder import BrainDecoder, Decoded
from neurodecode.nn.heads import TokenHead
from neurodecode.tasks.decode import DecodeTask
from neurodecode.tasks.objectives import (
    Contrast,
    CosineError,
    CycleError,
    ResponseError,
    Step,
)

N_VOXELS = {"a": 7, "b": 9, "c": 11}
CONTEXT = BuildContext(N_VOXELS, {"tokens": (3, 6), "latent": (2, 7, 9), "text": (6,)})
MIXUP = Mixup(torch.tensor([1, 0, 2, 4, 3, 5]), torch.tensor([0.25, 1.0, 0.5, 0.8, 0.1, 1.0]))


def network(context: BuildContext) -> BrainDecoder:
    return BrainDecoder(
        context,
        width=8,
        aggregate=lambda n: AdaptivePool(n, 5),
        builder=ResponseBuilder,
        text_head=TokenHead,
    )


def batch(seed: int = 0) -> tuple[dict, dict]:
    torch.manual_seed(seed)
    counts = {"c": 1, "a": 3, "b": 2}
    responses = {name: torch.randn(n, N_VOXELS[name]) for name, n in counts.items()}
    return responses, {name: torch.randn(6, *shape) for name, shape in CONTEXT.targets.items()}


@pytest.mark.parametrize("mixup", [None, MIXUP], ids=["plain", "mixed"])
@pytest.mark.parametrize("known", [None, [0, 2, 3]])
def test_main_terms_are_the_plain_formulas_to_the_last_bit(mixup, known):
    """What the loss was before it was composed of objectives, written out."""
    responses, targets = batch()
    task = DecodeTask(CONTEXT, network, 0.7, 3.0, 0.3).eval()
    rows = None if known is None else torch.zeros(6, dtype=torch.bool).index_fill(
        0, torch.tensor(known), True
    )  # fmt: skip
    decoded = task.decoder(responses, rows)
    losses = task.losses(decoded, targets, 0.05, mixup, None, rows)
    pair = (unit_rows(decoded.tokens), unit_rows(targets["tokens"]))
    contrast = soft_clip(*pair, 0.05) if mixup is None else bimixco(*pair, mixup, 0.05)
    tokens, latents = (
        targets[name] if mixup is None else mixup.mix(targets[name])
        for name in ("tokens", "latent")
    )
    token = F.mse_loss(decoded.condition, tokens)
    latent = F.l1_loss(decoded.latent, latents if rows is None else latents[rows])
    assert list(losses) == ["loss", "contrastive", "token", "latent"]
    assert losses["loss"].item() == (0.7 * contrast + 3.0 * token + 0.3 * latent).item()


@pytest.mark.parametrize(("stage", "weight"), [("stage1", 0.5), ("stage2", 0.2)])
def test_contrasts_of_class_token_picture_and_caption_are_sttms(fixtures_dir, stage, weight):
    inputs, expected = read_reference(fixtures_dir, "sttm_composite")
    first, mixing = inputs["stage1"], stage == "stage1"
    shares = torch.where(torch.tensor(first["select"]), tensor(first["betas"]), 1.0)
    predicted = tensor(inputs["pred_tokens"])
    step = Step(
        decoder=SimpleNamespace(target="joint", text="text"),
        decoded=Decoded(predicted, predicted, None),
        targets={"joint": tensor(inputs["image_tokens"]), "text": tensor(inputs["text_embed"])},
        temperature=first["temp"] if mixing else inputs["epoch_temp"],
        responses={},
        mixup=Mixup(torch.tensor(first["perm"]), shares) if mixing else None,
        negatives={},
        known=None,
    )
    terms = {
        "nce_tokens": Contrast(),
        "nce_global_image": Contrast(0.2, "class", "joint", mixing_weight=0.5),
        "nce_global_text": Contrast(0.2, "class", "text", mixing_weight=0.5),
    }
    for name, objective in terms.items():
        torch.testing.assert_close(
            objective(step), tensor(expected[stage][name]), rtol=1e-8, atol=1e-10
        )
        assert objective.weight_at(step) == (1.0 if name == "nce_tokens" else weight)


def test_cosine_error_is_mindbridges_squared_error_but_for_the_size_of_the_embedding():
    responses, targets = batch()
    task = DecodeTask(CONTEXT, network, objectives=[CosineError(2.0, "text"), CosineError(3.0)])
    decoded = task.decoder(responses)
    losses = task.losses(decoded, targets, 0.05)
    for name, found, true in (
        ("text_own_cosine", decoded.text, targets["text"]),
        ("tokens_own_cosine", decoded.tokens, targets["tokens"]),
    ):
        found, true = unit_rows(found), unit_rows(true)
        published = F.mse_loss(found, true)
        torch.testing.assert_close(losses[name], published * found.shape[1] / 2)
    rest = losses["contrastive"] + 0.5 * losses["latent"]
    cosines = 2 * losses["text_own_cosine"] + 3 * losses["tokens_own_cosine"]
    torch.testing.assert_close(losses["loss"], rest + cosines)


def test_mixed_targets_for_the_cosine():
    responses, targets = batch()
    task = DecodeTask(CONTEXT, network, objectives=[CosineError(read="text")])
    decoded = task.decoder(responses)._replace(text=MIXUP.mix(targets["text"])[:, None])
    losses = task.losses(decoded, targets, 0.05, MIXUP)
    assert losses["text_own_cosine"] == pytest.approx(0, abs=1e-6)


def test_negatives_of_the_class_token():
    responses, targets = batch()
    term = Contrast(1.0, "class", "tokens")
    task = DecodeTask(CONTEXT, network, objectives=[term])
    decoded, others = task.decoder(responses), {"tokens": torch.randn(8, 3, 6)}
    losses = task.losses(decoded, targets, 0.05, negatives=others)
    first = [unit_rows(x[:, 0]) for x in (decoded.tokens, targets["tokens"], others["tokens"])]
    expected = soft_clip(*first[:2], 0.05, negatives=first[2])
    torch.testing.assert_close(losses["class_tokens"], expected)


def test_responses_are_rebuilt_row_by_row():
    responses, targets = batch()
    task = DecodeTask(CONTEXT, network, objectives=[ResponseError()])
    decoded = task.decoder(responses)
    found = task.losses(decoded, targets, 0.05, responses=responses)["response"]
    start, squares = 0, []
    for name, trials in responses.items():
        rows = decoded.shared[start : start + len(trials)]
        pooled = F.adaptive_max_pool1d(trials[:, None], 5)[:, 0]
        squares += (task.decoder.builders(name, rows) - pooled).square().mean(dim=1).tolist()
        start += len(trials)
    assert found.item() == pytest.approx(sum(squares) / 6, rel=1e-5)


def test_cycle_leads_through_another_subject():
    responses, targets = batch()
    task = DecodeTask(CONTEXT, network, objectives=[CycleError()])
    decoder = task.decoder.eval()
    decoded = decoder(responses)
    found = task.losses(decoded, targets, 0.05, responses=responses)["cycle"]
    there = decoder.builders("a", decoded.shared[:1])  # the only row of c, the first subject
    back = decoder.adapters.adapters["sub-a"](there)
    torch.testing.assert_close(found, F.mse_loss(back, decoded.shared[:1]))
    drawn = {
        task.losses(decoded, targets, 0.05, responses=responses)["cycle"].item()
        for _ in range(60)
        if decoder.train()
    }
    assert len(drawn) == 6  # every ordered pair of the three
    alone = {"b": responses["b"]}
    rest = {name: values[:2] for name, values in targets.items()}
    assert "cycle" not in task.losses(decoder(alone), rest, 0.05, responses=alone)


@pytest.mark.parametrize(
    ("objectives", "options", "message"),
    [
        ([Contrast(read="text")], {"text_head": None}, r"set model\.decoder\.text_head"),
        ([Contrast(read="class", target="caption")], {},
         r"needs the target 'caption' \(the data has: tokens, latent, text\)"),
        ([Contrast(target="text")], {}, r"decoded tokens \(3, 6\) with the target 'text' \(1, 6\)"),
        ([CycleError()], {"builder": None}, r"CycleError builds .*model\.decoder\.builder"),
        ([ResponseError(), ResponseError()], {}, "holds response more than once"),
    ],
)  # fmt: skip
def test_what_an_objective_lacks_is_named(objectives, options, message):
    def make(context: BuildContext) -> BrainDecoder:
        parts = {"text_head": TokenHead, "builder": ResponseBuilder} | options
        return BrainDecoder(context, width=8, **parts)

    with pytest.raises(ConfigError, match=message):
        DecodeTask(CONTEXT, make, objectives=objectives)


def test_cycle_of_one_subject_is_refused():
    context = BuildContext({"a": 7}, CONTEXT.targets)
    with pytest.raises(ConfigError, match="needs two subjects; the data has a"):
        DecodeTask(context, network, objectives=[CycleError()])
