"""Differentiable features: the embedders' numbers, and gradients that finite differences find."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.embed import make_embedder
from neurodecode.embed.differentiable import PIXEL_FEATURES, ClipTokens, pixel_features
from neurodecode.errors import ConfigError, DataError


@pytest.mark.parametrize("name", PIXEL_FEATURES)
def test_features_are_those_of_the_embedder(name: str, rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    images[0] = 90  # nothing but the floor of the energy
    features = pixel_features(name)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    found = features(pixels)
    wanted = make_embedder(name).encode_images(images)[features.target]
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted, atol=2e-3, rtol=1e-4)


@pytest.mark.parametrize("name", PIXEL_FEATURES)
def test_gradient_is_that_of_finite_differences(name: str, rng: np.random.Generator) -> None:
    features = pixel_features(name).double()
    pixels = torch.from_numpy(rng.uniform(0.2, 0.8, (2, 3, 64, 64))).requires_grad_(True)
    weights = torch.from_numpy(rng.normal(size=features(pixels)[0].shape))
    (gradient,) = torch.autograd.grad((features(pixels) * weights).sum(), pixels)
    step = 1e-5 * torch.from_numpy(rng.normal(size=pixels.shape))
    with torch.no_grad():
        ends = [(features(pixels + sign * step) * weights).sum() for sign in (1, -1)]
    np.testing.assert_allclose(ends[0] - ends[1], 2 * (gradient * step).sum(), rtol=1e-4)


def test_other_sizes_and_names_are_refused() -> None:
    for name in PIXEL_FEATURES:
        with pytest.raises(DataError, match=r"pictures of 64 x 48 pixels, wanted 64 x 64"):
            pixel_features(name)(torch.zeros(1, 3, 64, 48))
    with pytest.raises(ConfigError, match=r"unknown differentiable embedder .*known: gabor"):
        pixel_features("mini-vae")
    assert ClipTokens.target == "tokens"
