"""Listening experiments in their published layouts, and files that do not keep to them."""

from __future__ import annotations

import h5py
import mne
import numpy as np
import pytest
from scipy.io import loadmat, savemat, wavfile

from neurodecode.auditory_trials import AuditoryTrial, blocks_of, sound_id
from neurodecode.datasets.auditory import AUDITORY
from neurodecode.datasets.auditory.base import BIOSEMI64
from neurodecode.datasets.mini.speech.simulate import SpeechOptions, simulate_speech
from neurodecode.errors import ConfigError, DataError
from neurodecode.preprocess.audio.features import SoundRecipe
from neurodecode.store.auditory import AuditoryStore, read_folder, write_auditory

RECIPE = SoundRecipe(sfreq=32.0)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """One listener, two pairs of stories of 8 s, one of them heard again by half."""
    return simulate_speech(
        tmp_path_factory.mktemp("mini") / "speech", SpeechOptions(1, 4, 1, 8.0, seed=2)
    )


def read(name, root, recipe=RECIPE):
    reader = AUDITORY[name](root)
    return [trial for subject in reader.subjects for trial in reader.trials(subject, recipe)]


def test_the_cap_is_that_of_mne():
    assert tuple(mne.channels.make_standard_montage("biosemi64").ch_names) == BIOSEMI64


def test_miniature_listeners_are_read_back_as_kul(world):
    trials = read("kul", world)
    assert [trial.n_times for trial in trials] == [256, 256, 256, 256, 128]
    assert trials[0].eeg.shape == (256, 64)
    assert trials[0].candidates.shape == (2, 256, 1)
    assert trials[0].gaze.shape == (256, 2)
    assert trials[0].channels == BIOSEMI64
    # candidates are ears; what is attended alternates, and changes once in the fourth trial
    assert [trial.story for trial in trials[:4]] == [
        ("part1_track1", "part1_track2"),
        ("part2_track1", "part2_track2"),
        ("part3_track2", "part3_track1"),
        ("part4_track2", "part4_track1"),
    ]
    assert [np.unique(trial.attended).tolist() for trial in trials[:3]] == [[0], [1], [1]]
    switch = np.flatnonzero(np.diff(trials[3].attended))
    assert len(switch) == 1
    assert 64 <= switch[0] <= 192
    assert {trial.condition for trial in trials} == {"gaze-follows", "gaze-balanced"}
    # the repetition is the same story, under the same name
    assert set(trials[4].story) == set(trials[0].story)
    assert trials[4].session == "3"


def test_what_is_heard_is_the_attended_candidate(world):
    trial = read("kul", world)[3]
    heard = trial.heard()
    for at in (10, 250):
        np.testing.assert_array_equal(heard[at], trial.candidates[trial.attended[at], at])


def test_stores_give_back_what_was_read(world, tmp_path):
    trials = read("kul", world)
    assert write_auditory(tmp_path / "sub-S1.h5", "mini-speech", trials, {"sfreq": 32}) == 5
    (store,) = read_folder(tmp_path)
    assert (store.dataset, store.subject, store.about) == ("mini-speech", "S1", {"sfreq": 32})
    for old, new in zip(trials, store.trials(), strict=True):
        np.testing.assert_array_equal(np.asarray(old.eeg), new.eeg[:])
        np.testing.assert_array_equal(old.candidates[:, 5:9], new.candidates[:, 5:9])
        for name in ("attended", "sfreq", "story", "sound", "talker", "direction", "condition"):
            assert np.array_equal(getattr(old, name), getattr(new, name)), name
    with pytest.raises(DataError, match="no store of S7"):
        read_folder(tmp_path, ["S7"])
    with pytest.raises(DataError, match="occurs twice"):
        write_auditory(tmp_path / "x.h5", "mini-speech", [trials[0], trials[0]], {})
    assert not (tmp_path / "x.h5").exists()
    with pytest.raises(DataError, match="not a store of auditory"):
        AuditoryStore(_other_store(tmp_path))


def _other_store(folder):
    import h5py

    with h5py.File(folder / "other.h5", "w") as file:
        file.attrs.update(kind="responses", format_version=1)
    return folder / "other.h5"


def _break(world, tmp_path, change):
    """The first trial of the world with something changed, as a set of its own."""
    trials = loadmat(world / "S1.mat", squeeze_me=True, struct_as_record=False)["trials"]
    first = trials[0]
    change(first)
    (tmp_path / "stimuli").symlink_to(world / "stimuli")
    cell = np.empty(1, dtype=object)
    cell[0] = first
    savemat(tmp_path / "S1.mat", {"trials": cell[None]})
    return tmp_path


