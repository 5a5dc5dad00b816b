from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.errors import DataError
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.recording import Recording
from neurodecode.store import ResponseStore


def store_of(path, responses, session):
    n = len(responses)
    recording = Recording(
        "s", "fmri", responses, np.array([f"i{k}" for k in range(n)]), np.array(session), np.ones(n)
    )
    return ResponseStore.write(path, recording, dataset="tiny")


def test_statistics_come_from_training_trials_of_each_session(tmp_path, rng):
    session = np.repeat([4, 9], [300, 290])
    responses = rng.normal(100.0, 3.0, (590, 7)).astype(np.float32) * session[:, None]
    train = rng.permutation(590)[:400]
    store = store_of(tmp_path / "s.h5", responses, session)
    scaler = TrialScaler.fit(store, train)
    for row, number in enumerate((4, 9)):
        own = responses[np.sort(train)][session[np.sort(train)] == number].astype(np.float64)
        np.testing.assert_allclose(scaler.mean[row], own.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(scaler.scale[row], own.std(axis=0, ddof=1), rtol=1e-5)


def test_held_out_trials_do_not_move_the_statistics(tmp_path, rng):
    responses = rng.normal(size=(30, 7)).astype(np.float32)
    train = np.arange(20)
    before = TrialScaler.fit(store_of(tmp_path / "a.h5", responses, [1] * 30), train)
    responses[20:] += 1000
    after = TrialScaler.fit(store_of(tmp_path / "b.h5", responses, [1] * 30), train)
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_array_equal(before.scale, after.scale)


def test_session_without_training_trials_uses_the_others_together(tmp_path, rng):
    responses = rng.normal(3.0, 2.0, (31, 7)).astype(np.float32)
    session = np.repeat([1, 2, 3, 4], [11, 9, 10, 1])
    scaler = TrialScaler.fit(store_of(tmp_path / "s.h5", responses, session), [*range(20), 30])
    # session 3 is held out, session 4 has a single trial, which has no deviation
    for row in (2, 3):
        np.testing.assert_allclose(scaler.mean[row], responses[:20].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(scaler.scale[row], responses[:20].std(axis=0, ddof=1), rtol=1e-5)


def test_constant_voxel_stays_finite_and_nan_is_refused(tmp_path, rng):
    responses = rng.normal(size=(12, 7)).astype(np.float32)
    responses[:, 2] = 1e4
    store = store_of(tmp_path / "s.h5", responses, [1] * 12)
    scaled = TrialScaler.fit(store, np.arange(9)).transform(responses, store.session)
    np.testing.assert_allclose(scaled[:, 2], 0, atol=1e-3)
    responses[3, 5] = np.nan
    with pytest.raises(DataError, match=r"subject s: 1 features are not finite.*drop-bad-voxels"):
        TrialScaler.fit(store_of(tmp_path / "t.h5", responses, [1] * 12), np.arange(9))


def test_time_resolved_responses_are_standardised_per_channel(tmp_path, rng):
    responses = (rng.normal(size=(40, 7, 9)) * np.arange(1, 8)[:, None]).astype(np.float32)
    store = store_of(tmp_path / "s.h5", responses, [1] * 40)
    scaled = TrialScaler.fit(store, np.arange(40)).transform(responses, store.session)
    np.testing.assert_allclose(scaled.std(axis=(0, 2)), 1, rtol=1e-2)


def test_round_trip_through_a_checkpoint(tmp_path, rng):
    store = store_of(tmp_path / "s.h5", rng.normal(size=(12, 7)).astype(np.float32), [1, 2] * 6)
    scaler = TrialScaler.fit(store, np.arange(12))
    torch.save(scaler.state_dict(), tmp_path / "state.pt")
    again = TrialScaler.from_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    values = store.read(np.arange(12))
    np.testing.assert_array_equal(
        scaler.transform(values, store.session), again.transform(values, store.session)
    )
