"""The page in headless Chromium: it renders, every image decodes, and nothing runs."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path

import pytest
from page_reader import read_page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--virtual-time-budget=20000",
)  # fmt: skip
#: Runs in a page that holds ours in a frame of a given width, and reports what is inside.
PROBE = """
<script>
window.addEventListener("load", () => {
  const frame = document.querySelector("iframe"), inside = frame.contentDocument
  const images = [...inside.images]
  document.querySelector("#probe").textContent = JSON.stringify({
    images: images.length,
    broken: images.filter(image => !(image.complete && image.naturalWidth > 0)).length,
    width: inside.documentElement.scrollWidth,
    sections: [...inside.querySelectorAll("section")].map(section => section.id),
    alerted: frame.contentWindow.alerted === true,
    requested: frame.contentWindow.performance.getEntriesByType("resource")
      .map(entry => entry.name).filter(name => !name.startsWith("data:")),
  })
})
</script>
"""


@pytest.fixture
def chromium() -> Path:
    if not CHROMIUM.is_file():
        pytest.skip(f"no {CHROMIUM}: `apt-get install chromium` runs the page tests")
    return CHROMIUM


def dump(chromium: Path, page: Path, width: int, profile: Path, *more: str) -> str:
    command = [
        str(chromium), *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},900", *more,
        page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=180, check=True)
    return done.stdout.decode("utf-8")


def test_browser_builds_every_section(chromium: Path, page: Path, tmp_path: Path) -> None:
    dom = dump(chromium, page, 1200, tmp_path / "profile", "--dump-dom")
    sections = read_page(page.read_text(encoding="utf-8")).sections
    assert re.findall(r'<section id="(\w+)"', dom) == list(sections)
    assert "<script" not in dom


@pytest.mark.parametrize("width", [1180, 400])
def test_images_load_and_nothing_runs_or_overflows(
    chromium: Path, page: Path, tmp_path: Path, width: int
) -> None:
    # without the page's own policy, which would hide a script that slipped through
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    trap = "<script>window.alert = () => { window.alerted = true }</script>"
    source = html.escape(text.replace("<head>", f"<head>{trap}", 1))
    holder = tmp_path / "holder.html"
    holder.write_text(
        f'<!doctype html><body><iframe srcdoc="{source}" width="{width}" height="800" '
        f'style="border:0"></iframe><pre id="probe"></pre>{PROBE}',
        encoding="utf-8",
    )
    dom = dump(chromium, holder, 1280, tmp_path / "profile", "--dump-dom")
    found = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dom, re.S)[1]))
    assert found["images"] > 100
    assert found["broken"] == 0
    assert found["width"] <= width
    assert not found["alerted"]
    assert found["requested"] == []
    assert "definitions" in found["sections"]


def test_screenshot_is_not_blank(chromium: Path, page: Path, tmp_path: Path) -> None:
    from PIL import Image

    shot = tmp_path / "shot.png"
    dump(chromium, page, 1200, tmp_path / "profile", f"--screenshot={shot}")
    with Image.open(shot) as picture:
        colours = picture.convert("RGB").getcolors(maxcolors=1 << 22)
    assert len(colours) > 50
