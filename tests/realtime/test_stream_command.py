"""`neurodecode stream` as a user runs it, and what it says when something is wrong."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
from live_world import SUBJECT, TRIGGER, make_world

from neurodecode.cli import main
from neurodecode.context import BuildContext
from neurodecode.loaders.scaler import TrialScaler
from neurodecode.nn.decoder import BrainDecoder
from neurodecode.pretrained import PretrainedDecoder
from neurodecode.pretrained.config import DecoderConfig
from neurodecode.store import EmbeddingStore


@pytest.fixture(scope="session")
def recording(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("recording") / "run_raw.fif"
    raw.save(path, verbose="ERROR")
    return path


@pytest.fixture
def words(world, recording):
    return ["stream", "--decoder", str(world.export), "--embeddings", str(world.embeddings),
            "--replay", str(recording), "--speed", "0"]  # fmt: skip


def test_a_recording_is_replayed(world, words, tmp_path, capsys, caplog):
    caplog.set_level("INFO")
    log = tmp_path / "log.csv"
    more = ["--stim-channel", TRIGGER, "--top-k", "3", "--calibrate", str(world.validation)]
    assert main([*words, *more, "--log", str(log), "--serve", "0"]) == 0
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [each["label"] for each in rows] == ["1", "2", "3", "4", "5", "6"]
    # decided offline, from the store, with the statistics of the last session
    trials = world.store.read([4, 5])
    tokens = world.model.decode({SUBJECT: trials}, session={SUBJECT: 5}).tokens.numpy()
    store = EmbeddingStore(world.embeddings)
    pictures = store.read("tokens").reshape(11, -1)
    pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
    for row, decoded in zip(rows[4:], tokens.reshape(2, -1), strict=True):
        cosines = pictures @ decoded / np.linalg.norm(decoded)
        best = np.argsort(-cosines)[:3]
        assert [row[f"id_{rank}"] for rank in (1, 2, 3)] == [store.ids[k] for k in best]
        assert float(row["score_1"]) == pytest.approx(cosines[best[0]], abs=1e-5)
        sure = [float(row[f"confidence_{rank}"]) for rank in (1, 2, 3)]
        assert 1 >= sure[0] >= sure[1] >= sure[2] > 0
        assert row["problem"] == row["age_ms"] == ""
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 6
    assert "decisions at http://127.0.0.1:" in shown.err
    assert "6 decisions, 0 windows not usable; ms from the last sample" in caplog.text


def test_sliding_windows_end_when_there_were_enough(words, tmp_path, capsys):
    log = tmp_path / "log.csv"
    assert main([*words, "--hop-ms", "40", "--max-decisions", "5", "--log", str(log)]) == 0
    onset = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    np.testing.assert_allclose(onset, 0.1 + 0.04 * np.arange(5), atol=1e-3)


def fails(words, capsys, message):
    assert main([*map(str, words), "--quiet"]) == 2
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 1
    assert message in shown.err
    assert not shown.out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--subject", "x"], "the model has never seen subject x; known: d.2"),
        (["--session", "3"], "--session 3: the decoder knows 2, 5 of subject d.2"),
        (["--hop-ms", "0"], "--hop-ms is 0; give a positive number"),
        (["--fill-ms", "-1"], "--fill-ms is -1; it cannot be negative"),
        (["--stim-channel", "STI 7"], "--stim-channel STI 7: stream run_raw.fif has no such"),
        (["--array", "pooled"], "no array 'pooled' (found: tokens)"),
        (["--log", "a.txt"], "--log a.txt: give a name that ends in .csv"),
        (["--serve", "70000"], "--serve 70000: "),
        (["--decoder", "nowhere"], "folder nowhere: missing"),
    ],
)
def test_what_is_wrong_is_one_line(words, more, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fails([*words, *more], capsys, message)
    assert not list(tmp_path.iterdir())


def test_recordings_that_do_not_fit(words, raw, tmp_path, capsys):
    other = tmp_path / "other_raw.fif"
    at = words.index("--replay") + 1
    fails([*words[:at], other, *words[at + 1 :]], capsys, "file is missing")
    other.write_bytes(b"no FIF")
    fails([*words[:at], other, *words[at + 1 :]], capsys, "not a readable recording")
    slow = raw.copy().load_data()
    with slow.info._unlock():
        slow.info["sfreq"] = 40.0
    slow.save(other, overwrite=True, verbose="ERROR")
    fails([*words[:at], other, *words[at + 1 :]], capsys, "sampled at 40 Hz, which holds nothing")
    named = raw.copy().rename_channels(lambda name: f"A{name}")
    named.save(other, overwrite=True, verbose="ERROR")
    fails([*words[:at], other, *words[at + 1 :]], capsys, "has 0 of the decoder's 7 channels")


def test_decoders_that_cannot_be_streamed(words, tmp_path, raw, capsys):
    smooth = make_world(tmp_path / "a", 50.0, raw, causal=False, low_hz=None, whiten=None)
    at = words.index("--decoder") + 1
    given = [*words[:at], smooth.export, *words[at + 1 :]]
    fails(given, capsys, "filtered forwards and backwards")
    assert main([*map(str, given), "--causal-anyway", "--quiet", "--max-decisions", "1"]) == 0
    # one that was exported without its stores
    config = json.loads((smooth.export / "config.json").read_text())
    del config["front_end_sha256"]
    (smooth.export / "config.json").write_text(json.dumps(config))
    fails(given, capsys, "does not tell how recordings of subject d.2 were prepared")


def test_decoders_of_fmri_have_no_sensors(words, tmp_path, capsys):
    context = BuildContext({"01": 7}, {"tokens": (2, 5)}, modality={"01": "fmri"})
    spec = {"class_path": "neurodecode.nn.decoder.BrainDecoder",
            "init_args": {"width": 9, "low_level": None}}  # fmt: skip
    scalers = {"01": TrialScaler(np.array([1]), *np.ones((2, 1, 7), np.float32))}
    config = DecoderConfig(spec, context, {"tokens": "tiny-clip"}, {"dataset": "tiny"})
    PretrainedDecoder(config, BrainDecoder(context, 9, low_level=None), scalers).save(tmp_path)
    at = words.index("--decoder") + 1
    message = "subject 01 of this decoder has no sensors: fmri without a time axis"
    fails([*words[:at], tmp_path, *words[at + 1 :]], capsys, message)


def test_what_an_export_says_is_checked(world, words, tmp_path, capsys):
    copy = shutil.copytree(world.export, tmp_path / "copy")
    with (copy / "front_end.h5").open("ab") as file:
        file.write(b"x")
    at = words.index("--decoder") + 1
    fails([*words[:at], copy, *words[at + 1 :]], capsys, "checksum differs from config.json")
