"""Brain modules for MEG and EEG: sizes as published, what is shared, what is not."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from neurodecode.context import BuildContext, SensorArray
from neurodecode.errors import ConfigError
from neurodecode.nn.adapters import LinearAdapter, MLPAdapter
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.nn.heads import MLPTokenHead
from neurodecode.nn.meeg.atm import ATMAdapter
from neurodecode.nn.meeg.braindecode import BraindecodeAdapter
from neurodecode.nn.meeg.conv import ConvAdapter
from neurodecode.nn.meeg.nice import NICEAdapter
from neurodecode.nn.meeg.spatial import SensorPlaces, SpatialAttention, flat_positions
from neurodecode.nn.subjects import SubjectAdapters


def places(n: int, seed: int = 0) -> tuple:
    rng = torch.Generator().manual_seed(seed)
    points = torch.randn(n, 3, generator=rng)
    points = 0.1 * points / points.norm(dim=1, keepdim=True)
    return tuple(map(tuple, points.tolist()))


def sensors(n_channels: int = 7, n_times: int = 31, seed: int = 0) -> SensorArray:
    return SensorArray(n_channels, n_times, 100.0, places(n_channels, seed))


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def made(adapter: type, *args, **options):
    with torch.device("meta"):
        return adapter(*args, **options)


SMALL = {
    "conv": lambda x, w: ConvAdapter(x, w, n_virtual=6, hidden=5, n_harmonics=3),
    "nice": lambda x, w: NICEAdapter(x, w, n_filters=4, kernel=5, pool=9, stride=3),
    "atm": lambda x, w: ATMAdapter(x, w, dim=22, n_heads=4, feedforward=8, n_filters=4, kernel=5,
                                   pool=9, stride=3),
    "atm_hedgehog": lambda x, w: ATMAdapter(x, w, dim=22, n_heads=4, feedforward=8, n_filters=4,
                                            kernel=5, pool=9, stride=3, attention_dropout=0.0,
                                            mechanism="hedgehog"),
    "eegnet": lambda x, w: BraindecodeAdapter(x, w, "EEGNet"),
    "shallow": lambda x, w: BraindecodeAdapter(x, w, "ShallowFBCSPNet", {
        "filter_time_length": 9, "pool_time_length": 9, "pool_time_stride": 4,
        "n_filters_time": 5, "n_filters_spat": 5}),
}  # fmt: skip


def test_published_sizes_of_the_convolutional_module():
    """272 sensors, 181 samples at 120 Hz, width 2048, counted from the description."""
    adapter = ConvAdapter(sensors(272, 181), 2048)
    attention = 270 * 2 * 32**2
    mixing = 270 * 270 + 270
    norms = 2 * 2 * 320

    def block(n_in: int) -> int:
        return (3 * n_in + 1) * 320 + (3 * 320 + 1) * 320 + norms + (3 * 320 + 1) * 640

    head = (320 + 1) * 2048 + 181 + 1
    assert count(adapter.core) == attention + mixing + block(270) + block(320) + head
    assert count(adapter.own) == 270 * 270
    # two blocks: dilations 1, 2 and 4, 8
    dilations = [layer.dilation for layer in adapter.core.modules() if isinstance(layer, nn.Conv1d)]
    assert [d for d in dilations if d != (1,)] == [(2,), (4,), (8,)]


def test_several_means_over_time_tell_early_from_late():
    """What happens when is lost to one mean over time, unless the convolutions keep it apart."""
    torch.manual_seed(0)
    adapter = ConvAdapter(
        sensors(7, 31), 6, n_virtual=5, hidden=4, n_blocks=1, n_harmonics=3, pool=3, n_aggregates=8
    ).eval()
    assert adapter.core.aggregate.weight.shape == (8, 10)
    # one sample is left over and not read
    given = torch.randn(2, 7, 31)
    moved = given.clone()
    moved[..., 30] += 1
    torch.testing.assert_close(adapter(given), adapter(moved))
    moved[..., 29] += 1
    assert not torch.allclose(adapter(given), adapter(moved))
    # the representation of a sum of channels and means, not of one mean after another
    assert count(adapter.core.project) == (4 * 8 + 1) * 6
    with pytest.raises(ConfigError, match="pool 32 of 31 samples"):
        ConvAdapter(sensors(7, 31), 6, pool=32)


def test_published_sizes_of_nice_and_atm():
    """63 channels, 250 samples at 250 Hz."""
    nice = made(NICEAdapter, SensorArray(63, 250, 250.0), 768)
    conv = 40 * 25 + 40 + 80 + 40 * 40 * 63 + 40 + 80 + 40 * 40 + 40
    project = 1441 * 768 + 769 * 768 + 2 * 768
    assert nice.core.conv.n_out == 1440
    assert count(nice) == conv + project
    atm = made(ATMAdapter, SensorArray(63, 250, 250.0), 1024)
    # 4 heads of 62 of the 250 values
    attention = 3 * 251 * 248 + 249 * 250 + 251 * 256 + 257 * 250 + 3 * 2 * 250
    embed = 251 * 250 + 63 * 250
    assert count(atm.core) == embed + attention + conv + 1441 * 1024 + 1025 * 1024 + 2048
    assert count(atm.own) == 250


@pytest.mark.parametrize("name", SMALL)
def test_subjects_share_the_core_and_nothing_is_idle(name):
    inputs = {"a.1": sensors(seed=1), "b": sensors(seed=2)}
    torch.manual_seed(0)
    adapters = SubjectAdapters(inputs, 6, SMALL[name], modality={"a.1": "meg", "b": "meg"})
    shared = adapters({"b": torch.randn(3, 7, 31), "a.1": torch.randn(4, 7, 31)})
    assert shared.shape == (7, 6)
    shared.square().sum().backward()
    assert not {n for n, p in adapters.named_parameters() if p.grad is None}
    names = list(adapters.state_dict())
    assert len(adapters.cores) == 1
    assert not any("core." in n for n in names if n.startswith("adapters."))
    # what the second subject has of its own does not reach the first
    adapters.eval()
    given = torch.randn(2, 7, 31)
    before = adapters.embed("a.1", given)
    for parameter in adapters.of("b").parameters():
        parameter.data += 1.0
    torch.testing.assert_close(adapters.embed("a.1", given), before)


@pytest.mark.parametrize("name", SMALL)
def test_one_trial_does_not_depend_on_the_others(name):
    torch.manual_seed(0)
    adapter = SMALL[name](sensors(), 6).eval()
    given = torch.randn(5, 7, 31)
    torch.testing.assert_close(adapter(given)[3:4], adapter(given[3:4]), rtol=1e-4, atol=1e-5)
    # and does on its own samples and channels
    moved = given.clone()
    moved[:, 4, 17] += 3.0
    assert (adapter(moved) - adapter(given)).abs().max() > 1e-5


def test_every_modality_has_its_adapter():
    inputs = {"f": 11, "m": sensors(7), "e": sensors(9)}
    context = BuildContext(
        {"f": 11, "m": 7, "e": 9}, {"tokens": (3, 5)},
        n_times={"m": 31, "e": 31}, positions={n: inputs[n].positions for n in "me"},
        modality={"f": "fmri", "m": "meg", "e": "eeg"},
    )  # fmt: skip
    decoder = BrainDecoder(
        context, 6, low_level=None, retrieval_head=MLPTokenHead,
        modality_adapters={"meg": SMALL["conv"], "eeg": SMALL["nice"]},
    )  # fmt: skip
    assert isinstance(decoder.adapters.of("f"), LinearAdapter)
    assert isinstance(decoder.adapters.of("m"), ConvAdapter)
    given = {"f": torch.randn(2, 11), "e": torch.randn(4, 9, 31), "m": torch.randn(3, 7, 31)}
    decoded = decoder(given)
    assert decoded.tokens.shape == decoded.condition.shape == (9, 3, 5)
    decoded.tokens.sum().backward()
    # the heads lie side by side: the contrast does not train the condition
    assert all(p.grad is None for p in decoder.token_head.parameters())
    with pytest.raises(ConfigError, match=r"subject e has 9 x 30 features.*made for 9 x 31"):
        decoder({"e": torch.randn(4, 9, 30)})
    # one configuration serves any of its modalities alone
    absent = BrainDecoder(context, 6, low_level=None, modality_adapters={"ieeg": SMALL["nice"]})
    assert isinstance(absent.adapters.of("m"), LinearAdapter)
    with pytest.raises(ConfigError, match="modality_adapters has MEG; known modalities: fmri, meg"):
        BrainDecoder(context, 6, low_level=None, modality_adapters={"MEG": SMALL["nice"]})
    with pytest.raises(ConfigError, match="NICEAdapter reads time series, but a subject has 11"):
        BrainDecoder(context, 6, low_level=None, modality_adapters={"fmri": SMALL["nice"]})


def test_vector_adapters_flatten_time_series():
    given = torch.randn(4, 7, 31)
    linear = LinearAdapter(sensors(), 6)
    torch.testing.assert_close(linear(given), linear.linear(given.reshape(4, 217)))
    assert MLPAdapter(sensors(), 6, bottleneck=3)(given).shape == (4, 6)


def test_subjects_with_other_sensors_cannot_share_what_counts_them():
    inputs = {"a": sensors(7), "b": sensors(9)}
    message = r"subjects a \(7 channels, 31 samples\) and b \(9 channels, 31 samples\)"
    with pytest.raises(ConfigError, match=message):
        SubjectAdapters(inputs, 6, SMALL["nice"])
    apart = SubjectAdapters(
        inputs, 6, lambda x, w: NICEAdapter(x, w, 4, kernel=5, pool=9, share=False)
    )
    assert not apart.cores
    assert apart({"b": torch.randn(2, 9, 31)}).shape == (2, 6)
    # attention over places does not count them
    assert SubjectAdapters(inputs, 6, SMALL["conv"])({"b": torch.randn(2, 9, 31)}).shape == (2, 6)


def test_attention_is_the_published_equation():
    torch.manual_seed(1)
    attention = SpatialAttention(n_out=3, n_harmonics=4, margin=0.0).eval()
    own = SensorPlaces(places(8))
    weights = attention.weights(own)
    expected = torch.zeros(3, 8)
    for j in range(3):
        for i in range(8):
            x, y = own.flat[i].tolist()
            for k in range(4):
                for m in range(4):
                    phase = 2 * math.pi * (k * x + m * y)
                    cosine, sine = attention.maps[j, 4 * k + m], attention.maps[j, 16 + 4 * k + m]
                    expected[j, i] += (cosine * math.cos(phase) + sine * math.sin(phase)).item()
    torch.testing.assert_close(weights, expected.softmax(dim=1), rtol=1e-4, atol=1e-6)


def test_sensors_of_unknown_place_get_no_weight():
    known = places(6)
    own = SensorPlaces((*known[:4], None, *known[4:]))
    assert own.known.tolist() == [True] * 4 + [False] + [True] * 2
    attention = SpatialAttention(n_out=5, n_harmonics=3)
    for training in (True, False):
        weights = attention.train(training).weights(own)
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(5))
        assert (weights[:, 4] == 0).all()
    torch.testing.assert_close(
        weights[:, own.known], attention.weights(SensorPlaces(known)), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(ConfigError, match="needs sensor positions and a subject has none"):
        ConvAdapter(SensorArray(7, 31), 6)


def test_places_close_on_the_head_are_close_on_the_square():
    vertex, left, right, low = (0, 0, 0.1), (-0.08, 0, 0.06), (0.08, 0, 0.06), (0, -0.1, -0.02)
    flat = flat_positions([vertex, left, right, low])
    assert flat.min() == 0
    assert flat.max() == 1
    assert flat[1, 0] < flat[0, 0] < flat[2, 0]
    assert flat[3, 1] == 0


def test_dropped_sensors_are_neighbours():
    torch.manual_seed(3)
    attention = SpatialAttention(n_out=2, n_harmonics=2, dropout=0.5)
    own = SensorPlaces(places(40))
    left_out = 0
    for _ in range(20):
        dropped = (attention.weights(own) == 0).all(dim=0)
        if dropped.any():
            left_out += 1
            spots = own.flat[dropped]
            assert torch.cdist(spots, spots).max() <= 1.0
    assert left_out > 10


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: NICEAdapter(sensors(), 6), "31 samples, kernel 25 and pool 51 need 75"),
        (lambda: BraindecodeAdapter(sensors(), 6, "NoSuchNet"), "no network 'NoSuchNet'"),
        (lambda: BraindecodeAdapter(sensors(), 6, "EEGNet", {"wings": 2}), "EEGNet does not take"),
        (lambda: BraindecodeAdapter(sensors(), 6, "ShallowFBCSPNet"), "7 channels of 31 samples"),
    ],
)
def test_networks_that_do_not_fit_are_named(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


def test_weights_are_kept_while_nothing_changes():
    attention = SpatialAttention(5, 3)
    places = SensorPlaces(tuple((0.01 * k, 0.02 * k * k, 0.03) for k in range(7)))
    attention.eval()
    with torch.no_grad():
        first = attention.weights(places)
        assert attention.weights(places) is first
        other = SensorPlaces(tuple((0.02 * k * k, 0.01 * k, 0.03) for k in range(7)))
        assert not torch.equal(attention.weights(other), first)
        torch.testing.assert_close(attention.weights(places), first)
        attention.maps += torch.randn_like(attention.maps)
        changed = attention.weights(places)
        assert not torch.equal(changed, first)
        attention.load_state_dict({"maps": attention.maps + torch.randn_like(attention.maps)})
        assert not torch.equal(attention.weights(places), changed)
    assert attention.weights(places).requires_grad
