"""The completeness suite: what every mechanism of the registry must do."""

from __future__ import annotations

import pytest
import torch
from cases import DIM, HEADS, NAMES, PATTERNS, inputs, make, places, where
from products import Products
from torch.autograd import gradcheck

from neurodecode.nn.attention import ATTENTION


@pytest.fixture(autouse=True)
def short_tiles(monkeypatch):
    """Causal sums go over several tiles, the last one not full."""
    monkeypatch.setattr("neurodecode.nn.attention.linear.TILE", 5)


everyone = pytest.mark.parametrize("name", NAMES)


def close(actual, expected, atol=1e-9):
    torch.testing.assert_close(actual, expected, rtol=1e-7, atol=atol)


def masks(n_queries, n_keys):
    torch.manual_seed(11)
    per_key = torch.rand(2, 1, 1, n_keys) < 0.6
    per_pair = torch.rand(2, HEADS, n_queries, n_keys) < 0.6
    per_pair[:, :, 2] = False  # a query that may see nothing
    return {"none": None, "keys": per_key, "pairs": per_pair}


def test_there_is_what_the_issue_asks_for():
    wanted = {
        "softmax", "sigmoid", "gated", "selective", "gaussian", "sparse", "dynamic_mask",
        "routing", "bilevel", "neighbourhood_1d", "neighbourhood_2d", "axial",
        "mixture_of_heads", "hedgehog", "norm_aware", "magnitude_aware", "injective",
        "lightning", "recurrence",
    }  # fmt: skip
    assert wanted <= set(NAMES)


@everyone
def test_it_names_its_paper_and_its_limit(name):
    cls = ATTENTION[name]
    assert any(char.isdigit() for char in cls.paper), "a year"
    assert cls.limit
    assert cls.__doc__


@everyone
@pytest.mark.parametrize(("lengths", "causal", "mask"), PATTERNS)
def test_it_is_its_naive_reference(name, lengths, causal, mask):
    module, qkv = make(name), inputs(*lengths, n_batch=1 if mask == "none" else 2)
    given = {"mask": masks(*lengths)[mask], "causal": causal, **where(name, lengths[0])}
    expected, expected_weights = module.reference(*qkv, **given)
    assert expected.abs().sum() > 0
    close(module(*qkv, **given), expected)
    out, weights = module(*qkv, **given, need_weights=True)
    close(out, expected)
    close(weights, expected_weights)
    if module.linear_in_values:
        close(weights @ qkv[2], out)


def test_on_a_line_a_grid_is_read_in_order():
    module, qkv = make("neighbourhood_1d"), inputs(7, 12)
    where_ = places(7)
    out, weights = module.reference(*qkv, positions=where_)
    close(module(*qkv, positions=where_), out)
    assert weights[0, 0, 0].nonzero()[0] == 0
    assert not torch.allclose(out, module(*qkv)), "without places queries are spread over the keys"


@everyone
@pytest.mark.parametrize("lengths", [(12, 12), (7, 12)])
@pytest.mark.parametrize("causal", [False, True])
def test_in_its_limit_it_is_softmax_attention(name, lengths, causal):
    n_queries, n_keys = lengths
    module = make(name)
    module = make(name, **module.limit_options(n_queries, n_keys))
    module.to_limit()
    q, k, v = inputs(*lengths)
    if module.limit_needs_equal_keys:
        k = k[:, :, :1].expand_as(k)
    given = where(name, n_queries, (1, n_keys))
    found = module(q, k, v, causal=causal, **given)
    close(found, make("softmax")(q, k, v, causal=causal), atol=1e-6)


@everyone
@pytest.mark.parametrize("n_queries", [12, 7])
@pytest.mark.parametrize("change", ["other", "nan"])
def test_changing_the_future_changes_nothing(name, n_queries, change):
    module, (q, k, v) = make(name), inputs(n_queries, 12)
    given = {"causal": True, **where(name, n_queries)}
    before = module(q, k, v, **given)
    later = [each.clone() for each in (q, k, v)]
    cut = 8  # keys from here on are the future of queries before
    for each, start in zip(later, (cut - 12 + n_queries, cut, cut), strict=True):
        each[:, :, start:] = torch.nan if change == "nan" else 3 * each[:, :, start:] + 1
    after = module(*later, **given)
    n = cut - 12 + n_queries
    assert n >= 3
    close(after[:, :, :n], before[:, :, :n])
    assert not torch.allclose(after[:, :, n:], before[:, :, n:])


