from __future__ import annotations

import h5py
import numpy as np
import pytest
from broken_worlds import cut, make_older

from neurodecode.errors import DataError
from neurodecode.store.synthetic import SyntheticResponses, read_synthetic, write_synthetic


def covariance(rng: np.random.Generator, n: int) -> np.ndarray:
    root = rng.normal(size=(n, n))
    return root @ root.T / n


@pytest.fixture
def synthetic(rng) -> SyntheticResponses:
    return SyntheticResponses(
        subject="07",
        split="0123abcd",
        stimulus_id=[f"stimulus {number}" for number in range(7)],
        responses=rng.normal(size=(7, 9)).astype(np.float16),
        model_covariance=covariance(rng, 9).astype(np.float32),
        trial_covariance=4 * covariance(rng, 9).astype(np.float32),
    )


def test_round_trip(synthetic, tmp_path):
    write_synthetic(tmp_path / "sub-07.h5", synthetic)
    found = vars(read_synthetic(tmp_path / "sub-07.h5"))
    for name, value in vars(synthetic).items():
        np.testing.assert_array_equal(found[name], value)
        assert getattr(found[name], "dtype", None) == getattr(value, "dtype", None)


@pytest.mark.parametrize("n_averaged", [1, 3])
def test_noise_factor_makes_the_noise_of_an_average(synthetic, n_averaged):
    factor = synthetic.noise_factor(n_averaged)
    assert factor.dtype == np.float32
    assert not np.triu(factor, 1).any()
    wanted = synthetic.model_covariance + synthetic.trial_covariance / n_averaged
    np.testing.assert_allclose(factor @ factor.T, wanted, rtol=1e-4, atol=1e-4)


def test_noise_factor_of_a_covariance_that_lost_a_direction(synthetic, rng):
    root = rng.normal(size=(9, 4)).astype(np.float32)
    flat = SyntheticResponses("07", "", [], synthetic.responses, root @ root.T, np.zeros((9, 9)))
    factor = flat.noise_factor(2)
    np.testing.assert_allclose(factor @ factor.T, root @ root.T, atol=1e-3)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.unlink(), "file is missing"),
        (cut, "file is truncated"),
        (lambda path: path.write_text("<html>404</html>"), "not a readable HDF5 file"),
        (make_older, "store has format version 0, this program writes 1; delete it"),
    ],
)
def test_broken_file(synthetic, tmp_path, damage, says):
    path = tmp_path / "sub-07.h5"
    write_synthetic(path, synthetic)
    damage(path)
    with pytest.raises(DataError, match=rf"file {path}: {says}"):
        read_synthetic(path)


def test_file_without_its_covariance(synthetic, tmp_path):
    write_synthetic(tmp_path / "sub-07.h5", synthetic)
    with h5py.File(tmp_path / "sub-07.h5", "r+") as file:
        del file["trial_covariance"]
    with pytest.raises(DataError, match="field trial_covariance: data set is missing"):
        read_synthetic(tmp_path / "sub-07.h5")
