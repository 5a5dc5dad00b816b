"""Every registered reader keeps the one contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dataset_worlds import write_algonauts2023, write_bids, write_haxby, write_nsd, write_v4
from meeg_worlds import (
    write_bids_meeg,
    write_epochs,
    write_n170,
    write_things_eeg2,
    write_things_meg,
)

from neurodecode.datasets import DATASETS, load
from neurodecode.datasets.prepare import PrepareOptions, prepare
from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.recipe import Recipe
from neurodecode.recording import content_id
from neurodecode.splits import SCHEMES, check, read_split
from neurodecode.store import ResponseStore, read_stimuli

#: Runs of the tiny worlds are shorter than a filter from .1 Hz.
SHORT = Recipe(notch_hz=(50.0,), low_hz=0.5, sfreq_hz=100.0, tmax_s=0.6)
OPTIONS = {
    "bids-betas": {"image_size": 8},
    "mini-meg": {"recipe": replace(SHORT, bad_channels="keep")},  # field maps take seconds
    "mini-eeg": {"recipe": SHORT},
    "haxby2001-series": {"regions": 5},
}
WRITERS = {
    "algonauts2023": write_algonauts2023,
    "v4": write_v4,
    "haxby2001": write_haxby,
    "haxby2001-series": write_haxby,
    "nsd": write_nsd,
    "bids-betas": write_bids,
    "n170": write_n170,
    "epochs": write_epochs,
    "bids-meeg": write_bids_meeg,
    "things-meg": write_things_meg,
    "things-eeg2": write_things_eeg2,
}


@pytest.fixture(params=sorted(DATASETS))
def world(request, tmp_path, rng, mini_root, meeg_roots):
    """Name, folder and options of each data set."""
    name, root = request.param, tmp_path / "raw"
    simulated = {"mini-fmri": mini_root, **meeg_roots}
    if name in simulated:
        root.symlink_to(simulated[name])
    else:
        root.mkdir()
        # a new data set must come with a world: KeyError here is a failing completeness test
        WRITERS[name](root, rng)
    return name, root, OPTIONS.get(name, {})


def test_reader_describes_itself(world):
    name, _, _ = world
    reader = DATASETS[name]
    assert reader.name == name
    assert reader.split_scheme in SCHEMES
    for text in (reader.summary, reader.licence, reader.how_to_get, reader.looked_for()):
        assert len(text) > 10
        assert "\n" not in text


def test_recordings_fit_their_stimuli(world):
    name, root, options = world
    reader = load(name, root, **options)
    assert list(reader.subjects) == sorted(reader.subjects)
    stimuli = reader.stimuli()
    for subject in reader.subjects:
        recording = reader.recording(subject)
        assert recording.subject == subject
        assert recording.units
        assert recording.n_trials > 1
        everything = recording.responses[:]
        assert everything.shape == recording.responses.shape
        assert np.isfinite(everything).all()
        # lazily readable in slices, in any order
        assert np.array_equal(recording.responses[1:3], everything[1:3])
        assert np.array_equal(recording.responses[:2], everything[:2])
        assert len(recording.session) == len(recording.run) == recording.n_trials
        assert min(recording.session) >= 1
        assert all(source.file for source in recording.sources)
        if stimuli is not None:
            rows = stimuli.rows(list(recording.stimulus_id))
            assert stimuli.images[rows[:2]].dtype == np.uint8
    if stimuli is not None and "image_size" not in options:
        assert [content_id(image) for image in stimuli.images[:]] == list(stimuli.ids)


def test_subset_of_subjects_has_only_their_stimuli(world):
    name, root, options = world
    reader = load(name, root, **options)
    subject = reader.subjects[-1]
    stimuli = reader.stimuli([subject])
    if stimuli is not None:
        assert set(stimuli.ids) == set(reader.recording(subject).stimulus_id)


def test_prepare_writes_what_the_reader_reads(world, tmp_path):
    name, root, options = world
    reader = load(name, root, **options)
    out = tmp_path / "stores"
    found = prepare(reader, out, PrepareOptions(n_folds=2, val_share=0.2, drop_bad_voxels=True))
    stores = {subject: ResponseStore(out / f"sub-{subject}.h5") for subject in reader.subjects}
    expected = {f"sub-{subject}.h5" for subject in reader.subjects} | {"splits.json"}
    has_pictures = reader.stimuli() is not None
    if has_pictures:
        expected.add("stimuli.h5")
    assert {file.name for file in out.iterdir()} == expected
    for subject, store in stores.items():
        recording = reader.recording(subject)
        assert store.dataset == name
        assert list(store.stimulus_id) == list(recording.stimulus_id)
        kept = store.n_features == recording.n_features
        assert kept or found.dropped[subject] == recording.n_features - store.n_features
        if reader.recipe is not None and reader.recipe.is_fitted:
            assert store.info["preprocess"]["fitted"]["n_training_trials"] > 0
        elif kept:
            trials = np.array([1, 0])
            expected_values = recording.responses[:2][::-1].astype(np.float32)
            assert np.array_equal(store.read(trials), expected_values)
    split = read_split(out / "splits.json")
    stimuli = read_stimuli(out / "stimuli.h5") if has_pictures else None
    check(split, stores, stimuli)
    assert split.info["dataset"] == name


def test_unknown_subject_lists_the_known_ones(world):
    name, root, options = world
    reader = load(name, root, **options)
    for ask in (reader.recording, lambda subject: reader.stimuli([subject])):
        with pytest.raises(DataError, match=f"unknown subject; known: {reader.subjects[0]}"):
            ask("99")


def test_another_folder_is_refused_with_how_to_get_it(world, tmp_path):
    name, _, _ = world
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=f"not the layout of {name}") as caught:
        load(name, tmp_path / "empty")
    assert DATASETS[name].how_to_get in str(caught.value)


def test_data_set_is_found_from_the_folder_above(world, tmp_path):
    name, root, _ = world
    assert DATASETS[name].find(root) == root
    assert DATASETS[name].find(root.parent) == root
    others = {other: reader.find(root.parent) for other, reader in DATASETS.items()}
    # the time series of a data set lie in its own folder
    found = {other.removesuffix("-series") for other, path in others.items() if path is not None}
    assert found == {name.removesuffix("-series")}


def test_unknown_data_set_and_unknown_option_are_refused(tmp_path):
    with pytest.raises(
        ConfigError, match="unknown data set 'nsdd'; known: algonauts2023, bids-betas"
    ):
        load("nsdd", tmp_path)
    with pytest.raises(ConfigError, match=r"data set v4: .*unexpected keyword argument 'colour'"):
        load("v4", tmp_path, colour="red")
