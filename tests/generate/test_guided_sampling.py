"""Guided sampling: no guide, no change; a guide raises what it is the gradient of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.generate import can_be_guided
from neurodecode.generate.guide import Guidance, ascend
from neurodecode.generate.mini import MiniGenerator, sample_latents


class Colour:
    """Wants pictures of a colour, one for each row, and notes which rows it was asked for."""

    def __init__(self, wanted: np.ndarray) -> None:
        self.wanted = torch.from_numpy(wanted)
        self.rows: list[list[int]] = []

    def __call__(self, pixels: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        self.rows.append(rows.tolist())
        return -(pixels.mean(dim=(2, 3)) - self.wanted[rows]).square().sum(dim=1)


@pytest.fixture
def tokens(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(5, 10, 12)).astype(np.float32)


@pytest.fixture
def colour(rng: np.random.Generator) -> Colour:
    return Colour(rng.uniform(size=(5, 3)).astype(np.float32))


def likelihood(colour: Colour, images: np.ndarray) -> np.ndarray:
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    return colour(pixels, np.arange(len(images))).numpy()


def test_without_a_guide_sampling_is_what_it_was(
    tiny: MiniGenerator, tokens: np.ndarray, colour: Colour
) -> None:
    plain = tiny.generate(tokens, n_steps=4, seed=range(5))
    for nothing in (None, Guidance(colour, 0.0)):
        again = tiny.generate(tokens, n_steps=4, seed=range(5), guide=nothing)
        np.testing.assert_array_equal(plain, again)
    assert not colour.rows
    noise = torch.randn(5, 3, 8, 8)
    first = sample_latents(tiny.denoiser, torch.from_numpy(tokens), noise, n_steps=4)
    stay = sample_latents(
        tiny.denoiser, torch.from_numpy(tokens), noise, n_steps=4, correct=lambda z, noise: z
    )
    torch.testing.assert_close(first, stay, atol=1e-4, rtol=1e-4)


def test_guided_pictures_are_likelier_in_every_row(
    tiny: MiniGenerator, tokens: np.ndarray, colour: Colour
) -> None:
    values = [
        likelihood(colour, tiny.generate(tokens, n_steps=6, seed=range(5), guide=guide))
        for guide in (None, Guidance(colour, 0.2), Guidance(colour, 0.6))
    ]
    assert (values[1] > values[0]).all()
    assert (values[2] > values[1]).mean() >= 0.8


def test_rows_of_the_guide_are_rows_of_the_call(
    tiny: MiniGenerator, tokens: np.ndarray, colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = Guidance(colour, 0.5)
    whole = tiny.generate(tokens, n_steps=3, seed=range(5), guide=guide)
    monkeypatch.setattr("neurodecode.generate.mini._CHUNK", 2)
    colour.rows.clear()
    parts = tiny.generate(tokens, n_steps=3, seed=range(5), guide=guide)
    assert [rows for rows in colour.rows[::3]] == [[0, 1], [2, 3], [4]]
    assert int(np.abs(whole.astype(int) - parts).max()) <= 1
    # the same picture again, its own response found by an offset
    alone = tiny.generate(tokens[3:], n_steps=3, seed=[3, 4], guide=guide.from_row(3))
    assert int(np.abs(whole[3:].astype(int) - alone).max()) <= 1


def test_ascent_has_the_length_that_was_asked_for() -> None:
    start = torch.randn(3, 2, 4, 5)
    target = torch.randn(3, 2, 4, 5)
    target[1] = start[1]
    weight = torch.tensor([1.0, 1.0, 1e6]).view(3, 1, 1, 1)
    moved = ascend(start, lambda z: -(weight * (z - target).square()).flatten(1).sum(1), 0.3)
    steps = (moved - start).flatten(1).square().mean(1).sqrt()
    torch.testing.assert_close(steps, torch.tensor([0.3, 0.0, 0.3]), atol=1e-5, rtol=0)
    assert ((moved - target).square().sum() < (start - target).square().sum()).item()
    assert not moved.requires_grad


def test_a_gradient_that_is_not_finite_moves_nothing() -> None:
    start = torch.ones(2, 1, 2, 2)
    moved = ascend(start, lambda z: (z[:, 0, 0, 0] - torch.tensor([1.0, 0.0])).sqrt(), 0.5)
    torch.testing.assert_close(moved[0], start[0])
    assert not torch.equal(moved[1], start[1])


def test_who_can_be_guided(tiny: MiniGenerator) -> None:
    class Plain:
        def generate(self, tokens, *, seed=0):
            return tokens

    assert can_be_guided(tiny)
    assert not can_be_guided(Plain())
