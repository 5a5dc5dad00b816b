from __future__ import annotations

import pytest
import torch

from neurodecode.errors import ConfigError
from neurodecode.nn.attention.pooling import POOLING, AttentiveProbe

DIM = 6


def make(name):
    torch.manual_seed(1)
    return POOLING[name](DIM, **({"n_queries": 3} if name == "attentive_probe" else {}))


@pytest.mark.parametrize("name", sorted(POOLING))
def test_every_head_pools_and_leaves_out_what_is_masked(name):
    head, tokens = make(name), torch.randn(4, 7, DIM)
    mask = torch.ones(4, 7, dtype=torch.bool)
    mask[:, 5:] = False
    mask[3] = False
    assert head(tokens).shape == (4, DIM)
    expected = head(tokens[:, :5])
    tokens[:, 5:] = torch.nan
    tokens[3] = torch.nan
    pooled = head(tokens.requires_grad_(), mask)
    torch.testing.assert_close(pooled[:3], expected[:3])
    assert pooled[3].abs().max() == 0
    pooled.sum().backward()
    assert tokens.grad.isfinite().all()
    assert all(p.grad.abs().sum() > 0 for p in head.parameters())


def test_a_probe_is_one_attention_for_each_share():
    head, tokens = make("attentive_probe"), torch.randn(4, 7, DIM)
    torch.nn.init.normal_(head.queries)
    for item in (0, 3):
        for query in range(3):
            scores = tokens[item] @ head.queries[query] / DIM**0.5
            share = slice(2 * query, 2 * query + 2)
            expected = scores.softmax(0) @ (tokens[item] @ head.value.weight.T)[:, share]
            torch.testing.assert_close(head(tokens)[item, share], expected)


def test_a_probe_has_no_redundant_projections():
    assert sum(p.numel() for p in make("attentive_probe").parameters()) == DIM * DIM + 3 * DIM


def test_bad_tokens_and_masks_are_refused():
    with pytest.raises(ConfigError, match="not a multiple of 4"):
        AttentiveProbe(DIM, 4)
    with pytest.raises(ConfigError, match=r"\(batch, tokens, 6\), not \(4, 7, 5\)"):
        make("mean")(torch.randn(4, 7, 5))
    with pytest.raises(ConfigError, match="bool of shape"):
        make("mean")(torch.randn(4, 7, DIM), torch.ones(4, 8, dtype=torch.bool))
