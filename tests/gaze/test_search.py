from __future__ import annotations

import numpy as np
import pytest
import torch
from reference_numbers import read_reference
from safetensors.torch import save_file
from torch import nn
from torchvision.models import vgg16

from neurodecode.errors import ConfigError, DataError, WeightsError
from neurodecode.gaze.models import build_model
from neurodecode.gaze.search_tasks import SEARCH_TASKS
from neurodecode.gaze.search_tasks.asymmetry import measure_asymmetry
from neurodecode.gaze.search_tasks.items import bar, cross, curve, letter, shaded_disc
from neurodecode.nn.scanpath.eccentricity import EccentricPool, pooling_rings, ring_masks
from neurodecode.nn.scanpath.search_tower import SearchTower, small_stages, vgg16_stages
from neurodecode.nn.scanpath.visual_search import VisualSearch, attention_map, retina
from neurodecode.scanpaths import Objects


@pytest.mark.parametrize("size", [448, 1024])
@pytest.mark.parametrize("layer", [1, 2, 3, 4, 5])
def test_rings_are_those_of_the_reference(fixtures_dir, size, layer):
    inputs, expected = read_reference(fixtures_dir, "eccnet")
    wanted = expected[f"input{size}_layer{layer}"]
    rings = pooling_rings(wanted["input_size"], inputs["deg2px"][layer - 1],
                          inputs["ecc_slope"][layer - 1], inputs["fovea_size_deg"])  # fmt: skip
    assert [ring.window for ring in rings] == wanted["window_sizes"]
    assert [2 * ring.radius for ring in rings] == wanted["ring_outer_diameter_px"]
    masks = ring_masks(wanted["input_size"], rings)
    assert masks.shape[1] == wanted["out_size"]
    assert masks.sum((1, 2)).tolist() == wanted["mask_area_per_ring"]
    assert masks.sum(0).eq(1).all()


def test_windows_grow_outwards_and_average():
    pool = EccentricPool(4, 0.5, fovea=2)
    maps = torch.randn(2, 3, 40, 40)
    out = pool(maps)
    assert out.shape == (2, 3, 20, 20)
    torch.testing.assert_close(out[..., 10, 10], maps[..., 20:22, 20:22].mean((2, 3)))
    rings = pooling_rings(40, 4, 0.5, 2)
    assert rings[2].window == 6
    row = 10 + rings[1].radius  # the first pixel of the third ring
    wanted = maps[..., 2 * row - 2 : 2 * row + 4, 18:24].mean((2, 3))
    torch.testing.assert_close(out[..., row, 10], wanted)
    flat = torch.full((1, 1, 40, 40), 3.0)
    torch.testing.assert_close(pool(flat), torch.full((1, 1, 20, 20), 3.0))
    with pytest.raises(ConfigError, match="too few for pooling"):
        pooling_rings(40, 0.5, 0.1)


def test_stages_of_vgg_and_of_the_small_tower_pool_in_turn():
    torch.manual_seed(0)
    with torch.device("meta"):  # no need to draw 138 million weights
        stages = vgg16_stages(vgg16(weights=None).features)
    assert [sum(isinstance(m, nn.Conv2d) for m in stage) for stage in stages] == [2, 2, 3, 3, 3]
    small = SearchTower(small_stages(), pixels_per_degree=16)
    shapes = [tuple(each.shape) for each in small(torch.randn(1, 3, 64, 64))]
    assert shapes == [(1, 32, 16, 16), (1, 64, 8, 8), (1, 96, 4, 4)]
    slopes = [pool.slope for pool in small.pools]
    assert slopes == [0.0, 0.07, 0.16, 0.32]


def test_retina_has_the_fixation_in_the_middle():
    images = torch.arange(2 * 6 * 8.0).view(2, 1, 6, 8)
    seen = retina(images, torch.tensor([[0, 0], [7, 3]]), 20, background=-1)
    assert seen.shape == (2, 1, 20, 20)
    assert seen[0, 0, 10, 10] == images[0, 0, 0, 0]
    assert seen[1, 0, 10, 10] == images[1, 0, 3, 7]
    assert seen[0, 0, :10].eq(-1).all()


def test_attention_goes_where_the_target_is_and_joins_depths_by_their_peaks():
    wanted = torch.randn(1, 3, 3, 3)
    seen = 0.1 * torch.randn(1, 3, 20, 24)
    seen[0, :, 10:13, 5:8] += wanted[0]
    pull = attention_map([seen], [wanted])
    assert divmod(int(pull[0].argmax()), 24) == (11, 6)
    assert pull.min() == 0
    # a deeper map with a higher peak draws attention elsewhere
    deep = torch.zeros(1, 2, 10, 12)
    deep[0, :, 2, 10] = 100.0
    both = attention_map([seen, deep], [wanted, torch.ones(1, 2, 1, 1)])
    assert divmod(int(both[0].argmax()), 24)[1] > 18


