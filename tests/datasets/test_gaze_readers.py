"""Gaze data sets in their published layouts, whole and broken."""

from __future__ import annotations

import json
import pickle

import gaze_worlds as worlds
import numpy as np
import pytest

from neurodecode.datasets.gaze import GAZE_DATASETS, load_gaze
from neurodecode.datasets.gaze.events import fixations_by_dispersion
from neurodecode.errors import DataError

WORLDS = {
    "osie": worlds.write_osie,
    "coco-search18": worlds.write_coco_search,
    "coco-freeview": worlds.write_coco_freeview,
    "mit1003": worlds.write_mit1003,
    "capmit1003": worlds.write_capmit1003,
    "object-arrays": lambda root: worlds.write_search_set(root, row_first=False),
    "natural-design": lambda root: worlds.write_search_set(root, row_first=True),
    "waldo": lambda root: worlds.write_search_set(root, row_first=True),
    "amazon": worlds.write_amazon,
    "mini-gaze": worlds.write_mini_gaze,
}


def test_every_reader_has_a_world():
    assert set(WORLDS) == set(GAZE_DATASETS)


@pytest.mark.parametrize("name", WORLDS)
def test_readers_keep_the_contract(tmp_path, name):
    data = load_gaze(name, WORLDS[name](tmp_path / name))
    assert data.name == name
    assert data.scanpaths.check().mean() < 0.1
    assert set(data.scanpaths.stimulus) <= set(data.scanpaths.size)
    assert all(path.is_file() for path in data.files)
    for stimulus in data.pictures:
        height, width = data.pictures[stimulus].shape[:2]
        assert data.scanpaths.size.get(stimulus, (width, height)) == (width, height)
    for key in ("split", "correct", "found"):
        assert len(data.info.get(key, data.scanpaths)) == len(data.scanpaths)


def test_osie(tmp_path):
    data = load_gaze("osie", worlds.write_osie(tmp_path))
    assert data.scanpaths.viewer.tolist() == ["01", "03"] * 2
    np.testing.assert_allclose(data.scanpaths[0].xyt, worlds.FIXATIONS)
    assert data.scanpaths.n_fixations.tolist() == [3, 1, 3, 1]
    assert data.info["n_empty"] == 2
    assert list(data.pictures) == ["1001.jpg"]


def test_coco_search(tmp_path):
    data = load_gaze("coco-search18", worlds.write_coco_search(tmp_path), screen=(90, 70))
    scanpaths = data.scanpaths
    assert scanpaths.target.tolist() == ["stop sign", "cup", "stop sign"]
    assert scanpaths.task.tolist() == ["search_present"] * 2 + ["search_absent"]
    # the enforced first fixation is gone, and with it the scanpath that had no other
    np.testing.assert_allclose(scanpaths[0].xyt, [[10.5, 20.25, 150], [70, 11, 90]])
    assert data.info["n_still"] == 1
    assert data.info["split"].tolist() == ["train", "valid", "train"]
    objects = data.objects["7.jpg"]
    assert objects.at(*scanpaths[0].xy[1:].T).tolist() == objects.find("stop sign").tolist()
    # 45 x 70 pixels are centred on a screen of 90 x 70
    assert data.pictures["7.jpg"][:, :22].max() == 0
    assert data.pictures["7.jpg"][35, 45, 0] > 190
    whole = load_gaze("coco-search18", tmp_path, screen=(90, 70), initial=True)
    assert whole.scanpaths.n_fixations.tolist() == [3, 3, 3, 1]


def test_free_viewing_has_no_target(tmp_path):
    data = load_gaze("coco-freeview", worlds.write_coco_freeview(tmp_path), screen=(90, 70))
    assert data.scanpaths.task.tolist() == ["free_viewing"]
    assert data.scanpaths.target.tolist() == [""]


