"""The generator without weights: pictures of coefficients, which a guide moves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.embed.dct import N_COEFFICIENTS
from neurodecode.errors import ConfigError, DataError
from neurodecode.generate import can_be_guided, make_generator
from neurodecode.generate.guide import Guidance


def brightness(wanted: np.ndarray) -> Guidance:
    """Want pictures of a mean brightness, one for each row."""

    def guide(pixels: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        return -(pixels.mean(dim=(1, 2, 3)) - torch.from_numpy(wanted[rows])).square()

    return Guidance(guide, 3.0)


@pytest.fixture
def coefficients(rng: np.random.Generator) -> np.ndarray:
    return 0.3 * rng.normal(size=(5, N_COEFFICIENTS)).astype(np.float32)


def test_pictures_hold_what_they_were_made_of(coefficients: np.ndarray) -> None:
    generator = make_generator("dct")
    images = generator.generate(coefficients)
    assert images.shape == (5, 64, 64, 3)
    again = generator.encode(images).reshape(5, -1)
    kept = [np.corrcoef(a, b)[0, 1] for a, b in zip(again, coefficients, strict=True)]
    assert min(kept) > 0.9  # but for rounding and clipping
    np.testing.assert_array_equal(generator.decode(coefficients[..., None, None]), images)


def test_each_row_follows_its_own_guide(coefficients: np.ndarray) -> None:
    generator = make_generator("dct")
    assert can_be_guided(generator)
    wanted = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    plain = generator.generate(coefficients)
    guided = generator.generate(coefficients, n_steps=9, guide=brightness(wanted))
    found = guided.mean(axis=(1, 2, 3)) / 255
    assert (np.abs(found - wanted) < np.abs(plain.mean(axis=(1, 2, 3)) / 255 - wanted)).all()
    assert (np.diff(found) > 0).all()
    # part of the rows, found by an offset
    part = generator.generate(
        coefficients[3:], n_steps=9, guide=brightness(wanted).from_row(3)
    )  # fmt: skip
    np.testing.assert_array_equal(part, guided[3:])
    unmoved = generator.generate(coefficients, guide=Guidance(brightness(wanted).guide, 0.0))
    np.testing.assert_array_equal(unmoved, plain)


def test_other_shapes_and_options_are_refused(coefficients: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"tokens.*\(5, 380\), wanted \(n, 384\)"):
        make_generator("dct").generate(coefficients[:, :380])
    with pytest.raises(ConfigError, match="generator dct: no option folder; it has none"):
        make_generator("dct", folder="x")
