from __future__ import annotations

import pytest
import torch
from encoding_world import SIZE, make_world
from torch import nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.loaders.encoding import EncodingDataModule
from neurodecode.nn.attention import ATTENTION
from neurodecode.nn.encoders import ConvCore, RoutingEncoder
from neurodecode.nn.encoders.places import sine_places
from neurodecode.nn.encoders.queries import assign_queries

REGIONS = {"a.1": ("V1", "V2", "V1", "FFA", "FFA", "V1", "V2"), "b": ("V1",) * 9}
CONTEXT = BuildContext({"a.1": 7, "b": 9}, image_size=(18, 24), regions=REGIONS)


def make(context=CONTEXT, **options):
    torch.manual_seed(2)
    core = lambda: ConvCore((4, 5), (5, 3), (3, 2))  # noqa: E731
    return RoutingEncoder(context, core, width=16, n_heads=2, **options)


def pictures(n=3, seed=1):
    return torch.randn(n, 3, 18, 24, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("queries", ["region", "unit"])
@pytest.mark.parametrize("depth", [0, 2])
def test_every_parameter_gets_a_gradient(queries, depth):
    encoder = make(queries=queries, depth=depth)
    out = encoder({"a.1": pictures(), "b": pictures(2)})
    assert {name: values.shape for name, values in out.items()} == {"a.1": (3, 7), "b": (2, 9)}
    sum(values.square().sum() for values in out.values()).backward()
    for name, each in encoder.named_parameters():
        assert each.grad is not None, name
        assert each.grad.abs().max() > 1e-5, name


def test_units_read_what_the_query_of_their_region_finds():
    """By hand: softmax over patches of each head, the answer times the unit's weights."""
    encoder = make(queries="region").eval()
    readout = encoder.readouts[0]
    assert readout.names == ["FFA", "V1", "V2"]
    keys, values = encoder._patches({"a.1": pictures()})
    for unit, region in ((0, 1), (3, 0), (6, 2)):
        answer = []
        for head in range(2):
            query = readout.queries[region, 8 * head : 8 * head + 8]
            weights = (keys[1, head] @ query / 8**0.5).softmax(0)
            answer.append(weights @ values[1, head])
        wanted = torch.cat(answer) @ readout.weight[unit] + readout.bias[unit]
        torch.testing.assert_close(encoder({"a.1": pictures()})["a.1"][1, unit], wanted)


@pytest.mark.parametrize("routing", ["softmax", "gated"])
def test_maps_are_the_mean_weights_of_the_heads(routing):
    encoder = make(queries="region", routing=routing).eval()
    maps = encoder.maps({"a.1": pictures(), "b": pictures(2)})
    assert maps["a.1"].shape == (3, 3, 3, 4)
    assert maps["b"].shape == (2, 1, 3, 4)
    torch.testing.assert_close(maps["a.1"].sum((2, 3)), torch.ones(3, 3))
    keys, values = encoder._patches({"a.1": pictures()})
    queries = encoder._heads(encoder.readouts[0], 3)
    _, weights = ATTENTION["softmax"](2, 8)(queries, keys, values, need_weights=True)
    torch.testing.assert_close(maps["a.1"].flatten(2), weights.mean(1))


def test_a_subject_may_be_absent_and_does_not_matter_to_others():
    encoder = make().eval()
    both = encoder({"b": pictures(), "a.1": pictures(1)})
    torch.testing.assert_close(encoder({"b": pictures()})["b"], both["b"])
    with pytest.raises(ConfigError, match=r"never seen subject c; known: a\.1, b"):
        encoder({"c": pictures()})


@pytest.mark.parametrize("name", sorted(ATTENTION))
def test_every_mechanism_can_be_that_of_the_patches(name):
    encoder = make(depth=1, attention=name)
    assert encoder({"b": pictures()})["b"].isfinite().all()


def test_regions_that_are_not_asked_for_share_a_query():
    assigned = assign_queries(CONTEXT, "region", ["FFA"])
    assert assigned["a.1"] == (["FFA", "other"], [1, 1, 1, 0, 0, 1, 1])
    assert assigned["b"] == (["other"], [0] * 9)
    by_unit = assign_queries(BuildContext({"a": 3}), "unit")
    assert by_unit == {"a": (["0", "1", "2"], [0, 1, 2])}


def test_places_are_told_apart_and_near_ones_are_alike():
    sines = sine_places(5, 7, 16)
    distance = torch.cdist(sines, sines) + 10 * torch.eye(35)
    assert distance.min() > 0.1
    middle = distance[17].view(5, 7)
    assert middle[2, [2, 4]].max() < middle[2, [0, 6]].min()


@pytest.mark.parametrize(("context", "options", "message"), [
    (BuildContext({"a": 7}), {}, "needs pictures"),
    (BuildContext({"a": 7}, image_size=(18, 24)), {"queries": "region"},
     "subject a: its store does not tell the region"),
    (CONTEXT, {"queries": "region", "regions": ["V1", "MT"]},
     "region MT has no units in any subject; there are: FFA, V1, V2"),
    (CONTEXT, {"regions": ["V1"]}, "only for queries='region'"),
    (CONTEXT, {"attention": "soft", "depth": 1}, "unknown attention mechanism"),
])  # fmt: skip
def test_impossible_encoders_are_refused(context, options, message):
    with pytest.raises(ConfigError, match=message):
        make(context, **options)


class Patches(nn.Conv2d):
    """One feature vector for each square of 6 pixels."""

    def out_shape(self, height, width):
        return self.out_channels, height // self.stride[0], width // self.stride[0]


def test_a_tower_whose_grid_does_not_match_is_refused(monkeypatch):
    monkeypatch.setattr(Patches, "out_shape", lambda *_: (5, 2, 4))
    encoder = RoutingEncoder(CONTEXT, lambda: Patches(3, 5, 6, 6), width=16)
    with pytest.raises(ConfigError, match=r"of shape \(5, 3, 4\), but the core announced"):
        encoder({"b": pictures()})


def test_training_finds_where_units_look():
    """Units that see the brightness of one patch in one colour: the map peaks there."""
    torch.manual_seed(0)
    where, colour = torch.arange(9) + 2, torch.arange(9) % 3
    coarse = torch.randn(96, 3, 3, 4)
    images = coarse.repeat_interleave(6, 2).repeat_interleave(6, 3)
    responses = coarse.flatten(2)[:, colour, where]
    context = BuildContext({"b": 9}, image_size=(18, 24))
    encoder = RoutingEncoder(context, lambda: Patches(3, 8, 6, 6), width=16, n_heads=2)
    optimiser = torch.optim.Adam(encoder.parameters(), 1e-2)
    for _ in range(150):
        loss = (encoder({"b": images})["b"] - responses).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.3
    with torch.no_grad():
        maps = encoder.maps({"b": images})["b"].mean(0)
    assert maps.flatten(1).argmax(1).tolist() == where.tolist()


def test_regions_come_from_the_stores(tmp_path):
    import h5py

    root = make_world(tmp_path, n=40)
    assert EncodingDataModule(root, image_size=SIZE).context.regions == {"a.1": (), "b": ()}
    with h5py.File(root / "sub-b.h5", "a") as file:
        file["features"].create_dataset("roi", data=["V1"] * 4 + ["FFA"] * 5)
    context = EncodingDataModule(root, image_size=SIZE).context
    assert context.regions["b"] == ("V1",) * 4 + ("FFA",) * 5
