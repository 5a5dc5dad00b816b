"""The miniature viewers: in published layouts, read back, and looking as the policy says."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.datasets.gaze import load_gaze
from neurodecode.datasets.mini.gaze_look import look
from neurodecode.datasets.mini.gaze_policy import DEGREES, Policy, Viewer
from neurodecode.datasets.mini.gaze_scenes import LAYOUTS, sample_array, sample_view
from neurodecode.datasets.mini.simulate_gaze import NEW_LAYOUTS

SIZE = 48


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("gaze") / "mini-gaze"
    options = ["--viewers", "3", "--scenes", "9", "--arrays", "14", "--image-size", str(SIZE)]
    assert main(["simulate", "--quiet", "--world", "gaze", "--out", str(out), *options]) == 0
    return out


def test_what_was_written_is_read_by_the_published_readers(world):
    data = load_gaze("mini-gaze", world)
    scanpaths = data.scanpaths
    assert set(scanpaths.task) == {"search_present", "free_viewing", "captioning"}
    assert set(scanpaths.viewer) == {"1", "2", "3"}
    assert len(data.pictures) == len(data.objects) == 23
    assert scanpaths.pixels_per_degree == SIZE / DEGREES
    for scanpath in scanpaths:
        if scanpath.target:
            assert len(data.objects[scanpath.stimulus].find(scanpath.target)) == 1
        assert (scanpath.caption != "") == (scanpath.task == "captioning")
    # the published readers take the same files
    assert len(load_gaze("coco-search18", world, screen=(SIZE, SIZE)).scanpaths) == 3 * 23
    assert len(load_gaze("coco-freeview", world, screen=(SIZE, SIZE)).scanpaths) <= 2 * 3 * 9


def test_a_picture_is_on_one_side_and_new_layouts_are_for_the_test(world):
    data = load_gaze("mini-gaze", world)
    sides = {}
    for name, split in zip(data.scanpaths.stimulus, data.info["split"]):
        assert sides.setdefault(name, split) == split
        if name.split("-")[1] in NEW_LAYOUTS:
            assert split == "test"
    assert {"train", "valid", "test"} == set(sides.values())
    assert any(name.startswith("array-2x3") and side == "train" for name, side in sides.items())


def test_the_same_seed_writes_the_same_bytes(world, tmp_path):
    again = tmp_path / "again"
    options = ["--viewers", "3", "--scenes", "9", "--arrays", "14", "--image-size", str(SIZE)]
    main(["simulate", "--quiet", "--world", "gaze", "--out", str(again), *options])
    for path in world.glob("*.json"):
        assert path.read_bytes() == (again / path.name).read_bytes()
    assert json.loads((world / "world.json").read_text())["seed"] == 0


def test_arrays_have_one_target_and_separate_objects(rng):
    for layout, places in LAYOUTS.items():
        view = sample_array(rng, "a.png", layout, 96)
        kinds = [item.category for item in view.scene.objects]
        assert len(kinds) == len(places)
        assert kinds.count(view.target) == 1
        boxes = view.boxes()
        assert (boxes[:, :2] >= 0).all()
        assert ((boxes[:, :2] + boxes[:, 2:]) <= 96).all()


def first_on(rng, policy, view, task, wanted, n=60):
    pixels, person = view.pixels(), Viewer("1", policy)
    box = view.boxes()[[item.category for item in view.scene.objects].index(wanted)]
    hits = []
    for _ in range(n):
        seen = look(rng, person, view, task, pixels=pixels, seconds=0.6)
        x, y = seen.xy[min(1, len(seen) - 1)] - box[:2]
        hits.append(0 <= x < box[2] and 0 <= y < box[3])
    return np.mean(hits)


def test_targets_and_words_guide_the_eye(rng):
    quiet = replace(Policy(), tracker=0.0, lapse=0.0)
    blind = replace(quiet, guidance=0.0)
    views = [sample_array(rng, "a.png", "3x4", 96) for _ in range(5)]
    hits = {
        policy: np.mean([first_on(rng, policy, v, "search_present", v.target, n=30) for v in views])
        for policy in (quiet, blind)
    }
    assert hits[quiet] > 0.1 + hits[blind]
    scene = sample_view(rng, "s.png", 96)
    named = scene.caption.split()[-1]
    deaf = replace(quiet, mention=0.0)
    strong = replace(quiet, mention=4.0)
    assert first_on(rng, strong, scene, "captioning", named) > 0.15 + first_on(
        rng, deaf, scene, "captioning", named
    )


def test_inhibition_of_return_keeps_the_eye_from_coming_back(rng):
    view = sample_array(rng, "a.png", "3x3", 96)
    pixels, boxes = view.pixels(), view.boxes()
    centres = boxes[:, :2] + boxes[:, 2:] / 2

    def visited(policy):
        counts = []
        for _ in range(15):
            seen = look(rng, Viewer("1", policy), view, "free_viewing", pixels=pixels)
            nearest = ((seen.xy[:, None] - centres) ** 2).sum(2).argmin(1)
            counts.append(len(set(nearest.tolist())) / len(nearest))
        return np.mean(counts)

    base = replace(Policy(), tracker=0.0, stay=-9.0)
    assert visited(replace(base, inhibition=0.98, recovery=30.0)) > 0.05 + visited(
        replace(base, inhibition=0.0)
    )


def test_impossible_sizes_are_one_line(tmp_path, capsys):
    assert (
        main(["simulate", "--world", "gaze", "--out", str(tmp_path / "x"), "--viewers", "1"]) == 2
    )
    assert "viewers must be at least 2" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