def _without_label(trial):
    trial.attended_ear = np.array([])


def _without_names(trial):
    trial.RawData.Channels = trial.RawData.Channels[:60]


def _with_gap(trial):
    trial.RawData.EegData[300:340, 5] = np.nan


def _longer_than_the_sound(trial):
    trial.RawData.EegData = np.vstack([trial.RawData.EegData] * 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without_label, "trial 1: no attention label"),
        (_without_names, "60 channel names for 64 channels"),
        (_with_gap, r"channel F5: 40 samples in a row are not finite, from 2\.34 s"),
        (_longer_than_the_sound, r"16\.00 s of recording and 8\.00 s of sound"),
    ],
)
def test_broken_trials_are_named(world, tmp_path, change, message):
    root = _break(world, tmp_path, change)
    with pytest.raises(DataError, match=message):
        read("kul", root)


def test_short_gaps_are_bridged_and_counted(world, tmp_path):
    def change(trial):
        trial.RawData.EegData[300:305, 5] = np.nan

    (trial,) = read("kul", _break(world, tmp_path, change))
    assert trial.info == {"n_mended": 5}
    assert np.isfinite(trial.eeg).all()


def test_a_folder_without_recordings_says_where_to_get_them(tmp_path):
    for name in AUDITORY:
        with pytest.raises(DataError, match="no subject found; "):
            AUDITORY[name](tmp_path)
    (tmp_path / "S1.mat").write_bytes(b"MATLAB 7.3 perhaps")
    with pytest.raises(DataError, match=r"S1\.mat.*not a readable MATLAB file"):
        read("kul", tmp_path)


def test_dtu_as_recorded(tmp_path, rng):
    (tmp_path / "EEG").mkdir()
    (tmp_path / "AUDIO").mkdir()
    for talker in ("aske", "marie"):
        sound = (3000 * rng.standard_normal(11025 * 4)).astype(np.int16)
        wavfile.write(tmp_path / "AUDIO" / f"{talker}_story1_trial_1.wav", 11025, sound)
    rows = np.zeros(2, dtype=[(name, object) for name in (
        "attend_mf", "attend_lr", "acoustic_condition", "n_speakers", "trigger",
        "wavfile_male", "wavfile_female")])  # fmt: skip
    rows[0] = (2, 1, 3, 2, 191, "aske_story1_trial_1.wav", "marie_story1_trial_1.wav")
    rows[1] = (1, np.nan, 1, 1, 192, "aske_story1_trial_1.wav", np.zeros((0, 0)))
    cell = np.empty(1, dtype=object)
    cell[0] = rng.normal(size=(6000, 73))
    values = np.empty(4, dtype=object)
    values[:] = [191, 255, 192, 255]
    event = {"eeg": {"sample": np.array([101, 2149, 3001, 5049]), "value": values[None]}}
    data = {"eeg": cell[None], "fsample": {"eeg": 512.0}, "event": event}
    savemat(tmp_path / "EEG" / "S3.mat", {"data": data, "expinfo": rows})
    first, second = read("dtu-raw", tmp_path)
    assert (first.n_times, first.n_candidates, second.n_candidates) == (128, 2, 1)
    assert (first.talker, first.direction, set(first.attended)) == (
        ("male", "female"), ("right", "left"), {1},
    )  # fmt: skip
    assert first.condition == "room 3"
    assert first.story == ("aske_story1", "marie_story1")
    rows["trigger"][1] = 7
    savemat(tmp_path / "EEG" / "S3.mat", {"data": data, "expinfo": rows})
    with pytest.raises(DataError, match="trigger 192 was recorded, the list says 7"):
        read("dtu-raw", tmp_path)
    savemat(tmp_path / "EEG" / "S3.mat", {"data": data, "expinfo": np.zeros(3)})
    with pytest.raises(DataError, match="table2struct"):
        read("dtu-raw", tmp_path)


