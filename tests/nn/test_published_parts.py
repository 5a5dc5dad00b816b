"""The parts that the published decoders need besides MindEye2's."""

from __future__ import annotations

import pytest
import torch

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.nn.adapters import LinearAdapter, MLPAdapter
from neurodecode.nn.aggregation import AdaptivePool
from neurodecode.nn.attention_head import AttentionTokenHead
from neurodecode.nn.bottleneck import Bottleneck
from neurodecode.nn.builders import ResponseBuilder
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.nn.guided_low_level import GuidedLatentHead
from neurodecode.nn.heads import TokenHead
from neurodecode.nn.subjects import SubjectAdapters
from neurodecode.nn.trunk import SingleLayerTrunk

N_VOXELS = {"a": 7, "b": 9, "c.1": 11}
CONTEXT = BuildContext(N_VOXELS, {"tokens": (3, 6), "latent": (2, 7, 9), "text": (4,)})


def pool_four(n_features: int) -> AdaptivePool:
    return AdaptivePool(n_features, n_out=4)


@pytest.mark.parametrize(
    ("mode", "expected"), [("max", [3.0, 8.0, 5.0]), ("mean", [1.0, 4.5, 3.0])]
)
def test_pooling_takes_runs_of_neighbours(mode, expected):
    values = torch.tensor([[3.0, -1.0, 1.0, 8.0, 1.0, 5.0]])
    assert AdaptivePool(6, 3, mode)(values).tolist() == [expected]


def test_runs_of_unequal_length_cover_every_voxel():
    # of 7 voxels in 3 runs, each reaches from floor(7 k / 3) to ceil(7 (k + 1) / 3)
    values = torch.tensor([[9.0, 0, 2, 0, 0, 0, 4]])
    assert AdaptivePool(7, 3)(values).tolist() == [[9.0, 2.0, 4.0]]


def test_pooling_to_more_than_there_is_is_refused():
    with pytest.raises(ConfigError, match=r"7 features, fewer than aggregate\.n_out 8"):
        SubjectAdapters(N_VOXELS, 5, LinearAdapter, lambda n: AdaptivePool(n, 8))


def test_adapters_of_pooled_responses_have_one_size():
    adapters = SubjectAdapters(N_VOXELS, 5, LinearAdapter, pool_four)
    assert adapters.n_inputs == {"a": 4, "b": 4, "c.1": 4}
    batch = {"c.1": torch.randn(2, 11), "a": torch.randn(3, 7)}
    inputs = adapters.inputs(batch)
    assert torch.equal(inputs["a"], AdaptivePool(7, 4)(batch["a"]))
    expected = [adapters.adapters["sub-c%2E1"](inputs["c.1"]), adapters.embed("a", inputs["a"])]
    assert torch.equal(adapters(batch), torch.cat(expected))
    with pytest.raises(ConfigError, match="never seen subject x"):
        adapters({"x": torch.zeros(2, 7)})


def test_bottleneck_changes_nothing_at_first():
    values = torch.randn(5, 7)
    bottleneck = Bottleneck(7, 3)
    assert torch.equal(bottleneck(values), values)
    torch.nn.init.ones_(bottleneck.up.weight)
    expected = values + bottleneck.down(values).relu().sum(dim=1, keepdim=True)
    torch.testing.assert_close(bottleneck(values), expected)


def test_perceptron_of_mindeye_is_an_adapter_without_its_block():
    values = torch.randn(4, 7)
    adapter = MLPAdapter(7, 5, residual=False, bottleneck=2).eval()
    norm = torch.nn.functional.layer_norm(adapter.first.linear(values), (5,))
    torch.testing.assert_close(adapter(values), torch.nn.functional.gelu(norm))
    assert {name.split(".")[0] for name in adapter.state_dict()} == {
        "bottleneck", "first", "activation",
    }  # fmt: skip


def test_single_layer_trunk():
    values, trunk = torch.randn(4, 7), SingleLayerTrunk(7, 2).eval()
    expected = values
    for block in trunk.blocks:
        norm = torch.nn.functional.layer_norm(block[0](expected), (7,))
        expected = expected + torch.nn.functional.gelu(norm)
    torch.testing.assert_close(trunk(values), expected)
    assert torch.equal(SingleLayerTrunk(7, 0)(values), values)


