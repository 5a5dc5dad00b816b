"""Weights that are absent, damaged or in the hub's cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants
from tiny_pipelines import PublicWorld

from neurodecode.errors import WeightsError
from neurodecode.generate import make_generator
from neurodecode.generate.refine import SdxlRefiner

NAMES = ("kandinsky2.2", "stable-unclip", "sd-ip-adapter", "sdxl-ip-adapter")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache."""
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(
        "huggingface_hub.file_download.constants.HF_HUB_CACHE", str(folder), raising=False
    )
    return folder


def put(cache: Path, repository: str, folder: Path) -> Path:
    """Lay a folder out as the hub's client does."""
    root = cache / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text("abc123")
    shutil.copytree(folder, root / "snapshots" / "abc123")
    return root / "snapshots" / "abc123"


@pytest.mark.parametrize("name", NAMES)
def test_absent_weights_name_the_file_and_the_command(cache: Path, name: str) -> None:
    with pytest.raises(WeightsError) as found:
        make_generator(name, device="cpu")
    said = str(found.value)
    assert said.startswith(f"generator {name}: unet/config.json of ")
    assert "is not in the local Hugging Face cache; get it with `hf download " in said
    assert "--include 'unet/*.safetensors'" in said
    assert "--exclude '*.fp16.*'" in said
    assert "\n" not in said


def test_a_repository_in_the_cache_is_opened(cache: Path, public: PublicWorld) -> None:
    root = put(cache, "someone/tiny-unclip", public.folders["stable-unclip"])
    generator = make_generator("stable-unclip", weights="someone/tiny-unclip", device="cpu")
    assert generator.provenance["weights"] == "someone/tiny-unclip"
    (root / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(
        WeightsError, match=r"vae/diffusion_pytorch_model.safetensors of someone/tiny-unclip is n"
    ):
        make_generator("stable-unclip", weights="someone/tiny-unclip", device="cpu")


def test_guidance_says_that_it_needs_the_image_tower(cache: Path, public: PublicWorld) -> None:
    import numpy as np

    generator = make_generator(
        "kandinsky2.2", weights=str(public.folders["kandinsky2.2"]), device="cpu"
    )
    tokens = np.zeros((1, 10), np.float32)
    assert generator.generate(tokens, n_steps=1, guidance=1.0).shape == (1, 32, 32, 3)
    with pytest.raises(WeightsError, match=r"guidance 1 does not\): image_encoder/config.json of "):
        generator.generate(tokens, n_steps=1, guidance=2.0)


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("tokenizer/vocab.json", "tokenizer/vocab.json: missing"),
        ("scheduler/scheduler_config.json", "scheduler/scheduler_config.json: missing"),
        ("image_normalizer", "image_normalizer/config.json: missing"),
    ],
)
def test_incomplete_folder(public: PublicWorld, tmp_path: Path, missing: str, says: str) -> None:
    folder = tmp_path / "unclip"
    shutil.copytree(public.folders["stable-unclip"], folder)
    path = folder / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(WeightsError, match=says):
        make_generator("stable-unclip", weights=str(folder), device="cpu")


def test_damaged_and_foreign_weights(public: PublicWorld, tmp_path: Path) -> None:
    folder = tmp_path / "sd"
    shutil.copytree(public.folders["stable-unclip"], folder)
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    with pytest.raises(WeightsError, match="not the weights of a UNet2DConditionModel"):
        make_generator("stable-unclip", weights=str(folder), device="cpu")
    # a network that the file does not fill would draw at random
    other = public.folders["sd-ip-adapter"] / "unet" / "diffusion_pytorch_model.safetensors"
    shutil.copy(other, file)
    with pytest.raises(WeightsError, match=r"lacks \d+ of the network's weights \(class_embedding"):
        make_generator("stable-unclip", weights=str(folder), device="cpu")


def test_pickled_weights_are_not_read(public: PublicWorld, tmp_path: Path) -> None:
    folder = tmp_path / "sd"
    shutil.copytree(public.folders["stable-unclip"], folder)
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.rename(file.with_suffix(".bin"))
    with pytest.raises(WeightsError, match=r"diffusion_pytorch_model.safetensors: missing"):
        make_generator("stable-unclip", weights=str(folder), device="cpu")


def test_half_precision_files_serve_where_there_are_no_others(
    public: PublicWorld, tmp_path: Path
) -> None:
    folder = tmp_path / "sdxl"
    shutil.copytree(public.folders["sdxl-ip-adapter"], folder)
    for file in [*folder.glob("*/diffusion_pytorch_model.safetensors"),
                 *folder.glob("*/model.safetensors")]:  # fmt: skip
        file.rename(file.with_name(f"{file.stem}.fp16.safetensors"))
    assert SdxlRefiner.load(str(folder), device="cpu").name == "sdxl-refiner"


def test_downloading_needs_a_network(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "huggingface_hub.HfApi.list_repo_files",
        lambda self, repository: (_ for _ in ()).throw(OSError("no network")),
    )
    with pytest.raises(WeightsError, match=r"could not be listed \(OSError\); check the name"):
        make_generator("stable-unclip", download=True, device="cpu")


def test_downloading_fetches_what_is_needed_and_no_more(
    cache: Path, public: PublicWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's answers are played from a folder; the files go through the real cache."""
    source, fetched = public.folders["stable-unclip"], []
    listed = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]
    extra = ["unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.safetensors",
             "image_encoder/model.safetensors", "README.md"]  # fmt: skip
    root = cache / "models--a--b" / "snapshots" / "abc123"

    def fetch(repository: str, name: str) -> str:
        fetched.append(name)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, root / name)
        (cache / "models--a--b" / "refs").mkdir(exist_ok=True)
        (cache / "models--a--b" / "refs" / "main").write_text("abc123")
        return str(root / name)

    monkeypatch.setattr(
        "huggingface_hub.HfApi.list_repo_files", lambda self, repository: [*listed, *extra]
    )
    monkeypatch.setattr("neurodecode.embed.hub.hf_hub_download", fetch)
    make_generator("stable-unclip", weights="a/b", download=True, device="cpu")
    assert not set(fetched) & set(extra)
    assert "unet/diffusion_pytorch_model.safetensors" in fetched
