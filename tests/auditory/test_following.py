"""Envelope following against independent spectra."""

from __future__ import annotations

import numpy as np
import pytest
from listening import listeners

from neurodecode.auditory.following import (
    channel_coherency,
    coherence,
    lagged_correlation,
    shift_null,
    spectra,
    surrogate_p,
    transfer_function,
)
from neurodecode.auditory.following_table import following_table
from neurodecode.errors import ConfigError, DataError


@pytest.fixture
def reference(fixtures_dir):
    with np.load(fixtures_dir / "spectral.npz") as content:
        return {name: content[name] for name in content.files}


def test_equals_the_reference_numbers(reference):
    fs, segment = float(reference["fs"]), int(reference["nperseg"])
    found = spectra(reference["x"], reference["y"], fs, segment, int(reference["noverlap"]))
    for name in ("H1", "H2", "Hv"):
        np.testing.assert_allclose(transfer_function(found, name), reference[name], rtol=1e-8)
    np.testing.assert_allclose(coherence(found), reference["coherence"], rtol=1e-8)
    null = shift_null(reference["x"], reference["y"], fs, segment, reference["shifts"])
    np.testing.assert_allclose(
        np.quantile(null, 0.95, axis=0), reference["null_coherence_95"], rtol=1e-8
    )
    inside = (found.frequency >= 1) & (found.frequency <= 8)
    p = surrogate_p(coherence(found)[inside].mean(), null[:, inside].mean(axis=1))
    assert p == pytest.approx(float(reference["p_band_1_8"]))
    pair = np.stack([reference["y"], reference["y2"]])
    frequency = reference["freqs"]
    _, ratio = channel_coherency(pair, fs, segment, (frequency[20], frequency[20]))
    assert ratio[0, 1] == pytest.approx(reference["coherency_y_y2"][20], rel=1e-8)


def test_gains_are_ordered_and_bad_requests_named(reference):
    found = spectra(reference["x"], reference["y"], 64.0, 128)
    sizes = [np.abs(transfer_function(found, name))[1:-1] for name in ("H1", "Hv", "H2")]
    assert (sizes[0] <= sizes[1] + 1e-12).all()
    assert (sizes[1] <= sizes[2] + 1e-12).all()
    with pytest.raises(ConfigError, match="unknown transfer function"):
        transfer_function(found, "H3")
    with pytest.raises(DataError, match="fewer than two segments"):
        spectra(reference["x"][:130], reference["y"][:130], 64.0, 128)
    with pytest.raises(DataError, match="1024 samples of one signal and 1000"):
        spectra(reference["x"], reference["y"][:1000], 64.0, 128)


def test_the_lag_is_where_the_delay_is(rng):
    x = rng.normal(size=400)
    y = np.stack([np.roll(x, 5), -np.roll(x, -3)]) + 0.1 * rng.normal(size=(2, 400))
    r = lagged_correlation(x, y, range(-8, 9))
    assert (np.abs(r).argmax(axis=1) - 8).tolist() == [5, -3]
    assert r[1].min() < -0.9


def test_the_table_finds_channels_that_follow_and_no_others():
    trials = listeners(n_subjects=1, n_trials=4, gain=3.0)
    for trial in trials:
        trial.eeg[:, 6] = np.random.default_rng(3).standard_normal(trial.n_times)
    table = following_table(
        trials, {"low": (0.5, 3.0), "high": (3.0, 7.0)}, segment_s=2.0, method="H1",
        longest_lag_s=0.5, n_shifts=19, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert len(table) == 14
    assert (table[table["channel"] == "a"]["p"] == 1 / 20).all()
    assert (table[table["channel"] == "g"]["p"] > 0.05).all()
    assert (table[table["channel"] == "a"]["best_lag_s"] == 2 / 16).all()
