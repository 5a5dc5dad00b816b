"""Generators with public weights, each opened from a folder: one contract for all of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_pipelines import PublicWorld

from neurodecode.errors import ConfigError, DataError, WeightsError
from neurodecode.files import sha256
from neurodecode.generate import GENERATORS, ImageGenerator, make_generator
from neurodecode.generate.memory import Memory

NAMES = ("kandinsky2.2", "stable-unclip", "sd-ip-adapter", "sdxl-ip-adapter")
TAKES = {
    "kandinsky2.2": ("openclip:ViT-bigG-14/laion2b_s39b_b160k", "pooled", (10,)),
    "stable-unclip": ("openclip:ViT-H-14/laion2b_s32b_b79k", "pooled", (14,)),
    "sd-ip-adapter": ("openclip:ViT-H-14/laion2b_s32b_b79k", "pooled", (22,)),
    "sdxl-ip-adapter": (
        "openclip-penultimate:ViT-H-14/laion2b_s32b_b79k", "tokens", (26, 26)
    ),
}  # fmt: skip
every = pytest.mark.parametrize("name", NAMES)


def embeddings(name: str, n: int = 3) -> np.ndarray:
    return np.random.default_rng(11).normal(size=(n, *TAKES[name][2])).astype(np.float32)


def close(first: np.ndarray, second: np.ndarray) -> bool:
    """Equal up to two grey levels: batch sizes change the order of float32 sums."""
    return int(np.abs(first.astype(int) - second).max()) <= 2


@every
def test_contract(public: PublicWorld, name: str) -> None:
    generator = public.open(name)
    assert name in GENERATORS
    assert isinstance(generator, ImageGenerator)
    assert (generator.takes.model, generator.takes.array, generator.takes.shape) == TAKES[name]
    images = generator.generate(embeddings(name), n_steps=2)
    assert images.dtype == np.uint8
    assert images.shape == (3, 32, 32, 3)
    assert images.std() > 5
    assert generator.generate(embeddings(name)[:0]).shape == (0, 32, 32, 3)
    # any size of picture comes in, the generator's own goes out
    latents = generator.encode(np.random.default_rng(0).integers(0, 256, (3, 20, 24, 3), np.uint8))
    assert latents.shape == (3, 4, 8, 8)
    assert latents.dtype == np.float32
    assert generator.decode(latents).shape == (3, 32, 32, 3)


@every
def test_seed_embedding_and_guidance_decide(public: PublicWorld, name: str) -> None:
    generator, tokens = public.open(name), embeddings(name)
    images = generator.generate(tokens, n_steps=2, seed=4)
    np.testing.assert_array_equal(images, generator.generate(tokens, n_steps=2, seed=[4] * 3))
    assert not close(images, generator.generate(tokens, n_steps=2, seed=5))
    assert not close(images, generator.generate(tokens[::-1].copy(), n_steps=2, seed=4))
    assert not close(images, generator.generate(tokens, n_steps=2, seed=4, guidance=1.0))


@every
@pytest.mark.parametrize("strength", [None, 0.6])
def test_a_picture_depends_on_its_own_row_alone(
    public: PublicWorld, name: str, strength: float | None
) -> None:
    """Not on its neighbours, the size of the batch, or slicing."""
    tokens, options, rng = embeddings(name, 5), {"n_steps": 3}, np.random.default_rng(3)
    start = None if strength is None else rng.normal(size=(5, 4, 8, 8)).astype(np.float32)
    if strength is not None:
        options["strength"] = strength
    seeds = [4, 9, 1, 7, 3]
    whole = public.open(name).generate(tokens, init_latents=start, seed=seeds, **options)
    order = [3, 0, 4]
    small = public.open(name, batch_size=2, vae_slicing=True).generate(
        tokens[order], seed=[seeds[i] for i in order],
        init_latents=None if start is None else start[order], **options,
    )  # fmt: skip
    assert close(small, whole[order])
    assert not close(small, whole[[0, 3, 1]])


@every
def test_strength(public: PublicWorld, name: str) -> None:
    generator, tokens = public.open(name), embeddings(name)
    start = 2 * np.random.default_rng(1).normal(size=(3, 4, 8, 8)).astype(np.float32)
    kept = generator.generate(tokens, init_latents=start, strength=0.0)
    np.testing.assert_array_equal(kept, generator.decode(start))
    ignored = generator.generate(tokens, init_latents=start, strength=1.0, n_steps=2)
    np.testing.assert_array_equal(ignored, generator.generate(tokens, n_steps=2))
    distances = [
        np.abs(
            generator.generate(tokens, init_latents=start, strength=strength, n_steps=10,
                               guidance=1.0).astype(int) - kept
        ).mean()
        for strength in (0.1, 0.4, 0.9)
    ]  # fmt: skip
    assert distances == sorted(distances)


@every
def test_wrong_arguments_are_named(public: PublicWorld, name: str) -> None:
    generator, tokens = public.open(name), embeddings(name)
    for change, field in (
        ({"tokens": np.zeros((3, 7), np.float32)}, "tokens"),
        ({"init_latents": np.zeros((3, 4, 8, 7), np.float32)}, "init_latents"),
        ({"strength": 1.5}, "strength"),
        ({"seed": [1, 2]}, "seed"),
    ):
        with pytest.raises(DataError, match=f"field {field}"):
            generator.generate(**{"tokens": tokens, **change})


@every
def test_provenance_names_the_weights(public: PublicWorld, name: str) -> None:
    found = public.open(name).provenance
    unet = public.folders[name] / "unet" / "diffusion_pytorch_model.safetensors"
    assert found["model"] == name
    assert found["sha256"] == sha256(unet)
    assert len(found["vae_sha256"]) == 64
    assert found["image_size"] == 32


def test_a_pooled_embedding_may_come_as_one_token(public: PublicWorld) -> None:
    generator, tokens = public.open("kandinsky2.2"), embeddings("kandinsky2.2")
    np.testing.assert_array_equal(
        generator.generate(tokens, n_steps=2), generator.generate(tokens[:, None], n_steps=2)
    )


@every
def test_running_out_of_memory_names_what_lowers_it(
    public: PublicWorld, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    generator = public.open(name)
    monkeypatch.setattr(generator.unet, "forward", full)
    with pytest.raises(ConfigError, match=r"out of memory .* batch_size=4; lower it with batch_si"):
        generator.generate(embeddings(name), n_steps=2)
    monkeypatch.undo()
    monkeypatch.setattr(generator.codec.model, "decode", full)
    with pytest.raises(ConfigError, match=f"generator {name}: out of memory"):
        generator.decode(np.zeros((3, 4, 8, 8), np.float32))


def test_what_is_in_use_is_not_advised() -> None:
    gpu = Memory.of({"device": "cpu"}, "x")
    object.__setattr__(gpu, "device", "cuda")
    assert gpu.savings() == [
        "batch_size=2", "dtype=float16", "vae_slicing=true", "offload=true", "vae_tiling=true"
    ]  # fmt: skip
    least = Memory("cpu", "float16", 1, True, True, True)
    assert least.savings() == []


def test_half_precision_and_tiles(public: PublicWorld) -> None:
    name = "stable-unclip"
    generator = public.open(name, dtype="bfloat16", vae_tiling=True, offload=True)
    assert generator.unet.dtype == torch.bfloat16
    images = generator.generate(embeddings(name), n_steps=2)
    whole = public.open(name).generate(embeddings(name), n_steps=2)
    # 8 bits of mantissa: the same picture, coarsely
    assert 0 < np.abs(images.astype(int) - whole).mean() < 12
    with pytest.raises(ConfigError, match="cannot work in tiles; use vae_slicing=true"):
        public.open("kandinsky2.2", vae_tiling=True)


def test_another_solver(public: PublicWorld) -> None:
    name = "kandinsky2.2"
    generator = public.open(name, scheduler="DDIMScheduler")
    assert generator.provenance["scheduler"] == "DDIMScheduler"
    assert generator.generate(embeddings(name), n_steps=2).shape == (3, 32, 32, 3)
    with pytest.raises(ConfigError, match=r"scheduler 'Nonsense': .*DDIMScheduler"):
        public.open(name, scheduler="Nonsense")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"image_size": 36}, "image_size 36 is not a multiple of 8"),
        ({"image_size": "big"}, "image_size big is not"),
        ({"batch_size": 0}, "batch_size 0: give a positive"),
        ({"dtype": "int8"}, "dtype 'int8': unknown; known: float32"),
        ({"nonsense": 1}, "generator stable-unclip: no option nonsense; memory and speed"),
        ({"noise_level": 1000}, "noise_level 1000 is not in"),
    ],
)
def test_options_that_cannot_be(public: PublicWorld, options: dict, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        public.open("stable-unclip", **options)


def test_other_picture_sizes(public: PublicWorld) -> None:
    generator = public.open("sdxl-ip-adapter", image_size=48)
    images = generator.generate(embeddings("sdxl-ip-adapter", 2), n_steps=2)
    assert images.shape == (2, 48, 48, 3)


def test_mini_knows_its_options() -> None:
    with pytest.raises(ConfigError, match="generator mini: no option batch_size; known: folder"):
        make_generator("mini", batch_size=2)
    assert make_generator("mini", download=True).takes.model == "mini-clip"


def test_noise_level_blurs_the_embedding(public: PublicWorld) -> None:
    name = "stable-unclip"
    clear, noisy = (
        public.open(name, noise_level=level).generate(embeddings(name), n_steps=2, seed=2)
        for level in (0, 900)
    )
    assert not close(clear, noisy)


def test_wrong_folder_is_refused(public: PublicWorld) -> None:
    folders = {name: str(folder) for name, folder in public.folders.items()}
    with pytest.raises(WeightsError, match="is not a plain Stable Diffusion model"):
        public.open("sd-ip-adapter", weights=folders["sdxl-ip-adapter"])
    with pytest.raises(WeightsError, match=r"text_encoder_2/config.json: missing"):
        public.open("sdxl-ip-adapter", weights=folders["sd-ip-adapter"])
    with pytest.raises(WeightsError, match="is no IP-Adapter of this base model"):
        public.open("sd-ip-adapter", adapter_file="ip-adapter_sdxl.safetensors")


def test_a_published_adapter_by_its_name_says_its_tower(public: PublicWorld) -> None:
    generator = public.open("sdxl-ip-adapter", adapter_file="ip-adapter_sdxl.safetensors")
    assert str(generator.takes) == "pooled (22) of openclip:ViT-bigG-14/laion2b_s39b_b160k"
    tokens = np.random.default_rng(0).normal(size=(2, 22)).astype(np.float32)
    images = generator.generate(tokens, n_steps=2)
    weaker = public.open(
        "sdxl-ip-adapter", adapter_file="ip-adapter_sdxl.safetensors", adapter_scale=0.1
    ).generate(tokens, n_steps=2)
    assert not close(images, weaker)
