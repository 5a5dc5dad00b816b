"""Canonical correlations, plain and regularised."""

from __future__ import annotations

import numpy as np
import pytest
from reference_numbers import read_reference

from neurodecode.errors import ConfigError
from neurodecode.linear.cca import CCA


def test_equals_the_reference_numbers(fixtures_dir):
    given, expected = read_reference(fixtures_dir, "cca")
    x, y = np.array(given["X"]), np.array(given["Y"])
    plain = CCA(3).fit(x, y)
    np.testing.assert_allclose(
        plain.singular_values_, expected["canonical_correlations"], rtol=1e-6
    )
    np.testing.assert_allclose(plain.x_weights_, expected["weights_x_sign_fixed"], rtol=1e-6)
    np.testing.assert_allclose(plain.y_weights_, expected["weights_y_sign_fixed"], rtol=1e-6)
    shrunk = CCA(3, given["reg_x"], given["reg_y"], absolute=True).fit(x, y)
    np.testing.assert_allclose(
        shrunk.singular_values_, expected["regularised_singular_values"], rtol=1e-6
    )
    a, b = shrunk.variates(x, y)
    achieved = [np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(3)]
    np.testing.assert_allclose(achieved, expected["regularised_achieved_correlations"], rtol=1e-6)


def test_fewer_components_are_the_first_ones(rng):
    x, y = rng.normal(size=(80, 7)), rng.normal(size=(80, 5))
    np.testing.assert_allclose(CCA(2).fit(x, y).x_weights_, CCA(5).fit(x, y).x_weights_[:, :2])


def test_relative_penalties_do_not_depend_on_units(rng):
    x, y = rng.normal(size=(80, 7)), rng.normal(size=(80, 5))
    plain, volts = CCA(3, 0.3, 0.1).fit(x, y), CCA(3, 0.3, 0.1).fit(1e-6 * x, y)
    np.testing.assert_allclose(plain.x_weights_, 1e-6 * volts.x_weights_, rtol=1e-6)


def test_a_singular_side_is_named(rng):
    x = rng.normal(size=(80, 3))
    with pytest.raises(ConfigError, match="singular"):
        CCA(1).fit(np.hstack([x, x[:, :1]]), rng.normal(size=(80, 2)))