def test_coco_instances_name_all_objects(tmp_path):
    worlds.write_coco_search(tmp_path)
    instances = {
        "images": [{"id": 1, "file_name": "7.jpg"}],
        "categories": [{"id": 5, "name": "cup"}, {"id": 6, "name": "stop sign"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 6, "bbox": [50, 20, 30, 40]},
            {"id": 2, "image_id": 1, "category_id": 5, "bbox": [1, 2, 8, 9]},
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(instances))
    data = load_gaze("coco-search18", tmp_path, screen=(90, 70))
    assert data.objects["7.jpg"].category.tolist() == ["stop sign", "cup"]
    # who searched for what is there, and that is not among what is there?
    instances["categories"][1]["name"] = "tree"
    (tmp_path / "instances.json").write_text(json.dumps(instances))
    with pytest.raises(DataError, match=r"target 'stop sign' is not among .* 7.jpg \(cup, tree\)"):
        load_gaze("coco-search18", tmp_path, screen=(90, 70))


def test_mit1003_finds_fixations_in_raw_gaze(tmp_path):
    data = load_gaze("mit1003", worlds.write_mit1003(tmp_path))
    assert data.scanpaths.viewer.tolist() == ["ab", "cd"]
    # at 240 Hz; the first, at the cross, is left out, and the blink ends a fixation
    wanted = [[10, 20, 200], [70, 60, 150], [80, 9, 100]]
    np.testing.assert_allclose(data.scanpaths[1].xyt, wanted)
    assert data.scanpaths.pixels_per_degree == 35


def test_gaze_that_moves_too_far_is_no_fixation():
    drift = np.column_stack([np.arange(0.0, 96, 2), np.zeros(48)])
    assert len(fixations_by_dispersion(drift, 240, 35, 100)) == 0
    assert len(fixations_by_dispersion(drift / 3, 240, 35, 100)) == 1


def test_capmit1003(tmp_path):
    data = load_gaze("capmit1003", worlds.write_capmit1003(tmp_path))
    assert data.scanpaths.caption.tolist() == ["a dog", "a cat"]
    assert data.scanpaths[0].xy.tolist() == [[10, 20], [30, 40]]  # in the order of clicks
    assert np.isnan(data.scanpaths.duration).all()


@pytest.mark.parametrize(("name", "row_first"), [("object-arrays", False), ("waldo", True)])
def test_search_sets_differ_in_the_order_of_coordinates(tmp_path, name, row_first):
    data = load_gaze(name, worlds.write_search_set(tmp_path, row_first=row_first))
    assert data.scanpaths.n_fixations.tolist() == [2, 1] * 15
    assert data.scanpaths[0].xy.tolist() == [[1100, 200], [300, 900]]
    assert data.scanpaths.viewer[:3].tolist() == ["01", "01", "02"]
    np.testing.assert_array_equal(data.info["found"][:3], [2, np.nan, 2])
    if row_first:
        assert data.info["target"]["001"].tolist() == [300, 900]


def test_amazon(tmp_path):
    data = load_gaze("amazon", worlds.write_amazon(tmp_path))
    assert data.scanpaths.target.tolist() == ["cover-17"] * 2
    assert data.objects["1.jpg"].boxes.tolist() == [[20, 30, 20, 30]]
    assert data.objects["1.jpg"].at(*data.scanpaths[0].xy.T).tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"X": None}, "field X: entry 0 lacks this key"),
        ({"Y": [1.0, 2.0]}, "subject 2, field length"),
        ({"T": [80, -5, 90]}, "subject 2, field duration: duration of -5 ms"),
        ({"T": [80, 0, 90]}, "field duration: duration of 0 ms"),
        ({"X": [45, "left", 3]}, "not numbers"),
        ({"condition": "maybe"}, "unknown condition 'maybe'"),
        ({"bbox": [60, 5, 40, 10]}, "field bbox: box of stop sign"),
        ({"X": [45, 800, 900]}, "lie outside 90 x 70"),
    ],
)
def test_broken_json_is_named(tmp_path, change, named):
    root = worlds.write_coco_search(tmp_path, [worlds.search_entry(**change)])
    with pytest.raises(DataError, match=named) as error:
        load_gaze("coco-search18", root, screen=(90, 70))
    assert "coco_search18_fixations_TP" in str(error.value)


def test_other_files_are_refused_by_name(tmp_path):
    (tmp_path / "Amazon.json").write_text(json.dumps({"1.jpg": {"fixations": {}}}))
    with pytest.raises(DataError, match=r"Amazon.json, field size.width: 1.jpg lacks"):
        load_gaze("amazon", tmp_path)
    (tmp_path / "fixations.mat").write_bytes(b"MATLAB 5.0 MAT-file" + b"\0" * 40)
    with pytest.raises(DataError, match=r"fixations.mat.*MATLAB file"):
        load_gaze("osie", tmp_path)
    (tmp_path / "capmit1003.db").write_bytes(b"SQLite format 3\0" + b"\1" * 200)
    with pytest.raises(DataError, match=r"capmit1003.db.*SQLite"):
        load_gaze("capmit1003", tmp_path)
    with pytest.raises(DataError, match="no file of fixations"):
        load_gaze("coco-freeview", tmp_path)


def test_nothing_is_unpickled(tmp_path):
    (tmp_path / "fix").mkdir()
    np.save(tmp_path / "fix" / "human_all.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(DataError, match="pickled"):
        load_gaze("waldo", tmp_path)
    (tmp_path / "fix" / "human_all.npy").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError, match=r"human_all.npy"):
        load_gaze("waldo", tmp_path)


def test_a_database_without_a_column_is_named(tmp_path):
    import sqlite3

    root = worlds.write_capmit1003(tmp_path)
    db = sqlite3.connect(root / "capmit1003.db")
    db.execute("ALTER TABLE clicks DROP COLUMN x")
    db.commit()
    db.close()
    with pytest.raises(DataError, match=r"capmit1003.db, field clicks.x: column is missing"):
        load_gaze("capmit1003", root)


@pytest.mark.realdata
def test_osie_as_published(real_data):
    data = load_gaze("osie", real_data / "osie")
    scanpaths = data.scanpaths
    assert (len(scanpaths), len(scanpaths.x), len(data.pictures)) == (10_500, 98_321, 60)
    assert len(set(scanpaths.viewer)) == 15
    assert np.median(scanpaths.duration) == 190
    assert not scanpaths.off_image.any()
    assert data.pictures["1001.jpg"].shape == (600, 800, 3)
