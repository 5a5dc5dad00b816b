"""What is particular about each published MEG and EEG layout."""

from __future__ import annotations

import os
import pickle

import mne
import numpy as np
import pandas as pd
import pytest
from meeg_worlds import write_epochs, write_n170, write_things_eeg2, write_things_meg

from neurodecode.datasets import load
from neurodecode.datasets.pickles import read_array_dict
from neurodecode.datasets.things_meg import ThingsMeg
from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.recipe import Recipe


def test_n170_markers_are_houses_and_faces(tmp_path, rng):
    write_n170(tmp_path, rng)
    recording = load("n170", tmp_path).recording("1")
    file = sorted(tmp_path.rglob("*.csv"))[1]
    table = pd.read_csv(file)
    kinds = {1: "house", 2: "face"}
    # the sixth trial of each run is an artefact of 400 uV
    expected = [kinds[k] for k in table.Marker0[table.Marker0 > 0]]
    assert recording.stimulus_id[recording.run == 2].tolist() == expected[:5] + expected[6:]
    assert recording.info["preprocess"]["rejected"] == {"eeg above 0.00015": 3}
    assert recording.info["preprocess"]["n_events"] == 27
    assert recording.features["name"].tolist() == ["TP9", "AF7", "AF8", "TP10"]
    assert recording.units == "V"
    assert np.isfinite(recording.features["position"]).all()
    assert recording.responses.shape[2] == 26 + 205 + 1


def test_things_meg_takes_onsets_from_the_triggers(tmp_path, rng):
    write_things_meg(tmp_path, rng)
    reader = load("things-meg", tmp_path)
    recording = reader.recording("1")
    # 4 of 6 concepts are only in exp trials, one of the 3 test concepts (dog) is in both
    assert recording.n_trials == 2 * (6 + 3)
    test = reader.test_stimuli()
    assert len(test) == 3
    kept = load("things-meg", tmp_path, zero_shot="no").recording("1")
    assert kept.n_trials == 2 * (8 + 3)
    stimuli = reader.stimuli()
    categories = dict(zip(stimuli.ids, stimuli.categories, strict=True))
    assert {categories[each] for each in test} == {"dog", "eel", "fox"}
    assert "dog" not in {categories[each] for each in set(stimuli.ids) - test}
    table = pd.read_csv(tmp_path / "sourcedata/sample_attributes_P1.csv")
    shown = table[(table.session_nr == 2) & (table.trial_type != "catch")]
    paths = [path for path, kind in zip(shown.image_path, shown.trial_type, strict=True)
             if kind == "test" or "dog" not in path]  # fmt: skip
    names = dict(zip(stimuli.ids, stimuli.names, strict=True))
    assert [names[each] for each in recording.stimulus_id[recording.session == 2]] == paths


