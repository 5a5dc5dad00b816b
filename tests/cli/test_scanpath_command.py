"""`neurodecode scanpath` from simulated viewers to the page."""

from __future__ import annotations

import json

import pytest

from neurodecode.cli import main
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


def test_broken_fixations_are_named(world, tmp_path, capsys):
    root, _ = world
    bad = tmp_path / "raw"
    bad.mkdir()
    for path in (root / "raw").glob("*.json"):
        (bad / path.name).write_text(path.read_text())
    (bad / "images").symlink_to(root / "raw" / "images")
    path = bad / "coco_search18_fixations_TP.json"
    entries = json.loads(path.read_text())
    entries[3]["T"][1] = -20
    path.write_text(json.dumps(entries))
    words = ["--dataset", "mini-gaze", "--root", bad, "--out", tmp_path / "s.json"]
    assert run("scanpath", "split", *words) == 2
    error = capsys.readouterr().err
    assert f"subject {entries[3]['subject']}, field duration: duration of -20 ms" in error
    assert not (tmp_path / "s.json").exists()


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
