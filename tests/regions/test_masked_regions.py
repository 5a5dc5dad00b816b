"""The masked autoencoder of region series."""

from __future__ import annotations

import pytest
import torch

from neurodecode.errors import ConfigError
from neurodecode.nn.regions import MaskedRegions, StateClassifier
from neurodecode.nn.regions.masked import masked_error, random_mask


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MaskedRegions(n_regions=7, n_volumes=8, patch=2, width=12, depth=2, n_heads=3).eval()


def test_what_is_hidden_changes_nothing_and_what_is_seen_does(model):
    series = torch.randn(5, 7, 8)
    hidden = random_mask((5, 7, 4), 0.5, 0.5, torch.Generator().manual_seed(1))
    found = model(series, hidden)
    assert found.shape == (5, 7, 4, 2)
    other = series.unflatten(2, (4, 2)).clone()
    other[hidden] = 1e3
    assert torch.equal(model(other.flatten(2), hidden), found)
    other = series.unflatten(2, (4, 2)).clone()
    other[~hidden] += 1.0
    assert not torch.allclose(model(other.flatten(2), hidden), found, atol=1e-3)


def test_nothing_reaches_another_window(model):
    series = torch.randn(3, 7, 8)
    hidden = torch.zeros(3, 7, 4, dtype=torch.bool)
    hidden[:, 2] = True
    found = model(series, hidden)
    series[1] = 99.0
    changed = model(series, hidden)
    torch.testing.assert_close(changed[[0, 2]], found[[0, 2]])
    assert not torch.allclose(changed[1], found[1])


def test_the_static_graph_does_not_look_at_activity():
    """Without `adaptive`, who attends to whom is the same whatever regions do."""
    torch.manual_seed(0)
    seen = {}
    for adaptive in (False, True):
        model = MaskedRegions(5, 6, patch=3, width=8, depth=1, n_heads=2, adaptive=adaptive)
        block = model.encoder[0]
        kept = []
        block.attention.register_forward_pre_hook(
            lambda _, given, kept=kept: kept.append(torch.cat([given[0], given[1]]).detach())
        )
        for _ in range(2):
            model.tokens(torch.randn(4, 5, 6))
        seen[adaptive] = torch.allclose(kept[0], kept[1])
    assert seen == {False: True, True: False}


def test_masks_hide_their_share_and_whole_regions():
    generator = torch.Generator().manual_seed(3)
    hidden = random_mask((9, 8, 5), 0.55, 0.5, generator)
    assert hidden.sum(dim=(1, 2)).tolist() == [22] * 9
    # 11 patches in whole regions: two regions of five
    assert (hidden.all(dim=2).sum(dim=1) >= 2).all()
    assert random_mask((2, 3, 1), 0.999, 0.0, generator).sum(dim=(1, 2)).tolist() == [2, 2]
    scattered = random_mask((9, 8, 5), 0.5, 0.0, generator)
    assert scattered.all(dim=2).float().mean() < 0.15


def test_error_counts_hidden_patches_alone():
    found, true = torch.zeros(1, 2, 3, 2), torch.zeros(1, 2, 3, 2)
    true[0, 0, 1] = torch.tensor([1.0, 3.0])
    true[0, 1, 2] = 100.0  # seen
    hidden = torch.zeros(1, 2, 3, dtype=torch.bool)
    hidden[0, 0, 1] = hidden[0, 1, 0] = True
    assert masked_error(found, true, hidden) == pytest.approx((5.0 + 0.0) / 2)


def test_it_learns_what_a_region_tells_of_another():
    """Region 1 is region 0 with the other sign: hidden stretches can be told."""
    torch.manual_seed(0)
    model = MaskedRegions(3, 6, patch=3, width=16, depth=1, n_heads=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    hidden = torch.zeros(32, 3, 2, dtype=torch.bool)
    hidden[:, 1] = True
    for _ in range(150):
        series = torch.randn(32, 3, 6)
        series[:, 1] = -series[:, 0]
        loss = masked_error(model(series, hidden), model.patches(series), hidden)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.2  # 1 without


def test_shorter_windows_will_do_longer_ones_not(model):
    classifier = StateClassifier(model, 5)
    assert classifier(torch.randn(4, 7, 6)).shape == (4, 5)
    for shape in ((2, 7, 10), (2, 6, 8), (2, 7, 7)):
        with pytest.raises(ConfigError, match="the model takes 7 x multiples of 2 up to 8"):
            model.tokens(torch.randn(shape))
    with pytest.raises(ConfigError, match="no multiple of patch 3"):
        MaskedRegions(7, 8, patch=3)


def test_heads_are_what_they_are_called(model):
    """One weights every region by itself, the other lets few queries choose among all tokens."""
    series = torch.randn(4, 7, 8)
    by_region = StateClassifier(model, 5, head="by_region").eval()
    assert by_region.read_out[-1].in_features == 7 * 12
    tokens = model.tokens(series)
    # the order of time does not matter to it, that of regions does
    torch.testing.assert_close(by_region.from_tokens(tokens.flip(2)), by_region(series))
    assert not torch.allclose(by_region.from_tokens(tokens.flip(1)), by_region(series))
    attentive = StateClassifier(model, 5, head="attentive", n_queries=3).eval()
    assert attentive.read_out[-1].in_features == 12
    torch.testing.assert_close(attentive.from_tokens(tokens.flip(1)), attentive(series))