@everyone
@pytest.mark.parametrize("causal", [False, True])
def test_gradients_are_those_of_differences(name, causal):
    module = make(name).train()
    qkv = [each[:1, :, : 6 + (i > 0)].requires_grad_() for i, each in enumerate(inputs(12, 12))]
    keep = torch.tensor([True, True, False, True, True, True, True])[None, None, None]
    given = {"causal": causal, "mask": keep, **where(name, 6, (1, 7))}
    module.eval()  # running means stand still
    assert gradcheck(lambda *x: module(*x, **given), qkv, eps=1e-6, atol=1e-4,
                     fast_mode=True)  # fmt: skip


@everyone
def test_every_parameter_learns(name):
    module, qkv = make(name).train(), [each.requires_grad_() for each in inputs(12, 12)]
    module(*qkv, **where(name, 12)).square().sum().backward()
    inputs_ = zip("qkv", qkv, strict=True)
    for key, parameter in [*inputs_, *module.named_parameters()]:
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().sum() > 0, key


@everyone
@pytest.mark.parametrize("causal", [False, True])
def test_a_row_that_is_not_a_number_does_not_spread(name, causal):
    module = make(name).train()
    q, k, v = inputs(12, 12)
    given = {"causal": causal, **where(name, 12)}
    before = make(name)(q, k, v, **given)
    # one query of one item
    broken = q.clone()
    broken[1, :, 4] = torch.nan
    after = make(name)(broken, k, v, **given)
    close(after[0], before[0])
    rows = [i for i in range(12) if i != 4]
    if name != "bilevel" or causal:  # there all queries of a region choose together
        close(after[1][:, rows], before[1][:, rows])
    assert after[1, :, 4].isnan().all()
    # one item, in training: what is remembered stays clean
    for each in (q, k, v):
        each[1] = torch.nan
    module(q, k, v, **given)
    assert all(each.isfinite().all() for each in module.state_dict().values())


@everyone
def test_keys_that_nobody_may_see_may_be_anything(name):
    module, (q, k, v) = make(name), inputs(12, 12)
    keep = torch.ones(1, 1, 1, 12, dtype=torch.bool)
    keep[..., 5:7] = False
    given = {"mask": keep, **where(name, 12)}
    for each in (k, v):
        each[:, :, 5:7] = 0.0  # what a mask leaves behind of them
    clean, qkv = module(q, k, v, **given), [q, k.clone(), v.clone()]
    for each in qkv[1:]:
        each[:, :, 5:7] = torch.nan
    qkv = [each.requires_grad_() for each in qkv]
    out, weights = module(*qkv, **given, need_weights=True)
    close(out, clean)
    assert weights[..., 5:7].abs().max() == 0
    module(*qkv, **given).sum().backward()
    assert all(each.grad.isfinite().all() for each in qkv)


@everyone
@pytest.mark.parametrize("n_batch", [1, 2])
def test_types_shapes_and_state(name, n_batch):
    module = make(name)
    q, k, v = inputs(8, 12, n_batch)
    given = where(name, 8)
    expected = module(q, k, v, **given)
    # not contiguous: heads after length, as a reshaped projection has them
    twisted = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in (q, k, v)]
    assert not twisted[0].is_contiguous()
    close(module(*twisted, **given), expected)
    half = module.to(torch.bfloat16)(*(x.bfloat16() for x in (q, k, v)), **given)
    assert (half.dtype, half.shape) == (torch.bfloat16, (n_batch, HEADS, 8, DIM))
    assert half.isfinite().all()
    other = make(name, seed=8)
    other.load_state_dict(make(name).state_dict())
    close(other(q, k, v, **given), expected)


@everyone
def test_cost_counts_the_matrix_products(name):
    module = make(name, **({"region": 4} if name == "bilevel" else {}))
    with Products() as products:
        module(*inputs(64, 64, n_batch=2), **where(name, 64, (8, 8)))
    cost = module.cost(64, 64, n_batch=2, item_size=8)
    assert products.flops == pytest.approx(cost.flops, rel=0.12)
    assert cost.bytes >= 8 * 2 * HEADS * 4 * 64 * DIM


@everyone
def test_cost_grows_as_it_says(name):
    module = make(name)
    small, large = module.cost(2**14, 2**14), module.cost(2**16, 2**16)
    power = ATTENTION[name].order
    assert large.flops / small.flops == pytest.approx(4**power, rel=0.05 if power != 1.5 else 0.1)
    assert large.bytes / small.bytes <= 4**power * 1.05
    assert make(name).cost(100, 100, n_batch=3).flops == 3 * make(name).cost(100, 100).flops
