"""Broken MEG and EEG through `neurodecode prepare`: one line, exit code 2, nothing written."""

from __future__ import annotations

import mne
import pytest
from meeg_worlds import (
    continuous,
    save,
    write_bids_meeg,
    write_epochs,
    write_n170,
    write_things_eeg2,
)

from neurodecode.cli import main
from neurodecode.store import ResponseStore

STEM = "sub-07/ses-b/meg/sub-07_ses-b_task-look_run-1"


def prepare(name, root, out, *words):
    options = ["--n-folds", 2] if name != "n170" else ["--val-share", 0]
    return ["prepare", "--dataset", name, "--root", root, "--out", out / "stores", *options, *words]


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe; fields that matter for speed and length are set unless they are given."""

    def write(text: str = "") -> str:
        file = tmp_path / "recipe.yaml"
        plain = {"scale": "null", "clamp": "null"}
        lines = [f"{name}: {value}" for name, value in plain.items() if name not in text]
        file.write_text("\n".join([*lines, text]))
        return str(file)

    return write


def triggers(root, change):
    """Rewrite the trigger channel of the second recording."""
    file = root / f"{STEM}_meg.fif"
    raw = mne.io.read_raw_fif(file, preload=True, verbose="ERROR")
    change(raw._data[-1])
    save(raw, file)


def test_the_world_is_healthy(root, out, rng):
    write_bids_meeg(root, rng)
    command = prepare("bids-meeg", root, out, "--option", "stim_channel=STI 014")
    assert main([*map(str, command), "--quiet"]) == 0
    store = ResponseStore(out / "stores" / "sub-07.h5")
    assert store.shape == (18, 4, 161)
    assert store.modality == "meg"


def test_recording_without_triggers(root, out, rng, refuse):
    write_bids_meeg(root, rng)
    triggers(root, lambda channel: channel.fill(0))
    command = prepare("bids-meeg", root, out, "--option", "stim_channel=STI 014")
    refuse(command, f"{STEM}_meg.fif, subject 07", "recording has no triggers: channel STI 014")


def test_trigger_channel_that_is_not_there(root, out, rng, refuse):
    write_bids_meeg(root, rng)
    command = prepare("bids-meeg", root, out, "--option", "stim_channel=STI101")
    refuse(command, "recording has no trigger channel STI101 (found: STI 014)")


def test_triggers_that_do_not_match_the_table(root, out, rng, refuse):
    write_bids_meeg(root, rng)

    def change(channel):
        channel[200 + 500 * 3 :][:3] = 44

    triggers(root, change)
    command = prepare("bids-meeg", root, out, "--option", "stim_channel=STI 014")
    refuse(command, "10 triggers for 10 events in", "first mismatch: event 4 is 44, the table says")
    triggers(root, lambda channel: channel[200 + 500 * 9 :].fill(0))
    refuse(command, "9 triggers for 10 events in")


def test_channels_unknown_to_the_montage(root, out, rng, refuse):
    write_things_eeg2(root, rng)
    import numpy as np

    file = root / "sub-01/ses-02/raw_eeg_test.npy"
    content = np.load(file, allow_pickle=True).item()
    content["ch_names"] = ["Pz", "E1", "Oz", "E2", "P3", "stim"]
    np.save(file, content, allow_pickle=True)
    command = prepare("things-eeg2", root, out)
    refuse(command, str(file), "2 of 5 channel names are unknown to the montage", "E1, E2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("low_hz: null\ntmax_s: 60", ("epochs of 60.2 s are longer than the recording of 36 s",)),
        ("high_hz: 90", ("sampled at 160 Hz", "the recipe filters at 90 Hz", "field high_hz")),
        ("low_hz: 0.05", ("recording of 36.0 s is shorter than the filter of 66.0 s",)),
        ("reject: {mag: 1e-15}", ("no epoch is left (18 mag above 1e-15)",)),
        ("scale: robust", ("which differ between the 2 folds of this split; choose one with",)),
    ],
)
def test_recipes_that_a_recording_does_not_allow(text, says, root, out, rng, refuse, recipe):
    write_bids_meeg(root, rng)
    refuse(prepare("bids-meeg", root, out, "--recipe", recipe(text)), *says)


def test_one_fold_can_be_scaled(root, out, rng, recipe):
    write_bids_meeg(root, rng)
    command = prepare("bids-meeg", root, out, "--recipe", recipe("scale: robust"), "--fold", 1)
    assert main([*map(str, command), "--quiet"]) == 0
    assert ResponseStore(out / "stores" / "sub-07.h5").units == "interquartile ranges"


def test_subject_missing_from_the_metadata(root, out, rng, refuse):
    write_bids_meeg(root, rng)
    (root / "participants.tsv").write_text("participant_id\nsub-08\n")
    command = prepare("bids-meeg", root, out)
    refuse(command, "participants.tsv, subject 07, field participant_id", "listed: sub-08")


def test_part_of_a_split_recording_is_absent(root, out, rng, refuse):
    write_bids_meeg(root, rng)
    folder = root / "sub-07/ses-b/meg"
    raw = continuous(["A", "B"], "mag", [200], [1], rng, seconds=5000.0)
    (root / f"{STEM}_meg.fif").unlink()
    stem = "sub-07_ses-b_task-look_run-1"
    save(raw, folder / f"{stem}_meg.fif", split_size="3MB", split_naming="bids")
    parts = sorted(folder.glob("*split*.fif"))
    assert len(parts) > 1
    parts[1].unlink()
    refuse(prepare("bids-meeg", root, out), parts[0].name, "a part of this split recording is abs")


@pytest.mark.parametrize("kept", [500, 0.6], ids=["header", "samples"])
def test_recording_that_is_cut_off(kept, root, out, rng, refuse):
    write_bids_meeg(root, rng)
    file = root / f"{STEM}_meg.fif"
    content = file.read_bytes()
    # opened without complaint, and noticed when the samples are read
    file.write_bytes(content[: kept if kept > 1 else int(kept * len(content))])
    refuse(prepare("bids-meeg", root, out), str(file), "not a readable recording")
    command = prepare("bids-meeg", root, out, "--option", "stim_channel=STI 014")
    refuse(command, str(file), "not a readable recording")


def test_n170_recordings(root, out, rng, refuse):
    write_n170(root, rng)
    file = sorted(root.rglob("*.csv"))[1]
    text = file.read_text()
    command = prepare("n170", root, out)
    file.write_text(text.replace("Marker0", "Stim"))
    refuse(command, str(file), "field Marker0: column is missing")
    file.write_text("\n".join(line.rpartition(",")[0] + ",0" for line in text.splitlines()[1:]))
    refuse(command, str(file))
    lines = text.splitlines()
    file.write_text("\n".join([lines[0], *lines[1::2]]))
    refuse(command, str(file), "128.0 samples a second by its timestamps, expected 256")


def test_epochs_without_metadata(root, out, rng, refuse):
    write_epochs(root, rng)
    file = root / "sub-b_ses-1-epo.fif"
    epochs = mne.read_epochs(file, verbose="ERROR")
    with mne.use_log_level("ERROR"):
        epochs.metadata = None
    epochs.save(file, overwrite=True, verbose="ERROR")
    refuse(prepare("epochs", root, out), str(file), "field metadata: epochs have no metadata")


def test_float16_cannot_hold_tesla(root, out, rng, refuse):
    write_bids_meeg(root, rng)
    refuse(prepare("bids-meeg", root, out, "--dtype", "float16"), "float16 cannot hold volts")
