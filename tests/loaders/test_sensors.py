"""Time series in the DataModule: alone, and in one batch with fMRI."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from decoding_world import N_VOXELS
from sensor_world import EEG, MEG, N_TIMES, REPEATS, SFREQ, TOKENS, make_sensor_world

from neurodecode.context import SensorArray
from neurodecode.errors import ConfigError, LeakError
from neurodecode.loaders import ResponseDataModule
from neurodecode.loaders.rows import repeat_groups
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.store import ResponseStore


@pytest.fixture(scope="module")
def sensors(tmp_path_factory):
    return make_sensor_world(tmp_path_factory.mktemp("sensors"))


def test_sizes_of_every_subject(sensors):
    context = ResponseDataModule(**sensors.of(sensors.eeg)).context
    assert context.n_features == EEG
    assert context.n_times == dict.fromkeys(EEG, N_TIMES)
    assert context.modality == dict.fromkeys(EEG, "eeg")
    array = context.inputs()["d.2"]
    assert isinstance(array, SensorArray)
    assert (array.n_channels, array.n_times, array.sfreq) == (9, N_TIMES, SFREQ)
    written = ResponseStore(sensors.eeg / "sub-d.2.h5").feature("position")
    np.testing.assert_allclose(array.positions[:-1], written[:-1], atol=1e-6)
    assert array.positions[-1] is None


def test_three_modalities_in_one_batch(sensors):
    folders = (sensors.root / "stores", sensors.meg, sensors.eeg)
    data = ResponseDataModule(**sensors.of(*folders) | {"batch_size": 21})
    names = [f"stores:{n}" for n in N_VOXELS] + [f"tiny-meg:{n}" for n in MEG]
    names += [f"tiny-eeg:{n}" for n in EEG]
    assert list(data.context.n_features) == names
    assert data.context.modality["tiny-meg:01"] == "meg"
    assert data.context.inputs()["stores:b"] == 9
    batch = next(iter(data.train_dataloader()))
    shapes = {name: tuple(part.shape) for name, part in batch["responses"].items()}
    assert shapes["stores:c"] == (3, 11)
    assert shapes["tiny-eeg:d.2"] == (3, 9, N_TIMES)
    assert batch["targets"]["tokens"].shape == (21, *TOKENS)


def test_what_one_data_set_holds_out_is_trained_on_in_none(sensors):
    data = ResponseDataModule(**sensors.of(sensors.meg, sensors.eeg))
    held_out, tested = set(), set()
    for split in data.recordings.splits.values():
        held_out |= {*split.folds[0].validation, *split.folds[0].test}
        tested |= set(split.folds[0].test)
    trained = {s for rows in data.rows("train").values() for s in rows.stimulus}
    assert trained
    assert not trained & held_out
    assert not tested & {s for rows in data.rows("validation").values() for s in rows.stimulus}
    # alone, the EEG does train on pictures that the MEG holds out
    alone = ResponseDataModule(**sensors.of(sensors.eeg))
    assert held_out & {s for rows in alone.rows("train").values() for s in rows.stimulus}
    with pytest.raises(ConfigError, match="this takes one data set, not 2"):
        _ = data.split
    assert data.fingerprint != alone.fingerprint


def test_channels_are_standardised_and_cut_off(sensors):
    data = ResponseDataModule(**sensors.of(sensors.meg), clamp=1.5)
    batch = next(iter(data.val_dataloader()))
    store = ResponseStore(sensors.meg / "sub-01.h5")
    values = store.read(np.arange(store.n_trials)).astype(float)
    train = np.isin(store.stimulus_id, data.split.folds[0].train)
    scaled = np.empty_like(values)
    for session in (1, 2):
        own = store.session == session
        fit = values[own & train]
        deviation = fit.transpose(1, 0, 2).reshape(8, -1).std(axis=1, ddof=1)
        scaled[own] = (values[own] - fit.mean(axis=(0, 2))[:, None]) / deviation[:, None]
    own = np.flatnonzero(store.stimulus_id == data.stimuli[batch["stimulus"][2]])
    expected = scaled[own].clip(-1.5, 1.5).mean(axis=0)
    assert (np.abs(scaled[own]) > 1.5).any()
    np.testing.assert_allclose(batch["responses"]["01"][2], expected, rtol=1e-4, atol=1e-5)
    # and travels with the statistics
    again = TrialScaler.from_state_dict(data.state_dict()["scalers"]["01"])
    assert again.clamp == 1.5


def test_predicting_single_trials_and_pairs(sensors):
    assert repeat_groups((3, 5, 8, 9, 11), 2) == [(3, 5), (8, 9)]
    assert repeat_groups((3, 5), 4) == [(3, 5)]
    one = ResponseDataModule(**sensors.of(sensors.meg), predict_repeats=1, subjects=["01"])
    batches = list(one.predict_dataloader())
    trials = torch.cat([batch["trial"] for batch in batches]).tolist()
    assert len(set(trials)) == len(trials) == 9 * REPEATS
    assert set(torch.cat([batch["n_averaged"] for batch in batches]).tolist()) == {1}
    ids = [one.stimuli[row] for batch in batches for row in batch["stimulus"]]
    np.testing.assert_array_equal(one.stores["01"].stimulus_id[trials], ids)


def test_subject_who_is_left_out(sensors):
    data = ResponseDataModule(**sensors.of(sensors.meg), leave_out=["02"])
    assert all(set(batch["responses"]) == {"01"} for batch in data.train_dataloader())
    assert all(set(batch["responses"]) == {"01"} for batch in data.val_dataloader())
    assert all(set(batch["responses"]) == {"02"} for batch in data.predict_dataloader())
    assert next(iter(data.train_dataloader()))["responses"]["01"].shape[0] == 12
    state = data.state_dict()
    everybody = ResponseDataModule(**sensors.of(sensors.meg)).state_dict()
    data.load_state_dict(state)
    with pytest.raises(LeakError, match="leave_out names 02, whom the checkpoint was trained on"):
        data.load_state_dict(everybody)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"leave_out": ["07"]}, "leave_out names 07; known: 01, 02"),
        ({"leave_out": ["01", "02"]}, "leaves nobody to train on"),
        ({"clamp": 0.0}, r"clamp is 0\.0; give a positive number"),
        ({"predict_repeats": 0}, "predict_repeats is 0"),
    ],
)
def test_options_that_make_no_sense(sensors, options, message):
    with pytest.raises(ConfigError, match=message):
        ResponseDataModule(**sensors.of(sensors.meg), **options)