def test_things_meg_published_epochs(tmp_path, rng):
    write_things_meg(tmp_path, rng)
    n = len(pd.read_csv(tmp_path / "sourcedata/sample_attributes_P1.csv"))
    info = mne.create_info(["MLC1", "MLC2", "MLC3"], 200.0, "mag")
    epochs = mne.EpochsArray(
        rng.standard_normal((n, 3, 29)), info, tmin=-0.1, verbose="ERROR",
        metadata=pd.DataFrame({"image_nr": np.arange(n)}),
    )  # fmt: skip
    (tmp_path / "derivatives/preprocessed").mkdir(parents=True)
    epochs.save(tmp_path / "derivatives/preprocessed/preprocessed_P1-epo.fif", verbose="ERROR")
    reader = load("things-meg", tmp_path, version="preprocessed")
    assert reader.recipe is None
    recording = reader.recording("1")
    assert recording.responses.shape == (18, 3, 29)
    assert recording.info["tmin"] == pytest.approx(-0.1)
    assert recording.units == "baseline standard deviations"
    kind = reader._trials("1").used(zero_shot=True)
    expected = epochs.get_data()[np.flatnonzero(kind)]
    np.testing.assert_allclose(recording.responses[:], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(recording.responses[[7, 2]], recording.responses[:][[7, 2]])
    with pytest.raises(ConfigError, match="take no recipe"):
        ThingsMeg(tmp_path, version="preprocessed", recipe=Recipe())


def test_things_meg_triggers_and_table_disagree(tmp_path, rng):
    write_things_meg(tmp_path, rng)
    table = tmp_path / "sourcedata/sample_attributes_P1.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:5] + lines[6:]))
    with pytest.raises(DataError, match=r"12 triggers for 11 trials of session 1, run 1.*trial 12"):
        load("things-meg", tmp_path).recording("1")
    table.unlink()
    (table.parent / "sample_attributes_P2.csv").write_text(lines[0])
    with pytest.raises(DataError, match="subject 1: subject is missing from the metadata"):
        load("things-meg", tmp_path).recording("1")


@pytest.mark.parametrize("version", ["published", "nice"])
def test_things_eeg2_both_kinds_of_pickle(tmp_path, rng, version):
    write_things_eeg2(tmp_path, rng, version=version)
    reader = load("things-eeg2", tmp_path)
    recording = reader.recording("01")
    assert recording.responses.shape == (6 * 2 + 3 * 3, 5, 21)
    assert recording.sfreq == 20.0
    assert recording.info["tmin"] == pytest.approx(-0.2)
    content = read_array_dict(tmp_path / "sub-01/preprocessed_eeg_test.npy")
    data = content["preprocessed_eeg_data"]
    np.testing.assert_allclose(recording.responses[12 + 4], data[1, 1], rtol=1e-6)
    assert recording.stimulus_id[12 + 4] in reader.test_stimuli()
    stimuli = reader.stimuli()
    row = stimuli.rows([recording.stimulus_id[3]])[0]
    assert stimuli.names[row] == "training_images/00001_ax/a_1.jpg"
    assert stimuli.categories[row] == "ax"
    assert np.isfinite(recording.features["position"]).all()


def test_things_eeg2_targets_are_no_trials(tmp_path, rng):
    write_things_eeg2(tmp_path, rng)
    reader = load("things-eeg2", tmp_path)
    recording = reader.recording("01")
    assert recording.info["preprocess"]["n_events"] == 2 * (6 * 2 + 3 * 3)
    assert np.bincount(recording.session).tolist() == [0, 21, 21]
    assert reader.recipe.whiten == "epochs"


class _Bomb:
    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("bare", [True, False])
def test_pickles_that_run_code_are_refused_before_they_do(tmp_path, bare):
    file, content = tmp_path / "x.npy", {"times": _Bomb(tmp_path / "bomb")}
    if bare:
        file.write_bytes(pickle.dumps(content, protocol=4))
    else:
        np.save(file, content, allow_pickle=True)
    with pytest.raises(DataError, match=r"x.npy: file asks for \w+.mkdir, which is neither"):
        read_array_dict(file)
    assert not (tmp_path / "bomb").exists()


def test_pickles_that_are_cut_off(tmp_path):
    file = tmp_path / "x.npy"
    np.save(file, {"a": np.arange(400.0)}, allow_pickle=True)
    file.write_bytes(file.read_bytes()[:600])
    with pytest.raises(DataError, match="truncated or damaged"):
        read_array_dict(file)
    np.save(file, np.arange(3.0))
    with pytest.raises(DataError, match="expected a dict, found an array of shape"):
        read_array_dict(file)


def test_epochs_of_several_subjects_in_one_file(tmp_path, rng):
    write_epochs(tmp_path, rng)
    by_name = load("epochs", tmp_path)
    assert by_name.subjects == ["a", "b"]
    assert by_name.recording("a").n_trials == 26
    assert by_name.recording("a").session.tolist() == [1] * 13 + [2] * 13
    by_column = load("epochs", tmp_path, subject="who")
    assert by_column.recording("b").responses.shape == (13, 5, 31)
    np.testing.assert_array_equal(
        by_column.recording("b").responses[:], by_name.recording("b").responses[:]
    )
    with pytest.raises(DataError, match="subject c, field who: subject is missing from the meta"):
        by_column.recording("c")
    with pytest.raises(DataError, match="field what: metadata has no such column"):
        load("epochs", tmp_path, stimulus="what").recording("a")


def test_epochs_split_into_files_of_which_one_is_absent(tmp_path, rng):
    write_epochs(tmp_path, rng, n=9000, split_size="3MB")
    part = tmp_path / "sub-a_ses-1-epo-1.fif"
    assert load("epochs", tmp_path).recording("a").n_trials == 18000
    part.unlink()
    with pytest.raises(DataError, match=r"sub-a_ses-1-epo.fif: a part of this split recording"):
        load("epochs", tmp_path).recording("a")
