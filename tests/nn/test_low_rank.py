"""Low-rank updates: what they change, what they leave, and how they are merged."""

from __future__ import annotations

import torch
from torch import nn

from neurodecode.nn.low_rank import add_low_rank, merged_state


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.LayerNorm(7), nn.Linear(7, 9), nn.GELU(), nn.Linear(9, 8))


def trained(rank):
    model = network()
    assert add_low_rank(model, rank) == 2
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
    for _ in range(3):
        loss = (model(torch.randn(20, 7)) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def test_nothing_changes_before_training():
    inputs = torch.randn(5, 7)
    model, before = network(), network()(inputs)
    add_low_rank(model, 2)
    torch.testing.assert_close(model(inputs), before)
    free = {name.rpartition(".")[2] for name, p in model.named_parameters() if p.requires_grad}
    assert free == {"up", "down"}


def test_training_adds_matrices_of_that_rank():
    state, before = merged_state(trained(2).state_dict()), network().state_dict()
    assert set(state) == set(before)
    for name in ("1.weight", "3.weight"):
        values = torch.linalg.svdvals(state[name] - before[name])
        assert values[1] > 1e-5
        assert values[2] < 1e-5 * values[0]
    for name in ("0.weight", "1.bias", "3.bias"):
        torch.testing.assert_close(state[name], before[name], rtol=0, atol=0)


def test_merged_weights_do_what_the_updated_network_does():
    model, plain, inputs = trained(3), network(), torch.randn(5, 7)
    plain.load_state_dict(merged_state(model.state_dict()))
    torch.testing.assert_close(plain(inputs), model(inputs))


def test_a_rank_beyond_the_matrix_is_its_own():
    model = trained(100)
    assert model[1].parametrizations.weight[0].down.shape == (7, 7)


def test_weights_without_updates_stay():
    before = network().state_dict()
    assert all(torch.equal(value, before[name]) for name, value in merged_state(before).items())