class Grey(nn.Module):
    """A tower that sees grey values, at two pixels each."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [torch.nn.functional.avg_pool2d(1 - images[:, :1], 2)]


def test_search_goes_to_what_looks_like_the_target_and_not_back():
    search = VisualSearch(Grey(), Grey(), inhibited=12)
    images, targets = torch.ones(2, 3, 40, 48), -torch.ones(2, 3, 6, 6)
    images[0, :, 6:12, 30:36] = -1  # the darkest: the target
    images[0, :, 28:34, 8:14] = -0.6
    images[1, :, 6:12, 30:36] = -0.6
    images[1, :, 28:34, 8:14] = -1
    box = torch.tensor([[29.0, 5, 8, 8]]).repeat(2, 1)
    out = search(images, targets, box, 4)
    assert out.found.tolist() == [True, True]
    assert out.n_fixations.tolist() == [1, 2]
    assert (out.xy[1, 0] - torch.tensor([11, 31])).abs().max() < 3
    assert (out.xy[1, 1] - torch.tensor([33, 9])).abs().max() < 3
    assert out.xy[0, 1:].isnan().all()
    # nothing to find: it goes on, and never twice to the same place
    free = search(images, targets, None, 4).xy
    steps = (free[:, :, None] - free[:, None]).abs().amax(-1) + 99 * torch.eye(4)
    assert steps.min() > 5


@pytest.mark.parametrize("name", SEARCH_TASKS)
def test_displays_hold_one_target_in_its_box(name, rng):
    task = SEARCH_TASKS[name]
    for condition in (task.hard, task.easy):
        n = task.set_sizes[-1]
        display = task.display(condition, n, rng, ppd=10)
        side = task.cells * round(task.cell * 10)
        assert display.image.shape == (side, side)
        left, top, wide, high = display.box
        inside = display.image[top : top + high, left : left + wide]
        item = display.target.shape[0]
        windows = np.lib.stride_tricks.sliding_window_view(inside, (item, item))
        assert (windows == display.target).all((2, 3)).any()
        cells = display.image.reshape(task.cells, wide, task.cells, wide).swapaxes(1, 2)
        assert (cells != task.background).any((2, 3)).sum() == n
    assert {task.hard.name} != {task.easy.name}
    with pytest.raises(ConfigError, match="99 items"):
        task.display(task.hard, 99, rng, ppd=10)


def test_items_are_what_they_are_called():
    assert (bar(30, 0) == bar(30, 0)[:, ::-1]).all()
    tilted = bar(30, 20) < 128
    assert np.argwhere(tilted[:8])[:, 1].mean() > 16 > np.argwhere(tilted[-8:])[:, 1].mean()
    assert (curve(30, 0) == bar(30, 0)).mean() > 0.9
    bent = curve(30, 0.25) < 128
    assert np.argwhere(bent[13:17])[:, 1].mean() > np.argwhere(bent[4:7])[:, 1].mean() + 3
    # an eighth of a turn brings the bend's ends to a diagonal, four eighths turn it over
    over = curve(31, 0.25, 4) < 128
    assert np.argwhere(over[14:17])[:, 1].mean() < np.argwhere(over[5:8])[:, 1].mean() - 3
    lying = np.argwhere(curve(31, 0.0, 2) < 128)
    assert np.ptp(lying[:, 1]) > 20 > 6 > np.ptp(lying[:, 0])
    lit = shaded_disc(20, 0).astype(float)
    assert lit[:8].mean() > 130 > 60 > lit[-8:].mean()
    assert lit[0, 0] == 27
    assert shaded_disc(20, 270)[:, :8].mean() > 130
    # a crossing bar hides more of its own level than two halves at two levels
    assert (cross(59, True, 0) < 128).sum(1).max() > 50 > (cross(59, False, 0) < 128).sum(1).max()
    shapes = {letter(59, name, turn).tobytes() for name in "LT" for turn in range(4)}
    assert len(shapes) == 8


def test_a_blind_and_a_seeing_searcher_have_the_index_that_follows_from_their_slopes():
    task = SEARCH_TASKS["orientation-homogeneous"]
    search = VisualSearch(Grey(), Grey(), inhibited=20)
    found = measure_asymmetry(search, task, ppd=4, n_displays=6, n_bootstrap=50)
    assert found.low <= found.index <= found.high
    hard, easy = max(found.hard, 0), max(found.easy, 0)
    assert found.index == pytest.approx((hard - easy) / (hard + easy) if hard + easy else 0)
    again = measure_asymmetry(search, task, ppd=4, n_displays=6, n_bootstrap=50)
    assert again == found


def test_it_searches_pictures_by_their_objects(tmp_path):
    torch.manual_seed(0)
    weights = tmp_path / "tower.safetensors"
    save_file(nn.ModuleList(small_stages()).state_dict(), weights)
    model = build_model("eccnet", {"weights": weights, "pixels_per_degree": 16.0})
    image = np.full((60, 80, 3), 128, np.uint8)
    image[10:26, 50:66] = (250, 20, 20)
    boxes = np.array([[50, 10, 16, 16], [4, 40, 16, 16]])
    objects = Objects(boxes, np.array(["ball", "box"]))
    drawn = model.predict(image, objects=objects, target="ball", n_fixations=9, n_samples=2)
    assert len(drawn) == 2
    assert not drawn.check().any()
    assert drawn.target.tolist() == ["ball", "ball"]
    last = drawn[0].xy[-1]
    found = ((last >= boxes[0, :2]) & (last < boxes[0, :2] + boxes[0, 2:])).all()
    assert found or len(drawn[0]) == 9
    with pytest.raises(DataError, match="target 'car' is not among"):
        model.predict(image, objects=objects, target="car", n_fixations=2)
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="no weights of a search tower"):
        build_model("eccnet", {"weights": tmp_path / "other.safetensors"})
    save_file({"0.weight": torch.zeros(2)}, tmp_path / "strange.safetensors")
    with pytest.raises(WeightsError, match="weights of another network"):
        build_model("eccnet", {"weights": tmp_path / "strange.safetensors"})
    with pytest.raises(ConfigError, match=r"known: .*density, eccnet, nevaclip, oat"):
        build_model("crystal_ball")
