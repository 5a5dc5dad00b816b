"""The page as a document: complete, self-contained, escaped, reproducible."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from broken_worlds import make_older
from page_reader import image_size, read_page
from report_world import HOSTILE_CAPTION, HOSTILE_FILE, World, report_arguments

from neurodecode.analysis.profile import Profile
from neurodecode.cli import main
from neurodecode.report.page import render_page, write_figures

SECTIONS = {
    "figures", "reconstruction", "retrieval", "scores", "controls", "training", "data", "making",
    "definitions",
}  # fmt: skip


def test_all_sections_are_there(page: Path) -> None:
    reader = read_page(page.read_text(encoding="utf-8"))
    assert set(reader.sections) == SECTIONS
    for name in SECTIONS:
        assert f"#{name}" in reader.references


def test_nothing_outside_the_page_is_referred_to(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    reader = read_page(text)
    assert all(found.startswith(("data:", "#")) for found in reader.references)
    assert "@import" not in text
    assert not re.search(r"url\(\s*['\"]?(?!data:)", text)
    assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", text.replace("base64,", ""))
    assert "script" not in reader.tags


def test_images_decode_and_say_what_they_show(page: Path) -> None:
    reader = read_page(page.read_text(encoding="utf-8"))
    assert len(reader.images) > 100
    for image in reader.images:
        assert image["alt"].strip()
        assert min(image_size(image["src"])) > 0


def test_captions_and_file_names_are_escaped(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "<b>" not in text
    assert html.escape(HOSTILE_FILE).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text
    reader = read_page(text)
    assert HOSTILE_FILE in reader.sections["data"]
    assert any(HOSTILE_CAPTION in image["alt"] for image in reader.images)
    assert "# <b>not bold</b>" in reader.sections["making"]


def test_same_results_give_the_same_bytes(world: World, page: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.html"
    assert main(report_arguments(world, again)) == 0
    assert again.read_bytes() == page.read_bytes()
    for name in ("methods.png", "reconstructions.png"):
        first, second = page.parent / "figures" / name, tmp_path / "figures" / name
        assert first.read_bytes() == second.read_bytes()


def test_headline_figures_are_those_of_the_records(page: Path, profile: Profile) -> None:
    shown = read_page(page.read_text(encoding="utf-8")).sections["figures"]
    records = profile.records
    rows = records[(records["method"] == "decoder") & (records["subject"] == "mean")]
    value = rows.set_index("metric").loc["retrieval_top1", "value"]
    assert f"{100 * value:.1f}\N{NARROW NO-BREAK SPACE}%" in shown
    assert "mean of 2 subjects" in shown
    assert "1 of 13 candidates" in shown
    rows = records[(records["method"] == "ridge") & (records["subject"] == "mean")]
    value = rows.set_index("metric").loc["retrieval_top1", "value"]
    assert f"Ridge regression: {100 * value:.1f}\N{NARROW NO-BREAK SPACE}% (" in shown


def test_missing_parts_are_left_out_with_a_sentence(profile: Profile) -> None:
    bare = replace(profile, stores={}, predictions=(), runs=None, params=None)
    sections = read_page(render_page(bare)).sections
    assert "No pictures were reconstructed from mini-fmri" in sections["reconstruction"]
    assert "No pictures were retrieved" in sections["retrieval"]
    assert "No training left curves" in sections["training"]
    assert "No stores were given" in sections["data"]
    assert "No parameter file" in sections["making"]


def test_data_set_without_pictures_says_so(page: Path) -> None:
    sections = read_page(page.read_text(encoding="utf-8")).sections
    assert "No pictures were reconstructed from haxby2001" in sections["reconstruction"]
    assert "published without pictures" in sections["retrieval"]
    assert "Confusions" in sections["scores"]


def test_data_section_counts_what_is_in_the_stores(page: Path, world: World) -> None:
    data = " ".join(read_page(page.read_text(encoding="utf-8")).sections["data"].split())
    # 27 pictures, 3 repeats for the first subject and 2 for the second; 13 of them for testing
    assert "01 81 7 3 27 13 × 3" in data
    assert "02 54 9 3 27 13 × 2" in data
    assert "ab" * 32 in data
    assert "not computed" in data


def test_figures_for_the_readme(profile: Profile, tmp_path: Path) -> None:
    written = write_figures(profile, tmp_path)
    assert [path.name for path in written] == ["methods.png", "reconstructions.png"]
    without = replace(profile, predictions=())
    assert [path.name for path in write_figures(without, tmp_path / "b")] == ["methods.png"]
    assert not (tmp_path / "b" / "reconstructions.png").exists()


@pytest.mark.parametrize(
    ("flag", "content", "message"),
    [
        ("--metrics", None, "file is missing"),
        ("--metrics", "[{}]", "lacks"),
        ("--metrics", "not json", "not valid JSON"),
        ("--params", None, "not found"),
        ("--runs", None, "not found"),
        ("--reconstructions", "no hdf5", "not a readable HDF5 file"),
        ("--stores", None, "no sub-*.h5"),
    ],
)
def test_bad_input_is_named_in_one_line(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flag: str,
    content: str | None,
    message: str,
) -> None:
    broken = tmp_path / "broken"
    if content is not None:
        broken.write_text(content)
    arguments = report_arguments(world, tmp_path / "index.html")
    place = arguments.index(flag) + 1
    arguments[place] = str(broken)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(broken) in error
    assert message in error
    assert not (tmp_path / "index.html").exists()


@pytest.mark.parametrize(
    "file", ["data/stores/mini-fmri/sub-01.h5", "runs/mini/ridge/predictions.h5"]
)
def test_file_of_an_older_version_is_refused(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    copy = shutil.copytree(world.root, tmp_path / "copy")
    make_older(copy / file)
    words = [word.replace(str(world.root), str(copy)) for word in report_arguments(world, tmp_path)]
    assert main([*words[:-1], str(tmp_path / "index.html")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"file {copy / file}: store has format version 0" in line
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_full_disk_leaves_no_page(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    limit_files: Callable[[int], None],
) -> None:
    limit_files(4096)
    assert main(report_arguments(world, tmp_path / "index.html")) == 2
    assert f"file {tmp_path / 'index.html'}: no space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_differences_are_beside_the_scores(page: Path) -> None:
    text = read_page(page.read_text(encoding="utf-8")).sections["scores"]
    assert "Differences between methods, paired" in text
    assert "Contrastive decoder minus Ridge regression" in " ".join(text.split())
