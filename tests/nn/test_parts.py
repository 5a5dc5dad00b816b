from __future__ import annotations

import pytest
import torch

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.nn.adapters import LinearAdapter, MLPAdapter, SubjectAdapters
from neurodecode.nn.decoder import BrainDecoder, Decoded
from neurodecode.nn.heads import Projector, TokenHead
from neurodecode.nn.low_level import LatentHead
from neurodecode.nn.trunk import ResidualTrunk

N_VOXELS = {"pop": 7, "s.2": 9, "s%2E2": 11}
CONTEXT = BuildContext(N_VOXELS, {"tokens": (3, 5), "latent": (2, 7, 9), "pooled": (6,)})


def responses(**counts: int) -> dict[str, torch.Tensor]:
    names = dict(zip("abc", N_VOXELS, strict=True))
    return {names[k]: torch.randn(n, N_VOXELS[names[k]]) for k, n in counts.items()}


@pytest.mark.parametrize("adapter", [LinearAdapter, MLPAdapter])
def test_adapters_keep_the_order_of_the_batch(adapter):
    adapters = SubjectAdapters(N_VOXELS, 8, adapter).eval()
    batch = responses(c=2, a=4, b=3)
    hidden = adapters(batch)
    assert hidden.shape == (9, 8)
    alone = [adapters({name: part}) for name, part in batch.items()]
    torch.testing.assert_close(hidden, torch.cat(alone))


def test_subject_may_be_absent_and_unknown_or_misfitting_ones_are_named():
    adapters = SubjectAdapters(N_VOXELS, 8, LinearAdapter)
    assert adapters(responses(b=1)).shape == (1, 8)
    with pytest.raises(
        ConfigError, match=r"never seen subject x; known: pop, s%2E2, s\.2; .*adapt"
    ):
        adapters({"x": torch.zeros(2, 7)})
    with pytest.raises(ConfigError, match=r"subject s\.2 has 7 features, the model was made for 9"):
        adapters({"s.2": torch.zeros(2, 7)})


def test_noise_and_dropout_act_in_training_only():
    adapter = LinearAdapter(7, 5, input_dropout=0.3, noise=0.5)
    values = torch.randn(4, 7)
    assert not torch.equal(adapter(values), adapter(values))
    adapter.eval()
    torch.testing.assert_close(adapter(values), adapter.linear(values))


def test_trunk_without_blocks_is_the_identity():
    values = torch.randn(3, 7)
    assert torch.equal(ResidualTrunk(7, 0)(values), values)
    assert ResidualTrunk(7, 2)(values).shape == (3, 7)


@pytest.mark.parametrize("residual", [False, True])
def test_projector_works_on_each_token_by_itself(residual):
    projector = Projector(5, 11, residual=residual)
    tokens = torch.randn(2, 3, 5)
    torch.testing.assert_close(projector(tokens)[:, 1], projector(tokens[:, 1:2])[:, 0])


def test_token_head_shape():
    assert TokenHead(7, 3, 5)(torch.randn(2, 7)).shape == (2, 3, 5)


@pytest.mark.parametrize("shape", [(4, 16, 16), (2, 7, 9), (3, 1, 5), (4, 28, 28)])
def test_latent_head_meets_any_size(shape):
    assert LatentHead(8, shape)(torch.randn(2, 8)).shape == (2, *shape)


@pytest.mark.parametrize("counts", [{"a": 1}, {"a": 4, "b": 3, "c": 2}])
def test_decoder_shapes_and_gradients(counts):
    decoder = BrainDecoder(CONTEXT, width=8)
    decoded = decoder(responses(**counts))
    n = sum(counts.values())
    assert decoded.condition.shape == decoded.tokens.shape == (n, 3, 5)
    assert decoded.latent.shape == (n, 2, 7, 9)
    (decoded.tokens.square().sum() + decoded.latent.square().sum()).backward()
    silent = {name.split(".")[2] for name, p in decoder.named_parameters() if p.grad is None}
    # only adapters of absent subjects are without gradient
    assert len(silent) == len(N_VOXELS) - len(counts)
    moved = [p.grad for p in decoder.parameters() if p.grad is not None]
    assert all(grad.isfinite().all() for grad in moved)
    assert all(grad.abs().sum() > 0 for grad in moved)


def test_pooled_target_is_one_token_and_the_low_level_is_optional():
    decoded = BrainDecoder(CONTEXT, 8, target="pooled", low_level=None)(responses(a=2))
    assert decoded.tokens.shape == (2, 1, 6)
    assert decoded.latent is None


def test_missing_target_is_named():
    with pytest.raises(ConfigError, match=r"no target 'text' \(found: tokens, latent, pooled\)"):
        BrainDecoder(CONTEXT, target="text")


def test_state_survives_a_round_trip(tmp_path):
    one, other = BrainDecoder(CONTEXT, 8).eval(), BrainDecoder(CONTEXT, 8).eval()
    torch.save(one.state_dict(), tmp_path / "w.pt")
    other.load_state_dict(torch.load(tmp_path / "w.pt", weights_only=True))
    batch = responses(a=2, c=3)
    for name, mine, theirs in zip(Decoded._fields, one(batch), other(batch), strict=True):
        assert (mine is None and theirs is None) if name == "text" else torch.equal(mine, theirs)
