from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.nn.encoders import ConvCore, FactorisedReadout, SharedCoreEncoder
from neurodecode.tasks.encode import random_shifts, shift_images


@pytest.fixture
def encoder():
    torch.manual_seed(2)
    context = BuildContext(n_features={"a.1": 7, "b": 9}, image_size=(18, 22))
    return SharedCoreEncoder(context, core=lambda: ConvCore((4, 5), (5, 3), (2, 1)))


@pytest.mark.parametrize(
    ("size", "strides"), [((18, 22), (2, 1)), ((17, 23), (3, 2)), ((9, 8), (1, 1))]
)
def test_core_knows_the_shape_of_its_output(size, strides):
    core = ConvCore((4, 6), (5, 3), strides)
    assert core(torch.randn(2, 3, *size)).shape[1:] == core.out_shape(*size)


@pytest.mark.parametrize(("words", "message"), [
    ({"channels": (4, 5)}, "equally many"),
    ({"kernels": (4, 3, 3, 3)}, "must be odd"),
])  # fmt: skip
def test_impossible_cores_are_refused(words, message):
    with pytest.raises(ConfigError, match=message):
        ConvCore(**words)


@pytest.mark.parametrize("rank", [1, 3])
def test_readout_is_place_times_feature(rank):
    readout = FactorisedReadout((5, 3, 4), 7, rank)
    with torch.no_grad():
        readout.bias.normal_()
    features = torch.randn(2, 5, 3, 4)
    for neuron in (0, 6):
        kernel = torch.einsum("kc,kp->cp", readout.weight[neuron], readout.mask[neuron])
        wanted = (features.flatten(2) * kernel).sum(dim=(1, 2)) + readout.bias[neuron]
        torch.testing.assert_close(readout(features)[:, neuron], wanted, rtol=1e-4, atol=1e-5)


def test_every_parameter_gets_a_gradient(encoder):
    out = encoder({"a.1": torch.randn(3, 3, 18, 22), "b": torch.randn(2, 3, 18, 22)})
    assert {name: values.shape for name, values in out.items()} == {"a.1": (3, 7), "b": (2, 9)}
    sum(values.square().sum() for values in out.values()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


def test_a_subject_may_be_absent_and_does_not_matter_to_others(encoder):
    encoder.eval()
    images = torch.randn(3, 3, 18, 22)
    both = encoder({"b": images, "a.1": torch.randn(1, 3, 18, 22)})
    torch.testing.assert_close(encoder({"b": images})["b"], both["b"])
    with pytest.raises(ConfigError, match=r"never seen subject c; known: a\.1, b; .*adapt"):
        encoder({"c": images})


def test_an_encoder_needs_pictures():
    with pytest.raises(ConfigError, match="needs pictures"):
        SharedCoreEncoder(BuildContext(n_features={"a": 7}))


def test_shifts_move_pixels_and_repeat_the_border():
    images = torch.randn(4, 3, 7, 9)
    shifts = torch.tensor([[0, 0], [1, -2], [-2, 2], [2, 1]])
    shifted = shift_images(images, shifts, 2)
    triples = zip(images.numpy(), shifted.numpy(), shifts.tolist(), strict=True)
    for picture, moved, (dy, dx) in triples:
        rows = np.clip(np.arange(7) + dy, 0, 6)
        columns = np.clip(np.arange(9) + dx, 0, 8)
        np.testing.assert_array_equal(moved, picture[:, rows][:, :, columns])


def test_shifts_cover_their_range_and_follow_the_seed():
    torch.manual_seed(5)
    first = random_shifts(400, 2)
    torch.manual_seed(5)
    torch.testing.assert_close(first, random_shifts(400, 2))
    assert first.unique().tolist() == [-2, -1, 0, 1, 2]