def test_dtu_preprocessed_swaps_streams_and_keeps_the_attended_one(tmp_path, rng):
    def cells(shape):
        out = np.empty(3, dtype=object)
        out[:] = [rng.normal(size=shape) for _ in range(3)]
        return out[None]

    values = np.empty(3, dtype=object)
    values[:] = [1, 2, 2]
    heard = cells((192, 1))
    data = {"eeg": cells((192, 66)), "wavA": heard, "wavB": cells((192, 1)),
            "fsample": {"eeg": 64.0}, "event": {"eeg": {"value": values[None]}}}  # fmt: skip
    savemat(tmp_path / "S2_data_preproc.mat", {"data": data})
    trials = read("dtu-preprocessed", tmp_path, SoundRecipe(low_hz=None, high_hz=None))
    assert [int(trial.attended[0]) for trial in trials] == [0, 1, 0]
    assert [trial.talker for trial in trials] == [
        ("male", "female"), ("male", "female"), ("female", "male"),
    ]  # fmt: skip
    for number, trial in enumerate(trials):
        r = np.corrcoef(trial.heard()[:, 0], heard[0, number][:, 0])[0, 1]
        assert r > 0.999


def test_sparrkulee(tmp_path, rng):
    for part, n in (("train", 640), ("val", 80)):
        for feature, width in (("eeg", 64), ("envelope", 1), ("mel", 10)):
            name = f"{part}_-_sub-002_-_podcast_1_-_{feature}.npy"
            np.save(tmp_path / name, rng.normal(size=(n, width)))
    trials = read("sparrkulee", tmp_path, SoundRecipe(("gammatone", "mel")))
    assert [trial.session for trial in trials] == ["train", "val"]
    assert trials[0].candidates.shape == (1, 640, 11)
    assert trials[0].story == trials[1].story == ("podcast_1",)
    (tmp_path / "val_-_sub-002_-_podcast_1_-_mel.npy").unlink()
    with pytest.raises(DataError, match=r"podcast_1_-_mel\.npy, .*: file is missing"):
        read("sparrkulee", tmp_path, SoundRecipe(("mel",)))
    with pytest.raises(DataError, match="feature onset is not published"):
        read("sparrkulee", tmp_path, SoundRecipe(("onset",)))


def test_nju(tmp_path, rng):
    row = np.dtype([(name, object) for name in ("l_audio", "r_audio", "attended_lr")])
    listed = np.array([("a1.wav", "b7.wav", "right"), ("c2.wav", "d9.wav", "left")], dtype=row)
    everyone = np.empty(2, dtype=object)
    everyone[:] = [np.empty((0, 0)), listed]
    savemat(tmp_path / "expinfomat_python_readable.mat", {"expinfomat_struct": everyone})
    eeg, left = rng.standard_normal((2, 640, 9)), rng.standard_normal((2, 660))
    with h5py.File(tmp_path / "S02.mat", "w") as file:
        content = {"eeg": [each.T for each in eeg], "leftEnv": left[:, None],
                   "rightEnv": -left[:, None]}  # fmt: skip
        for name, values in content.items():
            cells = file.create_dataset(f"data/{name}", (2, 1), dtype=h5py.ref_dtype)
            for number, value in enumerate(values):
                cells[number, 0] = file.create_dataset(f"#refs#/{name}{number}", data=value).ref
            file[f"data/fsample/{name}"] = np.array([[64.0]])
    plain = SoundRecipe(low_hz=None, high_hz=None, reference="none")
    trials = read("nju", tmp_path, plain)
    assert [trial.attended[0] for trial in trials] == [1, 0]
    assert trials[0].story == ("a1.wav", "b7.wav")
    assert trials[0].eeg.shape == (640, 9)
    np.testing.assert_allclose(trials[1].eeg, eeg[1] / eeg[1].std(), rtol=1e-5)
    np.testing.assert_allclose(trials[1].candidates[0], -trials[1].candidates[1], atol=1e-6)
    heard = trials[0].candidates[0, :, 0]
    assert np.corrcoef(heard, left[0, :640])[0, 1] > 0.999
    with pytest.raises(DataError, match="feature mel is not published"):
        read("nju", tmp_path, SoundRecipe(("mel",)))
    listed["attended_lr"][1] = "both"
    savemat(tmp_path / "expinfomat_python_readable.mat", {"expinfomat_struct": everyone})
    with pytest.raises(DataError, match=r"S02\.mat.*trial 2: no attention label \(both\)"):
        read("nju", tmp_path, plain)


