from __future__ import annotations

import pytest
import torch
from reference_numbers import read_reference, tensor
from torch.nn import functional as F

from neurodecode.nn.scanpath.foveation import blur, fovea, foveated, to_pixels, to_unit
from neurodecode.nn.scanpath.neva import FixationSearch


def test_views_and_memory_are_those_of_the_reference(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "nevaclip")
    image = tensor(inputs["image_1_3_16_16"])
    blurred = blur(image, inputs["blur_filter"], inputs["blur_sigma"])
    close = {"rtol": 1e-4, "atol": 1e-6}
    wanted = tensor(expected["blur_minus_image_channel0"])
    torch.testing.assert_close((blurred - image)[0, 0], wanted, **close)
    memory = 0
    for name in ("centre", "off"):
        position = tensor(inputs["positions"][name])[None]
        mask = fovea(position, (16, 16), inputs["foveation_sigma"])
        torch.testing.assert_close(mask[0, 0], tensor(expected[f"mask_{name}"]), **close)
        view = foveated(image, blurred, mask)[0, 0]
        torch.testing.assert_close(view, tensor(expected[f"view_{name}_channel0"]), **close)
        memory = 0.5 * memory + mask
    wanted = tensor(expected["memory_forgetting_0p5_after_two"])
    torch.testing.assert_close(memory[0, 0], wanted, **close)
    # the first coordinate moves along rows: 11 of 16 rows down, 6 columns across
    assert divmod(int(mask[0, 0].argmax()), 16) == tuple(expected["argmax_row_col_off"])


def test_positions_become_x_before_y_and_come_back():
    positions = torch.tensor([[-1.0, -1.0], [1.0, 0.5]])
    pixels = to_pixels(positions, (5, 9))
    torch.testing.assert_close(pixels, torch.tensor([[0.5, 0.5], [6.5, 4.5]]))
    torch.testing.assert_close(to_unit(pixels, (5, 9)), positions)


SHAPE = (3, 24, 32)
SPOTS = torch.tensor([[0.6, -0.5], [-0.4, 0.3], [0.1, 0.8]])


def spot_pictures() -> torch.Tensor:
    """Checks, one small patch of them in each picture."""
    rows, columns = torch.meshgrid(torch.arange(24), torch.arange(32), indexing="ij")
    checks = ((rows + columns) % 2).float() - 0.5
    return 0.5 + checks * (fovea(SPOTS, (24, 32), 0.03) > 0.3)


def contrast(images: torch.Tensor) -> torch.Tensor:
    """Embedding: fine contrast, and a constant."""
    fine = images - F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    energy = fine.square().flatten(1).sum(1)
    return torch.stack([energy, torch.ones_like(energy)], dim=1)


def test_search_finds_what_the_embedding_wants_to_see_in_every_picture():
    images = spot_pictures().expand(-1, 3, -1, -1)
    search = FixationSearch(n_steps=25, blur_kernel=9, blur_sigma=3.0)
    wanted = torch.tensor([[1.0, 0.0]]).expand(3, 2)
    generator = torch.Generator().manual_seed(0)
    positions, losses = search(contrast, images, wanted, 2, generator)
    assert positions.shape == (3, 2, 2)
    assert losses.shape == (3, 2)
    assert (positions[:, 0] - SPOTS).norm(dim=1).max() < 0.2
    # the loss is that of the position that is returned
    mask = fovea(positions[:, 0], (24, 32), search.sigma)
    view = foveated(images, blur(images, 9, 3.0), mask)
    seen = 1 - F.cosine_similarity(contrast(view), wanted)
    torch.testing.assert_close(seen, losses[:, 0])
    # what the first fixation showed is remembered: the second cannot see less
    assert (losses[:, 1] <= losses[:, 0] + 1e-6).all()
    # a picture's search does not depend on those beside it, but for the draws of restarts
    away = FixationSearch(n_steps=2, blur_kernel=9, blur_sigma=3.0)
    alone = away(contrast, images[1:2], wanted[1:2], 2)[0]
    torch.testing.assert_close(away(contrast, images, wanted, 2)[0][1:2], alone)


def test_search_leaves_the_tower_alone():
    tower = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1),
                                torch.nn.Flatten()).requires_grad_(False)  # fmt: skip
    images = torch.rand(2, *SHAPE)
    search = FixationSearch(n_steps=3, blur_kernel=9)
    positions, _ = search(tower, images, torch.rand(2, 4), 3)
    assert all(each.grad is None for each in tower.parameters())
    assert positions.abs().max() <= 1
    assert not positions.requires_grad


@pytest.mark.parametrize("forgetting", [0.0, 1.0])
def test_memory_fades_as_asked(forgetting):
    seen = []

    def embed(views: torch.Tensor) -> torch.Tensor:
        seen.append(views.detach()[:, 0].mean((1, 2)))
        return torch.stack([views.sum((1, 2, 3)), views[:, 0, 0, 0]], dim=1)

    rows = torch.linspace(0, 1, 24)[:, None]
    images = (torch.rand(1, 24, 32) * rows).expand(1, 3, 24, 32)
    search = FixationSearch(n_steps=1, blur_kernel=9, forgetting=forgetting)
    search(embed, images, torch.tensor([[1.0, 0.0]]), 3)
    # every look goes to the centre; with a lasting memory the third view is sharper still
    changed = (seen[2] - seen[1]).abs().item()
    assert (changed > 1e-6) == (forgetting == 1.0)
