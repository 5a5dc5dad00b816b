"""The miniature generator: seeded, independent of the batch, and true to its tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.datasets.mini.scenes import render, sample_scene
from neurodecode.embed.openclip import OpenClipEmbedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.generate import GENERATORS, ImageGenerator, make_generator
from neurodecode.generate.denoiser import normalise_tokens
from neurodecode.generate.mini import MiniGenerator, sample_latents
from neurodecode.generate.noise import sampling_scheduler, training_scheduler


@pytest.fixture
def tokens(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(5, 10, 12)).astype(np.float32)


def close(first: np.ndarray, second: np.ndarray) -> bool:
    """Equal up to one grey level: batch sizes change the order of float32 sums."""
    return int(np.abs(first.astype(int) - second).max()) <= 1


def test_shapes_and_protocol(tiny: MiniGenerator, tokens: np.ndarray) -> None:
    assert isinstance(tiny, ImageGenerator)
    images = tiny.generate(tokens, n_steps=3)
    assert images.dtype == np.uint8
    assert images.shape == (5, 32, 32, 3)
    assert tiny.encode(images).shape == (5, 3, 8, 8)
    assert tiny.decode(tiny.encode(images)).shape == (5, 32, 32, 3)
    assert tiny.generate(tokens[:0]).shape == (0, 32, 32, 3)


@pytest.mark.parametrize("strength", [None, 0.6])
def test_a_sample_does_not_depend_on_the_others(
    tiny: MiniGenerator, tokens: np.ndarray, rng: np.random.Generator, strength: float | None
) -> None:
    start = None if strength is None else rng.normal(size=(5, 3, 8, 8)).astype(np.float32)
    options = {} if strength is None else {"strength": strength}
    seeds = [4, 9, 1, 7, 3]
    images = tiny.generate(tokens, n_steps=4, seed=seeds, init_latents=start, **options)
    order = [3, 0]
    some = tiny.generate(
        tokens[order], n_steps=4, seed=[seeds[i] for i in order],
        init_latents=None if start is None else start[order], **options,
    )  # fmt: skip
    assert close(some, images[order])
    assert not close(some, images[[0, 3]])


def test_chunks_do_not_show(
    tiny: MiniGenerator, tokens: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiny.generate(tokens, n_steps=3, seed=range(5))
    monkeypatch.setattr("neurodecode.generate.mini._CHUNK", 2)
    assert close(whole, tiny.generate(tokens, n_steps=3, seed=range(5)))


def test_seed_decides(tiny: MiniGenerator, tokens: np.ndarray) -> None:
    first = tiny.generate(tokens, n_steps=3, seed=1)
    np.testing.assert_array_equal(first, tiny.generate(tokens, n_steps=3, seed=1))
    np.testing.assert_array_equal(first, tiny.generate(tokens, n_steps=3, seed=[1] * 5))
    assert not close(first, tiny.generate(tokens, n_steps=3, seed=2))


def test_tokens_guidance_and_scale(tiny: MiniGenerator, tokens: np.ndarray) -> None:
    images = tiny.generate(tokens, n_steps=3)
    assert not close(images, tiny.generate(tokens[::-1].copy(), n_steps=3))
    assert not close(images, tiny.generate(tokens, n_steps=3, guidance=1.0))
    assert close(images, tiny.generate(3 * tokens + 1, n_steps=3))


def test_guidance_of_one_is_no_guidance(tiny: MiniGenerator, tokens: np.ndarray) -> None:
    inputs = torch.from_numpy(tokens), torch.randn(5, 3, 8, 8)
    plain = sample_latents(tiny.denoiser, *inputs, n_steps=3, guidance=1.0)
    almost = sample_latents(tiny.denoiser, *inputs, n_steps=3, guidance=1.0 + 1e-6)
    torch.testing.assert_close(plain, almost, atol=1e-3, rtol=1e-3)


def test_strength_of_zero_returns_the_start(tiny: MiniGenerator, tokens: np.ndarray) -> None:
    start = np.random.default_rng(1).normal(size=(5, 3, 8, 8)).astype(np.float32)
    images = tiny.generate(tokens, init_latents=start, strength=0.0)
    np.testing.assert_array_equal(images, tiny.decode(start))


def test_weaker_strength_stays_nearer_to_the_start(tiny: MiniGenerator, tokens: np.ndarray) -> None:
    start, noise = torch.randn(5, 3, 8, 8), torch.randn(5, 3, 8, 8)
    distances = [
        (
            sample_latents(
                tiny.denoiser, torch.from_numpy(tokens), noise, init_latents=start,
                strength=strength, n_steps=10, guidance=1.0,
            ) - start
        ).square().mean().item()
        for strength in (0.1, 0.4, 0.8)
    ]  # fmt: skip
    assert distances == sorted(distances)


def test_solver_recovers_the_latent_from_an_exact_velocity(tiny: MiniGenerator) -> None:
    """With a denoiser that knows the answer, sampling must arrive there from any noise."""
    target = torch.randn(2, 3, 8, 8)
    levels = training_scheduler().alphas_cumprod

    class Oracle:
        def __call__(
            self, latents: torch.Tensor, steps: torch.Tensor, tokens: torch.Tensor
        ) -> torch.Tensor:
            level = levels[steps].view(-1, 1, 1, 1)
            noise = (latents - level.sqrt() * target) / (1 - level).sqrt()
            return level.sqrt() * noise - (1 - level).sqrt() * target

    found = sample_latents(
        Oracle(), torch.randn(2, 10, 12), torch.randn(2, 3, 8, 8), n_steps=15, guidance=1.0
    )
    torch.testing.assert_close(found, target, atol=1e-2, rtol=1e-2)


def test_schedules_of_training_and_sampling_agree() -> None:
    torch.testing.assert_close(
        training_scheduler().alphas_cumprod, sampling_scheduler(7).alphas_cumprod
    )
    assert len(sampling_scheduler(7).timesteps) == 7
    assert sampling_scheduler(7).timesteps[0] == 999


def test_tokens_are_normalised() -> None:
    tokens = normalise_tokens(torch.randn(3, 10, 12) * 5 + 2)
    torch.testing.assert_close(tokens.mean(-1), torch.zeros(3, 10), atol=1e-5, rtol=0)
    torch.testing.assert_close(tokens.var(-1, correction=0), torch.ones(3, 10), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tokens": np.zeros((5, 9, 12), np.float32)}, "tokens"),
        ({"init_latents": np.zeros((4, 3, 8, 8), np.float32)}, "init_latents"),
        ({"strength": 1.5}, "strength"),
        ({"seed": [1, 2]}, "seed"),
    ],
)
def test_wrong_arguments_are_named(
    tiny: MiniGenerator, tokens: np.ndarray, change: dict, field: str
) -> None:
    with pytest.raises(DataError, match=f"field {field}"):
        tiny.generate(**{"tokens": tokens, **change})


def test_registry() -> None:
    assert "mini" in GENERATORS
    with pytest.raises(ConfigError, match=r"unknown generator 'nonsense'; known: .*mini"):
        make_generator("nonsense")


def test_bundled_generator_draws_what_the_tokens_say() -> None:
    rng = np.random.default_rng(20_262)
    images = np.stack([render(sample_scene(rng)) for _ in range(24)])
    clip, generator = OpenClipEmbedder.bundled(), make_generator("mini")
    drawn = generator.generate(clip.encode_images(images)["tokens"], n_steps=12)
    first, second = (clip.encode_images(x)["pooled"] for x in (drawn, images))
    first, second = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second))
    similarity = first @ second.T
    beaten = (similarity < np.diag(similarity)[:, None]).sum() / (24 * 23)
    assert beaten > 0.95
