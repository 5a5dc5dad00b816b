from __future__ import annotations

import pytest
import torch
from cases import DIM, HEADS, inputs, make

from neurodecode.errors import ConfigError
from neurodecode.nn.attention import make_attention


@pytest.mark.parametrize(("mask", "message"), [
    (torch.ones(2, HEADS, 8, 9, dtype=torch.bool), r"\(2, 4, 8, 9\) does not .*\(2, 4, 7, 9\)"),
    (torch.ones(7, 9, dtype=torch.bool), r"mask of shape \(7, 9\)"),
    (torch.ones(2, 1, 7, 1, dtype=torch.bool), "last axis must be the keys"),
    (torch.zeros(2, 1, 7, 9), "mask must be bool"),
])  # fmt: skip
def test_masks_that_do_not_fit_are_refused(mask, message):
    with pytest.raises(ConfigError, match=message):
        make("softmax")(*inputs(7, 9), mask=mask)


@pytest.mark.parametrize(("change", "message"), [
    (lambda q, k, v: (q, k.float(), v), "one dtype, not q torch.float64, k torch.float32"),
    (lambda q, k, v: (q[:, :3], k[:, :3], v[:, :3]), "made for 4 heads of 5"),
    (lambda q, k, v: (q, k, v[:, :, :8]), "number of keys must agree"),
    (lambda q, k, v: (q[0], k, v), "needs .batch, heads, length, dim."),
    (lambda q, k, v: (q, k[:, :, :0], v[:, :, :0]), "needs queries and keys"),
    (lambda q, k, v: (q.to("meta"), k, v), "one device"),
])  # fmt: skip
def test_inputs_that_do_not_belong_together_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        make("softmax")(*change(*inputs(7, 9)))


@pytest.mark.parametrize(("positions", "message"), [
    (torch.zeros(7, 2), "7 queries and 9 keys"),
    ((torch.zeros(7, 2), torch.zeros(9, 2)), "not a whole grid"),
    ((torch.zeros(7, 1), torch.arange(9)[:, None]), "on 2 axes, not 1"),
    ((torch.full((7, 2), 5), torch.cartesian_prod(*[torch.arange(3)] * 2)), "off the grid"),
    (None, "not one square grid"),
])  # fmt: skip
def test_positions_that_are_no_grid_are_refused(positions, message):
    with pytest.raises(ConfigError, match=message):
        make("neighbourhood_2d")(*inputs(7, 9), positions=positions)


def test_unknown_names_and_options_are_refused():
    with pytest.raises(ConfigError, match="unknown attention mechanism 'soft'; known: axial"):
        make_attention("soft", HEADS, DIM)
    with pytest.raises(ConfigError, match="'routing' has no option dropout; it has: n_clusters"):
        make_attention("routing", HEADS, DIM, dropout=0.1)
    with pytest.raises(ConfigError, match="'softmax' has no option window; it has: dropout"):
        make_attention("softmax", HEADS, DIM, {"window": 4})


def test_windows_are_those_of_the_paper():
    """Worked by hand: 8 keys, windows of 3, with stride and with dilation."""
    from neurodecode.nn.attention.grids import neighbours

    places = torch.arange(8)[:, None]
    plain, _ = neighbours(places, (8,), 3)
    assert (
        plain.tolist()
        == [[0, 1, 2]] * 2 + [[i - 1, i, i + 1] for i in range(2, 6)] + [[5, 6, 7]] * 2
    )
    strided, _ = neighbours(places, (8,), 3, stride=2)  # leaders 1, 3, 5, 7
    assert strided[::2].tolist() == [[0, 1, 2], [2, 3, 4], [4, 5, 6], [5, 6, 7]]
    assert torch.equal(strided[::2], strided[1::2])
    dilated, valid = neighbours(places, (8,), 3, dilation=3)  # 0 3 6, 1 4 7, 2 5
    assert dilated[[0, 6, 4]].tolist() == [[0, 3, 6], [0, 3, 6], [1, 4, 7]]
    assert dilated[2][valid[2]].tolist() == dilated[5][valid[5]].tolist() == [2, 5]
    past, valid = neighbours(places, (8,), 3, dilation=2, past=True)
    assert past[5].tolist() == [1, 3, 5]
    assert past[3][valid[3]].tolist() == [1, 3]


def test_a_stream_gives_what_softmax_attention_gives():
    module, (q, k, v) = make("recurrence"), inputs(7, 9)
    state = module.start(q, DIM)
    for step in range(9):
        state = module.update(state, q, k[:, :, step : step + 1], v[:, :, step : step + 1])
        seen = slice(step + 1)
        expected = make("softmax")(q, k[:, :, seen], v[:, :, seen])
        torch.testing.assert_close(state.read(), expected)
    assert sum(each.numel() for each in state) == 2 * HEADS * 7 * (DIM + 2)


def test_clusters_follow_their_tokens():
    module = make("routing", n_clusters=2, decay=0.5).train()
    torch.manual_seed(0)
    directions = torch.eye(DIM, dtype=torch.float64)[:2]
    tokens = directions[torch.arange(12) % 2] + 0.01 * torch.randn(2, HEADS, 12, DIM)
    with torch.no_grad():
        module.centres.copy_(directions + 0.5)
        for _ in range(8):
            module(tokens, tokens, tokens)
    torch.testing.assert_close(
        module.centres, directions.expand(HEADS, 2, DIM), rtol=0, atol=0.02
    )  # fmt: skip
    assert module.eval()(tokens, tokens, tokens).isfinite().all()
