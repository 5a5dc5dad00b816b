"""`attend stream`: a replayed recording gives the decisions of the whole one."""

from __future__ import annotations

import csv

import mne
import numpy as np
import pytest
from scipy.io import loadmat, wavfile

from neurodecode.auditory.reconstruction import BackwardTRF
from neurodecode.cli import main
from neurodecode.datasets.auditory.base import BIOSEMI64
from neurodecode.store.auditory import read_folder


def run(*words):
    return main(["--quiet", "attend", *map(str, words)])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Five trials of one listener, stores that look back only, and the fifth as a recording."""
    root = tmp_path_factory.mktemp("world")
    words = ["--listeners", "1", "--trials", "6", "--heard-again", "0", "--trial-seconds", "9"]
    assert (
        main(["--quiet", "simulate", "--world", "speech", "--out", str(root / "raw"), *words]) == 0
    )
    assert run("prepare", "--dataset", "kul", "--root", root / "raw", "--sfreq", 32, "--causal",
               "--out", root / "stores") == 0  # fmt: skip
    trial = loadmat(root / "raw" / "S1.mat", squeeze_me=True, struct_as_record=False)["trials"][4]
    volts = 1e-6 * trial.RawData.EegData.T.astype(float)
    order = [*range(1, 64), 0]
    info = mne.create_info([BIOSEMI64[k] for k in order], 128.0, "eeg")
    raw = mne.io.RawArray(volts[order], info, verbose="ERROR")
    raw.save(root / "five_raw.fif", fmt="double", verbose="ERROR")
    return root


def stream(world, *words, sounds=("part5_track1_dry.wav", "part5_track2_dry.wav"), stores="stores"):
    paths = [world / "raw" / "stimuli" / name for name in sounds]
    return run("stream", "--stores", world / stores, "--leave-out", 5, "--replay",
               world / "five_raw.fif", "--speed", 0, "--sounds", *paths, *words)  # fmt: skip


def test_replay_decides_as_the_whole_recording(world):
    assert stream(world, "--window", 2, "--log", world / "log.csv") == 0
    rows = list(csv.DictReader((world / "log.csv").read_text().splitlines()))
    trials = read_folder(world / "stores")[0].trials()
    decoder = BackwardTRF(causal=True).fit([[t] for t in trials if t.trial != "5"])
    (trial,) = (t for t in trials if t.trial == "5")
    expected = decoder.scores(np.asarray(trial.eeg[:]), np.asarray(trial.candidates[:]), 2.0)
    found = np.array(
        [[float(row[f"score_{1 + (row['id_1'] != f'part5_track{k}_dry')}"]) for k in (1, 2)]
         for row in rows]
    )  # fmt: skip
    order = [int(name[-1]) - 1 for name in trial.talker] if trial.talker[0][-1] in "12" else [0, 1]
    np.testing.assert_allclose(found[:, order], expected, atol=2e-4)
    assert [float(row["onset_s"]) for row in rows] == [0, 2, 4, 6]
    assert all(0.5 <= float(row["confidence_1"]) <= 1 for row in rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--window", 30], "longer than the trial"),
        (["--hop", 90, "--dwell", 60], "--dwell 60 is not longer"),
        (["--log", "decisions.txt"], "ends in .csv"),
        (["--method", "csp"], "csp"),
    ],
)
def test_bad_requests_end_in_one_line(world, words, message, capsys):
    assert stream(world, *words) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_bad_sounds_and_stores_end_in_one_line(world, capsys):
    silent = world / "raw" / "stimuli" / "silent.wav"
    wavfile.write(silent, 16000, np.zeros(160000, dtype=np.int16))
    assert stream(world, sounds=("part5_track1_dry.wav", "silent.wav")) == 2
    assert "silent.wav: the talker is silent" in capsys.readouterr().err
    assert run("prepare", "--dataset", "kul", "--root", world / "raw", "--sfreq", 30, "--causal",
               "--out", world / "thirty") == 0  # fmt: skip
    assert stream(world, stores="thirty") == 2
    error = capsys.readouterr().err
    assert "prepared at 30 Hz; the stream has 128 Hz" in error
