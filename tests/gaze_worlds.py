"""Tiny gaze data sets in their published layouts."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

FIXATIONS = [[10.5, 20.25, 150], [30, 40, 200], [70, 11, 90]]


def picture(path: Path, size: tuple[int, int] = (90, 70)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 30, 60)).save(path)


def write_osie(root: Path, *, viewers: int = 3) -> Path:
    def cell(items):
        array = np.empty((len(items), 1), object)
        array[:, 0] = items
        return array

    rows = np.array(FIXATIONS)
    people = [
        {"fix_x": rows[:n, :1].T, "fix_y": rows[:n, 1:2].T,
         "fix_duration": rows[:n, 2:].T.astype(np.uint16)}
        for n in (3, 0, 1)[:viewers]
    ]  # fmt: skip
    entries = [{"img": name, "subjects": cell(people)} for name in ("1001.jpg", "1002.jpg")]
    root.mkdir(parents=True, exist_ok=True)
    savemat(root / "fixations.mat", {"fixations": cell(entries)})
    picture(root / "stimuli" / "1001.jpg", (800, 600))
    return root


def search_entry(**change):
    entry = {
        "name": "7.jpg", "subject": 2, "task": "stop sign", "condition": "present",
        "bbox": [60, 5, 20, 10], "X": [45.0, 10.5, 70.0], "Y": [35.0, 20.25, 11.0],
        "T": [80, 150, 90], "length": 3, "correct": 1, "split": "train",
    }  # fmt: skip
    return {key: value for key, value in {**entry, **change}.items() if value is not None}


def write_coco_search(root: Path, entries: list | None = None) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    entries = entries or [
        search_entry(),
        search_entry(subject=3, task="cup", bbox=[1, 2, 8, 9], split="valid"),
        search_entry(name="8.jpg", condition="absent", bbox=None),
        search_entry(subject=4, X=[45.0], Y=[35.0], T=[300], length=1),
    ]
    path = root / "coco_search18_fixations_TP_train_split1.json"
    path.write_text(json.dumps(entries))
    picture(root / "images" / "cup" / "7.jpg", (45, 70))
    return root


def write_coco_freeview(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    entry = search_entry(condition=None, task=None, bbox=None, correct=None)
    (root / "COCOFreeView_fixations_trainval.json").write_text(json.dumps([entry]))
    return root


def write_mit1003(root: Path, gaze: np.ndarray | None = None) -> Path:
    if gaze is None:
        stay = [
            np.tile(place, (n, 1)) for place, n in (((45, 35), 30), ((10, 20), 48), ((70, 60), 36))
        ]
        gaze = np.concatenate([*stay, np.full((5, 2), np.nan), np.tile((80.0, 9), (24, 1))])
    for viewer in ("ab", "cd"):
        folder = root / "DATA" / viewer
        folder.mkdir(parents=True)
        savemat(folder / "i1.mat", {"i1": {"DATA": {"eyeData": gaze}}})
    picture(root / "ALLSTIMULI" / "i1.jpeg")
    return root


def write_capmit1003(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(root / "capmit1003.db") as db:
        db.execute("CREATE TABLE captions (obs_uid, usr_uid, start_time, caption, img_uid)")
        db.execute("CREATE TABLE images (img_uid, img_path)")
        db.execute(
            "CREATE TABLE clicks (click_id INTEGER, obs_uid, x INTEGER, y INTEGER, click_time)"
        )
        db.execute(
            "INSERT INTO captions VALUES"
            " ('o1', 'u1', 0, 'a dog', 'p'), ('o2', 'u2', 0, 'a cat', 'p')"
        )
        db.execute("INSERT INTO images VALUES ('p', 'mit1003/i1.jpeg')")
        db.execute(
            "INSERT INTO clicks VALUES"
            " (3, 'o1', 30, 40, 9), (1, 'o1', 10, 20, 5), (2, 'o2', 5, 6, 7)"
        )
    db.close()
    picture(root / "ALLSTIMULI" / "i1.jpeg")
    return root


def write_search_set(root: Path, *, row_first: bool) -> Path:
    paths = np.zeros((30, 5, 2), int)
    paths[:, 0] = (640, 512)
    paths[:, 1] = (1100, 200)
    paths[::2, 2] = (300, 900)
    found = np.zeros((30, 5))
    found[::2, 2] = 1
    for name in ("fix", "cp"):
        (root / name).mkdir(parents=True)
    np.save(root / "fix" / "human_all.npy", paths[..., ::-1] if row_first else paths)
    np.save(root / "cp" / "CP_human_all.npy", found)
    if row_first:
        np.save(root / "target_pos.npy", np.array([[900, 300], [100, 200]]))
    return root


def write_amazon(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    entry = {
        "fixations": {"1": [[10.5, 20.25], [30, 40]], "2": [[5, 6]], "3": []},
        "ground_truth": {"xmin": 20, "xmax": 40, "ymin": 30, "ymax": 60},
        "size": {"height": 70, "width": 90},
        "target": "cover-17",
    }
    (root / "Amazon.json").write_text(json.dumps({"1.jpg": entry}))
    return root


def write_mini_gaze(root: Path) -> Path:
    from neurodecode.datasets.mini.simulate_gaze import GazeOptions, simulate_gaze

    options = GazeOptions(viewers=2, scenes=7, arrays=7, image_size=40)
    return simulate_gaze(root, options, quiet=True)


def write_gaze_report(root: Path) -> Path:
    """Two baselines and the other viewers of a tiny world, scored as the pipeline scores them."""
    from neurodecode.cli import main

    made = write_mini_gaze(root / "data" / "raw" / "mini-gaze")
    where = ["--dataset", "mini-gaze", "--root", str(made)]
    splits, files = root / "runs" / "gaze" / "splits.json", []
    scanpath = ["--quiet", "scanpath"]
    assert main([*scanpath, "split", *where, "--scheme", "published", "--out", str(splits)]) == 0
    for name in ("uniform", "centre_bias", "other_viewers"):
        files.append(str(root / "runs" / "gaze" / f"{name}.h5"))
        ask = ["--model", name, "--splits", str(splits), "--samples", "1", "--cell", "8"]
        assert main([*scanpath, "predict", *where, *ask, "--out", files[-1]]) == 0
    out = root / "reports" / "gaze" / "mini-gaze"
    assert main([*scanpath, "evaluate", *where, "--out", str(out), "--predictions", *files]) == 0
    return out