def test_own_recordings_through_mne(tmp_path, rng):
    info = mne.create_info(["A", "B", "C", "EOG1"], 100.0, ["ecog", "ecog", "seeg", "eog"])
    raw = mne.io.RawArray(1e-5 * rng.normal(size=(4, 1000)), info, verbose="ERROR")
    raw.info["bads"] = ["B"]
    raw.save(tmp_path / "one_raw.fif", verbose="ERROR")
    for name in ("x.wav", "y.wav"):
        sound = (3000 * rng.standard_normal(44100)).astype(np.int16)
        wavfile.write(tmp_path / name, 11025, sound)
    head = "subject\tfile\tonset_s\tduration_s\tattended\tsound_1\tsound_2\ttalker_1\ttalker_2\n"
    table = tmp_path / "trials.tsv"
    table.write_text(head + "P1\tone_raw.fif\t2.0\t4.0\t2\tx.wav\ty.wav\tann\tbob\n")
    (trial,) = read("raw-trials", tmp_path)
    assert (trial.channels, trial.talker, trial.n_times) == (("A", "C"), ("ann", "bob"), 128)
    assert set(trial.attended) == {1}
    assert trial.gaze.shape == (128, 1)
    table.write_text(head + "P1\tone_raw.fif\t8.0\t4.0\t2\tx.wav\ty.wav\tann\tbob\n")
    with pytest.raises(DataError, match=r"ends at 12\.00 s, the recording at 10\.00 s"):
        read("raw-trials", tmp_path)
    table.write_text(head + "P1\tone_raw.fif\t2.0\t4.0\tn/a\tx.wav\ty.wav\tann\tbob\n")
    with pytest.raises(DataError, match=r"no attention label \(nan\)"):
        read("raw-trials", tmp_path)
    table.write_text(head + "P1\tone.nwb\t2.0\t4.0\t1\tx.wav\ty.wav\tann\tbob\n")
    (tmp_path / "one.nwb").write_bytes(b"x")
    with pytest.raises(DataError, match="MNE does not read NWB"):
        read("raw-trials", tmp_path)


@pytest.mark.realdata
def test_every_dtu_file_holds_the_same_sound(real_data):
    reader = AUDITORY["dtu"](real_data / "dtu_speech_eeg")
    assert reader.subjects == ["S1", "S2", "S3"]
    trials = [trial for subject in ("S1", "S3") for trial in reader.trials(subject, SoundRecipe())]
    assert len(trials) == 8
    assert trials[0].eeg.shape == (3200, 64)
    assert len({trial.sound for trial in trials}) == 1


def test_pickled_arrays_are_not_opened(tmp_path):
    np.savez(tmp_path / "DTU_S1_000.npz", eeg=np.array([{}], dtype=object), envelope=np.ones(3))
    with pytest.raises(DataError, match="not a readable file of arrays"):
        read("dtu", tmp_path)


def plain_trial(**change):
    values = {
        "subject": "S1", "trial": "1", "eeg": np.ones((80, 3)), "candidates": np.ones((2, 80, 1)),
        "attended": np.zeros(80, int), "sfreq": 8.0, "channels": ("a", "b", "c"),
        "sound": ("x", "y"), "story": ("", ""), "talker": ("", ""),
    }  # fmt: skip
    return AuditoryTrial(**values | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eeg": np.ones((79, 3))}, "79 samples of brain and 80 of sound"),
        ({"attended": np.full(80, 2)}, "label 2 to 2 for 2 candidates"),
        ({"attended": np.zeros(7)}, "labels for 80 samples"),
        ({"channels": ("a",)}, "1 names for 3 channels"),
        ({"story": ("x",)}, "1 entries for 2 candidates"),
        ({"gaze": np.ones((70, 2))}, "70 samples, the brain has 80"),
    ],
)
def test_trials_that_do_not_fit_together(change, message):
    with pytest.raises(DataError, match=message):
        plain_trial(**change)


def test_blocks_have_gaps_and_sounds_of_their_own(rng):
    trial = plain_trial(candidates=rng.normal(size=(2, 80, 1)))
    first, second = (blocks[0] for blocks in blocks_of([trial], 2, gap_s=1.0))
    assert (first.n_times, second.n_times, second.start_s) == (36, 36, 5.5)
    assert first.source == second.source == "1"
    assert not set(first.sound) & set(second.sound)
    np.testing.assert_array_equal(second.candidates, trial.candidates[:, 44:])
    assert sound_id(3 * trial.candidates[0] + 1) == sound_id(trial.candidates[0])
    with pytest.raises(DataError, match="too short for 8 blocks"):
        blocks_of([trial], 8, 1.0)


def test_worlds_that_cannot_be(tmp_path):
    with pytest.raises(ConfigError, match="even number of trials"):
        SpeechOptions(trials=3)
    with pytest.raises(ConfigError, match="9 repeats of 4 trials"):
        SpeechOptions(trials=4, repeats=9)
