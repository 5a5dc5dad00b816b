"""Samples of an epoch at any rate, by later samples as few as possible."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.preprocess.recipe import Recipe
from neurodecode.preprocess.sampling import Sampler


def test_every_nth_sample_counted_from_the_event(rng):
    sampler = Sampler(Recipe(sfreq_hz=50.0, tmin_s=-0.06, tmax_s=0.1, baseline_s=None), 200.0)
    signals = rng.standard_normal((3, 90))
    np.testing.assert_array_equal(sampler(signals, 31), signals[:, 31 - 12 : 31 + 21 : 4])
    assert (sampler.first, sampler.last, sampler.n_times) == (-12, 20, 9)


def test_between_samples_values_are_those_of_the_signal():
    sampler = Sampler(Recipe(sfreq_hz=64.0, tmin_s=-0.1, tmax_s=0.3, baseline_s=None), 200.0)
    seconds = np.arange(300) / 200
    signals = np.stack([np.sin(2 * np.pi * hz * seconds) for hz in (1.0, 7.0, 20.0)])
    times = np.arange(-6, 20) / 64
    expected = np.stack([np.sin(2 * np.pi * hz * (1 + times)) for hz in (1.0, 7.0, 20.0)])
    np.testing.assert_allclose(sampler(signals, 200), expected, atol=1e-4)
    # the error grows with frequency, and is small where the low-pass ends
    assert np.abs(sampler(signals, 200) - expected)[0].max() < 1e-12
    # it waits for four samples more than the last value needs, and for no other
    assert sampler.last == int(np.floor(19 * 200 / 64)) + 4
    changed = signals.copy()
    changed[:, 201 + sampler.last :] = np.nan
    changed[:, : 200 + sampler.first] = np.nan
    assert np.isfinite(sampler(changed, 200)).all()


@pytest.mark.parametrize("rate", [50.0, 64.0])
def test_events_at_the_edge_are_left_out(rng, rate):
    sampler = Sampler(Recipe(sfreq_hz=rate, tmin_s=-0.1, tmax_s=0.3, baseline_s=None), 200.0)
    signals = rng.standard_normal((2, 200))
    edges = [-sampler.first - 1, -sampler.first, 199 - sampler.last, 200 - sampler.last]
    epochs, inside = sampler.epochs(signals, np.array(edges))
    assert inside.tolist() == [False, True, True, False]
    assert epochs.shape == (2, 2, sampler.n_times)
    np.testing.assert_array_equal(epochs[1], sampler(signals, edges[2]))
