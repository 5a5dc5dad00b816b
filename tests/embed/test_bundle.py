"""The bundled weights: verified before use, and as good as their card says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from neurodecode.datasets.mini.scenes import captions, render, sample_scene
from neurodecode.embed.bundle import bundle_folder, open_bundle, read_bundle
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.errors import WeightsError
from neurodecode.files import write_json

MODELS = ("mini-clip", "mini-vae", "mini-generator")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(bundle_folder() / "mini-clip", tmp_path / "mini-clip")
    shutil.copy(bundle_folder() / "checksums.json", tmp_path)
    return tmp_path


def test_bundle_is_complete_and_small() -> None:
    for name in MODELS:
        assert (open_bundle(name) / "model.safetensors").is_file()
    total = sum(p.stat().st_size for p in bundle_folder().rglob("*") if p.is_file())
    assert total < 25e6


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "merges.txt.gz"])
def test_a_changed_byte_is_noticed(copy: Path, file: str) -> None:
    open_bundle("mini-clip", copy)
    path = copy / "mini-clip" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=f"{file}: checksum differs .*retrain") as caught:
        OpenClipEmbedder.bundled(copy)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "mini-clip" / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model.safetensors: missing"):
        read_bundle("mini-clip", copy)


def test_missing_or_broken_checksums_are_named(copy: Path) -> None:
    with pytest.raises(WeightsError, match="lists no model 'mini-other'"):
        open_bundle("mini-other", copy)
    (copy / "checksums.json").write_text("{", encoding="utf-8")
    with pytest.raises(WeightsError, match="not valid JSON"):
        open_bundle("mini-clip", copy)
    (copy / "checksums.json").unlink()
    with pytest.raises(WeightsError, match=r"checksums.json: missing"):
        open_bundle("mini-clip", copy)


def test_a_file_outside_the_list_does_not_matter(copy: Path) -> None:
    write_json(copy / "mini-clip" / "notes.json", {})
    assert open_bundle("mini-clip", copy) == copy / "mini-clip"


def test_mini_clip_matches_new_scenes_with_their_captions() -> None:
    rng = np.random.default_rng(20_261)
    scenes = [sample_scene(rng) for _ in range(100)]
    clip = OpenClipEmbedder.bundled()
    image = clip.encode_images(np.stack([render(s) for s in scenes]))["pooled"]
    text = clip.encode_texts([captions(s, n=1)[0] for s in scenes])
    image, text = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text))
    assert ((image @ text.T).argmax(axis=1) == np.arange(100)).mean() > 0.9
