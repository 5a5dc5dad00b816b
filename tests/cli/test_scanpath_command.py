"""`neurodecode scanpath` from simulated viewers to the page."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from neurodecode.cli import main
from neurodecode.datasets.gaze import load_gaze
from neurodecode.metrics.records import read_records


def run(*words):
    return main([*map(str, words), "--quiet"])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("gaze")
    small = ["--viewers", "3", "--scenes", "8", "--arrays", "7", "--image-size", "48"]
    assert run("simulate", "--world", "gaze", "--out", root / "raw", *small) == 0
    data = ["--dataset", "mini-gaze", "--root", root / "raw"]
    splits = root / "splits.json"
    assert run("scanpath", "split", *data, "--scheme", "published", "--out", splits) == 0
    return root, data


def test_from_viewers_to_the_page(world):
    root, data = world
    files = []
    for model in ("uniform", "centre_bias", "saliency_ior", "other_viewers"):
        files.append(root / f"{model}.h5")
        options = ["--samples", "1", "--cell", "8", "--tasks", "search_present", "free_viewing"]
        assert run("scanpath", "predict", *data, "--splits", root / "splits.json",
                   "--model", model, *options, "--out", files[-1]) == 0  # fmt: skip
    out = root / "report"
    assert run("scanpath", "evaluate", *data, "--predictions", *files, "--profile", "gaze",
               "--examples", "1", "--out", out) == 0  # fmt: skip
    records = read_records(out / "metrics.json")
    assert {r.method for r in records} == {path.stem for path in files}
    assert {r.extra["viewing"] for r in records} == {"search_present", "free_viewing"}
    assert {"behaviour_difference", "found_mismatch", "semantic_sequence_score"} <= {
        r.metric for r in records
    }
    assert run("report", "--profile", "gaze", "--metrics", out / "metrics.json",
               "--out", out / "index.html") == 0  # fmt: skip
    page = (out / "index.html").read_text()
    assert "Where people look" in page
    assert page.count("data:image/") >= 2 * 6 + 1
    assert "Other viewers (ceiling)" in page
    only_some_stimuli_are_scored_when_asked(root, data, files)


def only_some_stimuli_are_scored_when_asked(root, data, files):
    out, words = root / "some", ["--examples", "1", "--stimuli", "array-2x4-*", "array-ring8-*"]
    assert run("scanpath", "evaluate", *data, "--predictions", *files, "--out", out, *words,
               "--baselines", "saliency_ior") == 0  # fmt: skip
    items = pd.read_csv(out / "tables" / "scanpath-items.csv")
    assert set(items.stimulus.str.split("-").str[1]) <= {"2x4", "ring8"}
    assert {"information_gain_bits", "sequence_score"} <= set(items.metric)
    whole = pd.read_csv(root / "report" / "tables" / "scanpath-items.csv")
    keys = ["method", "task", "metric", "reference", "stimulus"]
    both = items.merge(whole, on=keys, suffixes=("", "_whole"))
    assert len(both) == len(items) < len(whole)
    exact = ~both.metric.isin(["auc_shuffled"])
    assert np.allclose(both.value[exact], both.value_whole[exact])
    differences = pd.read_csv(out / "tables" / "scanpath-differences.csv")
    assert set(differences.baseline) == {"centre_bias", "other_viewers", "saliency_ior"}
    assert {r.extra["stimuli"] for r in read_records(out / "metrics.json")} == {
        "array-2x4-* array-ring8-*"
    }


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (["--baselines", "oracle"], "no predictions of the baseline oracle"),
        (["--stimuli", "face-*"], "centre_bias has no stimulus that fits face-*"),
    ],
)
def test_wrong_choices_of_what_is_compared_are_one_line(world, capsys, change, named):
    root, data = world
    path = root / "centre.h5"
    if not path.exists():
        words = ["--model", "centre_bias", "--samples", "1", "--cell", "8"]
        assert run("scanpath", "predict", *data, "--splits", root / "splits.json", *words,
                   "--tasks", "free_viewing", "--out", path) == 0  # fmt: skip
    capsys.readouterr()
    out = root / "wrong"
    assert run("scanpath", "evaluate", *data, "--predictions", path, "--out", out, *change) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (["--model", "oracle"], "unknown scanpath model 'oracle'"),
        (["--model", "centre_bias", "--option", "sigma"], "write NAME=VALUE"),
        (["--model", "centre_bias", "--option", "width=3"], "scanpath model centre_bias"),
        (["--model", "json.JSONDecoder"], "json.JSONDecoder is no ScanpathModel"),
        (["--model", "uniform", "--cell", "0"], "--cell is 0"),
        (["--model", "uniform", "--tasks", "reading"], "has no task reading"),
    ],
)
def test_wrong_options_are_one_line(world, capsys, change, named):
    root, data = world
    words = ["--splits", root / "splits.json", "--out", root / "bad.h5"]
    assert run("scanpath", "predict", *data, *words, *change) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not (root / "bad.h5").exists()


def _negative_duration(entries):
    entries[3]["T"][1] = -20


def _two_fixations_off(entries):
    entries[3]["X"][1] = entries[4]["X"][1] = -9.0


def _empty(entries):
    entries[3] |= {"X": [], "Y": [], "T": [], "length": 0}


def _another_size(entries):
    for entry in entries:
        entry["X"] = [10 * x for x in entry["X"]]


def _another_schema(entries):
    entries[2]["x"] = entries[2].pop("X")


def _another_target(entries):
    entries[3]["task"] = "zebra"


def _box_outside(content):
    content["annotations"][0]["bbox"][0] = 500


SEARCHES = "coco_search18_fixations_TP.json"


def changed(root, folder, name, change):
    """A copy of the world with one file changed."""
    folder.mkdir()
    for path in (root / "raw").glob("*.json"):
        (folder / path.name).write_text(path.read_text())
    (folder / "images").symlink_to(root / "raw" / "images")
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        (SEARCHES, _negative_duration, "field duration: duration of -20 ms"),
        (SEARCHES, _another_size, "lie outside 48 x 48 pixels"),
        (SEARCHES, _another_schema, "field X: entry 2 lacks this key"),
        (SEARCHES, _another_target, "target 'zebra' is not among the objects of"),
        ("instances.json", _box_outside, "instances.json, field bbox: box of"),
    ],
)
def test_broken_files_are_named(world, tmp_path, capsys, name, change, named):
    root, _ = world
    bad = changed(root, tmp_path / "raw", name, change)
    words = ["--dataset", "mini-gaze", "--root", bad, "--out", tmp_path / "s.json"]
    assert run("scanpath", "split", *words) == 2
    error = capsys.readouterr().err
    assert named in error
    assert name in error
    assert error.count("\n") == 1
    assert not (tmp_path / "s.json").exists()


@pytest.mark.parametrize(
    ("change", "more", "said"),
    [
        (_two_fixations_off, [], "2 of {n} fixations lie off the image: kept"),
        (_two_fixations_off, ["--clip"], "2 of {n} fixations lie off the image: moved"),
        (_empty, [], "1 scanpaths without a fixation were left out"),
    ],
)
def test_unusual_fixations_are_kept_and_told(world, tmp_path, caplog, change, more, said):
    root, _ = world
    raw = changed(root, tmp_path / "raw", SEARCHES, change)
    before = load_gaze("mini-gaze", root / "raw").scanpaths
    if before.off_image.any():
        said = said.replace("2 of", f"{2 + before.off_image.sum()} of")
    words = ["--dataset", "mini-gaze", "--root", raw, "--scheme", "published", *more]
    caplog.set_level("INFO")
    assert run("scanpath", "split", *words, "--out", tmp_path / "s.json") == 0
    assert said.format(n=len(before.x)) in caplog.text


def test_data_sets_are_located(tmp_path, capsys):
    from gaze_worlds import write_amazon, write_osie

    write_osie(tmp_path / "somewhere" / "osie")
    write_amazon(tmp_path / "somewhere" / "covers")
    sources = tmp_path / "gaze.yaml"
    words = ["scanpath", "locate", "--data", tmp_path / "somewhere", "--out", sources]
    assert run(*words, "--require", "waldo") == 2
    assert "looked for waldo: Waldo/fix/human_all.npy" in capsys.readouterr().err
    assert not sources.exists()
    assert run(*words, "--require", "osie") == 0
    split = ["scanpath", "split", "--sources", sources, "--scheme", "every-seventh"]
    assert run(*split, "--dataset", "osie", "--out", tmp_path / "splits.json") == 0
    assert run(*split, "--dataset", "mit1003", "--out", tmp_path / "splits.json") == 2
    assert "gaze.yaml does not list mit1003" in capsys.readouterr().err
    assert run(*split, "--dataset", "osie", "--root", tmp_path, "--out", tmp_path / "s") == 2
    assert "either --root or --sources" in capsys.readouterr().err
