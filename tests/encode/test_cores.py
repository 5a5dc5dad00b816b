from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from neurodecode.embed.gabor import gabor_features
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.embed.tower_core import GaborCore, TowerCore
from neurodecode.errors import ConfigError
from neurodecode.nn.encoders import ConvCore, JoinedCore, NarrowCore
from neurodecode.nn.encoders.pixels import restore_images, standardise_images

IMAGES = np.random.default_rng(7).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)


def given() -> torch.Tensor:
    return standardise_images(torch.from_numpy(IMAGES).permute(0, 3, 1, 2))


def middle_of(core: ConvCore, place: int) -> float:
    """Pixel around which one place of the last layer sees, by its gradient."""
    for module in core.eval().modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 0.01)
    pixels = torch.ones(1, 3, 64, 64, requires_grad=True)
    core(pixels)[0, :, place, place].sum().backward()
    weight = pixels.grad[0].sum(dim=(0, 2))
    return float((weight * torch.arange(64)).sum() / weight.sum())


@pytest.mark.parametrize(
    ("kernels", "strides", "patch"), [((5, 3, 3, 3), (2, 2, 1, 2), 8), ((7, 3), (4, 2), 8),
                                      ((5, 3), (3, 2), 6)],
)  # fmt: skip
def test_a_centred_core_sees_around_the_middle_of_its_patches(kernels, strides, patch):
    channels = (4,) * len(strides)
    wanted = 3 * patch + (patch - 1) / 2
    assert abs(middle_of(ConvCore(channels, kernels, strides, centred=True), 3) - wanted) <= 0.51
    assert abs(middle_of(ConvCore(channels, kernels, strides), 3) - 3 * patch) < 0.01
    core = ConvCore(channels, kernels, strides, centred=True).eval()
    for size in ((64, 64), (37, 50)):
        assert core(torch.zeros(2, 3, *size)).shape[1:] == core.out_shape(*size)


def test_tower_core_gives_the_patches_of_the_frozen_tower():
    core = TowerCore("mini-clip", layers=[2, -1], class_token=True)
    torch.testing.assert_close(restore_images(given()).numpy(),
                               IMAGES.transpose(0, 3, 1, 2).astype(np.float32) / 255)  # fmt: skip
    core.norm = nn.Identity()
    made = core.train()(given())
    assert made.shape == (3, 512, 4, 4) == (3, *core.out_shape(64, 64))
    tokens = OpenClipEmbedder.bundled().encode_images(IMAGES)["tokens"]
    patches = tokens[:, 1:].reshape(3, 4, 4, 128).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(made[:, 128:256].numpy(), patches, atol=1e-4)
    np.testing.assert_allclose(made[:, 384:, 2, 1].numpy(), tokens[:, 0], atol=1e-4)
    assert not core.tower.training
    assert not any(each.requires_grad for each in core.parameters())
    with pytest.raises(ConfigError, match=r"tower mini-clip: layers \[9\]"):
        TowerCore("mini-clip", layers=[9])
    with pytest.raises(ConfigError, match="tower gabor: no layers to read"):
        TowerCore("gabor")


def test_gabor_core_is_the_feature_bank_on_its_grid():
    core = GaborCore()
    core.norm, norm = nn.Identity(), core.norm
    wanted = gabor_features(IMAGES).reshape(3, 27, 8, 8)
    np.testing.assert_allclose(core(given()).numpy(), wanted, atol=2e-3)
    core.norm = norm
    assert abs(float(core.train()(given()).mean())) < 1e-5
    with pytest.raises(ConfigError, match="32 x 64 pixels: the Gabor core takes 64 x 64"):
        core.out_shape(32, 64)


def test_joined_cores_share_the_finest_grid():
    fine, coarse = (lambda: ConvCore((5,), (3,), (4,))), (lambda: ConvCore((7,), (3,), (8,)))
    core = JoinedCore([fine, coarse]).eval()
    made = core(given())
    assert made.shape == (3, 12, 16, 16) == (3, *core.out_shape(64, 64))
    torch.testing.assert_close(made[:, :5], core.cores[0](given()))
    # in the middle between two coarse places, their mean
    low = core.cores[1](given())[0, :, :, 3]
    column = nn.functional.interpolate(core.cores[1](given()), (16, 16), mode="bilinear")
    torch.testing.assert_close(made[:, 5:], column)
    assert low.shape == (7, 8)
    with pytest.raises(ConfigError, match="name at least one"):
        JoinedCore([])


def test_a_narrow_core_mixes_channels_patch_by_patch():
    wide = lambda: ConvCore((5,), (3,), (4,))  # noqa: E731
    core = NarrowCore(wide, in_channels=5, width=3).eval()
    core.read[1] = nn.Identity()
    made = core(given())
    assert made.shape == (3, 3, 16, 16) == (3, *core.out_shape(64, 64))
    weight, bias = core.read[0].weight[:, :, 0, 0], core.read[0].bias
    wanted = core.core(given())[1, :, 2, 7] @ weight.T + bias
    torch.testing.assert_close(made[1, :, 2, 7], wanted)