def test_tokens_attend_to_one_another():
    head = AttentionTokenHead(8, n_tokens=3, dim=6, inner=4, n_heads=2).eval()
    hidden = torch.randn(5, 8)
    assert head(hidden).shape == (5, 3, 6)
    before = head(hidden)
    with torch.no_grad():
        head.narrow[-1].bias[:4] += torch.tensor([3.0, -2.0, 1.0, 0.5])  # of the first token
    assert ((head(hidden) - before).abs().amax(dim=(0, 2)) > 1e-4).all()
    # without what attention adds, a token is widened by itself
    torch.nn.init.zeros_(head.out[0].weight)
    before = head(hidden)
    with torch.no_grad():
        head.narrow[-1].bias[:4] += 1.0 + torch.arange(4)
    change = (head(hidden) - before).abs().amax(dim=(0, 2))
    assert change[0] > 1e-4
    assert change[1:].max() < 1e-6


def test_low_level_is_guided_without_pulling_on_the_guide():
    head = GuidedLatentHead(8, (2, 7, 9), n_blocks=1).eval()
    hidden, shared = torch.randn(4, 8, requires_grad=True), torch.randn(4, 8, requires_grad=True)
    latent = head(hidden, shared)
    assert latent.shape == (4, 2, 7, 9)
    latent.square().sum().backward()
    assert hidden.grad is None
    assert shared.grad.abs().sum() > 0
    assert not torch.allclose(latent, head(torch.randn(4, 8), shared))
    alone = head(None, shared)
    assert torch.equal(alone, head(head.null_guide.expand(4, -1), shared))


def test_low_level_feature_and_guide_are_hidden_in_training_only():
    hidden, shared = torch.randn(400, 8), torch.randn(400, 8)
    seen: list[torch.Tensor] = []
    head = GuidedLatentHead(
        8, (1, 2, 2), n_blocks=0, drop_low=0.4, drop_guide=0.25, dropout=0.0, channels=(4, 4)
    )
    head.merge.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    head(hidden, shared)
    rows = {
        "both": hidden + shared,
        "no low": hidden + head.null_low,
        "no guide": head.null_guide + shared,
    }
    shares = {name: torch.isclose(seen[0], each).all(dim=1).float().mean().item()
              for name, each in rows.items()}  # fmt: skip
    assert sum(shares.values()) == pytest.approx(1)  # never both at once
    assert shares["no low"] == pytest.approx(0.4, abs=0.08)
    assert shares["no guide"] == pytest.approx(0.6 * 0.25, abs=0.06)
    head.eval()(hidden, shared)
    assert torch.equal(seen[1], rows["both"])


def published(**options) -> BrainDecoder:
    return BrainDecoder(
        CONTEXT,
        width=8,
        aggregate=pool_four,
        builder=lambda width, n: ResponseBuilder(width, n, bottleneck=2),
        text_head=TokenHead,
        **options,
    )


def test_decoder_with_all_parts_and_gradients():
    decoder = published(projector=None, low_level=GuidedLatentHead)
    batch = {"b": torch.randn(2, 9), "a": torch.randn(3, 7)}
    decoded = decoder(batch)
    assert decoded.tokens is decoded.condition
    assert decoded.text.shape == (5, 1, 4)
    assert decoded.latent.shape == (5, 2, 7, 9)
    assert torch.equal(decoded.shared, decoder.adapters(batch))
    built = decoder.builders("c.1", decoded.shared)
    assert built.shape == (5, 4)
    parts = (decoded.tokens, decoded.text, decoded.latent, built)
    sum(part.square().sum() for part in parts).backward()
    silent = {name for name, p in decoder.named_parameters() if p.grad is None}
    assert {name.split(".")[2] for name in silent} == {"sub-a", "sub-b", "sub-c%2E1"}
    assert not any(name.startswith(("adapters.adapters.sub-a", "builders.builders.sub-c"))
                   for name in silent)  # fmt: skip


def test_low_level_of_some_rows_is_that_of_all():
    decoder = published(low_level=GuidedLatentHead).eval()
    batch = {"b": torch.randn(2, 9), "a": torch.randn(3, 7)}
    rows = torch.tensor([True, False, False, True, True])
    some, every = decoder(batch, rows).latent, decoder(batch).latent
    torch.testing.assert_close(some, every[rows])


def test_absent_text_target_is_named():
    context = BuildContext(N_VOXELS, {"tokens": (3, 6)})
    with pytest.raises(ConfigError, match=r"no target 'text' \(found: tokens\)"):
        BrainDecoder(context, 8, low_level=None, text_head=TokenHead)
