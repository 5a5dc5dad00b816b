"""Effective rank on cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.metrics.functional import effective_rank


def test_equal_singular_values_count_the_dimensions() -> None:
    # +-1 along each of three axes: three equal singular values after centring
    axes = np.concatenate([np.eye(3, 7), -np.eye(3, 7)])
    assert effective_rank(axes + 5.0) == pytest.approx(3)
    # singular values 3 : 1 give exp(-.75 log .75 - .25 log .25)
    stretched = np.concatenate([np.diag([3.0, 1.0]), -np.diag([3.0, 1.0])])
    assert effective_rank(stretched) == pytest.approx(4 / 3**0.75)


def test_collapse_is_seen(rng: np.random.Generator) -> None:
    pattern = rng.normal(size=(4, 2))
    assert effective_rank(rng.normal(size=(9, 1, 1)) * pattern) == pytest.approx(1, abs=1e-4)
    assert effective_rank(np.repeat(pattern[None], 9, axis=0)) == 0
    assert 6 < effective_rank(rng.normal(size=(9, 40))) <= 8
