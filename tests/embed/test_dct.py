"""Cosine coefficients: those of scipy, invertible, differentiable."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from scipy import fft

from neurodecode.embed import make_embedder
from neurodecode.embed.dct import KEPT, N_COEFFICIENTS, dct_coefficients, dct_pixels


def smooth_pictures(rng: np.random.Generator, n: int) -> np.ndarray:
    """Pictures that hold low frequencies only."""
    small = rng.integers(60, 190, (n, 4, 4, 3), dtype=np.uint8)
    big = [Image.fromarray(each).resize((64, 64), Image.Resampling.BICUBIC) for each in small]
    return np.stack([np.asarray(each) for each in big])


def test_luminance_coefficients_are_those_of_scipy(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    grey = (images / 255 - 0.5).sum(axis=-1) / np.sqrt(3)
    wanted = fft.dctn(grey, axes=(1, 2), norm="ortho")[:, : KEPT[0], : KEPT[0]].reshape(3, -1)
    found = dct_coefficients(images)[:, : KEPT[0] ** 2]
    ratio = wanted / found
    # one amplitude for each frequency, whatever the picture; 1/f but for the mean
    np.testing.assert_allclose(ratio, ratio[:1].repeat(3, axis=0), rtol=2e-3)
    amplitude = ratio[0].reshape(KEPT[0], KEPT[0])
    np.testing.assert_allclose(amplitude[0, 3] * 3, amplitude[1, 0], rtol=2e-3)
    np.testing.assert_allclose(amplitude[3, 4] * 5, amplitude[0, 1], rtol=2e-3)


def test_smooth_pictures_come_back(rng: np.random.Generator) -> None:
    images = smooth_pictures(rng, 5)
    found = dct_pixels(torch.from_numpy(dct_coefficients(images))).permute(0, 2, 3, 1).numpy()
    assert np.abs(found - images / 255).mean() < 0.015


def test_pictures_have_the_gradient_of_finite_differences(rng: np.random.Generator) -> None:
    start = torch.from_numpy(rng.normal(size=(2, N_COEFFICIENTS))).requires_grad_(True)
    weights = torch.from_numpy(rng.normal(size=(2, 3, 64, 64)))
    (gradient,) = torch.autograd.grad((dct_pixels(start) * weights).sum(), start)
    step = 1e-3 * torch.from_numpy(rng.normal(size=start.shape))
    with torch.no_grad():
        ends = [(dct_pixels(start + sign * step) * weights).sum() for sign in (1, -1)]
    np.testing.assert_allclose(ends[0] - ends[1], 2 * (gradient * step).sum(), rtol=1e-6)


def test_embedder_takes_any_size_and_none(rng: np.random.Generator) -> None:
    embedder = make_embedder("dct")
    images = rng.integers(0, 256, (2, 112, 96, 3), dtype=np.uint8)
    assert embedder.encode_images(images)["coefficients"].shape == (2, N_COEFFICIENTS)
    assert embedder.encode_images(images[:0])["coefficients"].shape == (0, N_COEFFICIENTS)
    assert embedder.provenance["kept"] == list(KEPT)
