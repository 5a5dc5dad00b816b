"""What a user types: simulate, fit, pack, hear, extract, describe, and what goes wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from hearing_world import noise_file, weights_folder
from scipy.io import wavfile

from neurodecode.analysis.profile import Profile
from neurodecode.cli import main
from neurodecode.hearing.sounds import read_binaural
from neurodecode.hearing.streaming import extract
from neurodecode.hearing.weights import load_encoder, load_extractor
from neurodecode.metrics.records import read_records
from neurodecode.report.page import render_page

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Talkers as `simulate` leaves them, and untrained networks."""
    folder = tmp_path_factory.mktemp("hearing")
    assert main(["--quiet", "simulate", "--world", "talkers", "--out", str(folder / "talkers"),
                 "--talkers", "2", "2", "3", "--talker-seconds", "2", "3"]) == 0  # fmt: skip
    weights_folder(folder / "weights")
    return folder


def attend(*words) -> int:
    return main(["--quiet", "attend", *map(str, words)])


def small(repository, name, folder, **data):
    """A committed configuration, a step long."""
    config = yaml.safe_load((repository / "configs/hearing" / f"{name}.yaml").read_text())
    config["trainer"] |= {"max_epochs": 1, "log_every_n_steps": 1, "default_root_dir": str(folder)}
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(folder)
    config["trainer"]["callbacks"][0]["init_args"]["dirpath"] = str(folder)
    config["data"]["init_args"] |= data
    path = folder.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(config))
    return path


def test_both_networks_are_trained_and_packed(world, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(world)
    root = str(world / "talkers")
    speaker = small(repository, "speaker", tmp_path / "speaker", root=root, steps=1, batch_size=4)
    assert main(["--quiet", "fit", "--config", str(speaker)]) == 0
    found = tmp_path / "speaker" / "best.ckpt"
    extractor = small(repository, "extractor", tmp_path / "extractor", root=root, steps=1,
                      batch_size=1, seconds=0.3, speaker=str(found), validation=1)  # fmt: skip
    assert main(["--quiet", "fit", "--config", str(extractor)]) == 0
    assert attend("pack", "--speaker", found, "--extractor", tmp_path / "extractor" / "best.ckpt",
                  "--out", tmp_path / "bundle") == 0  # fmt: skip
    assert load_extractor(tmp_path / "bundle").options["dim"] == 32
    finish = small(repository, "finish", tmp_path / "finish", root=root, steps=1, batch_size=1,
                   seconds=0.3, speaker=str(found), validation=1)  # fmt: skip
    config = yaml.safe_load(finish.read_text())
    config["model"]["init_args"]["start"] = str(tmp_path / "extractor" / "best.ckpt")
    finish.write_text(yaml.safe_dump(config))
    assert main(["--quiet", "fit", "--config", str(finish)]) == 0


def test_from_mixtures_to_a_page(world, tmp_path):
    out = tmp_path / "out"
    assert attend("hear", "--talkers", world / "talkers", "--weights", world / "weights",
                  "--scenes", 3, "--seconds", 1, "--keep", 1, "--transcripts", 3, "--chunks", 3,
                  "--out", out) == 0  # fmt: skip
    records = {
        (each.metric, each.extra.get("room"), each.extra.get("voice"), each.extra.get("source")):
        each for each in read_records(out / "metrics.json") if "voices" not in each.extra
    }  # fmt: skip
    gain = records["si_sdr_improvement_db", "none", "right", None]
    assert (gain.task, gain.n, gain.chance) == ("extraction", 3, 0.0)
    assert ("si_sdr_improvement_db", "room", "wrong", None) in records
    assert records["retrieval_top1", "none", "right", "output"].n_candidates == 3
    assert records["real_time_factor", None, None, None].value > 0
    page = render_page(Profile("hearing", out / "metrics.json", out / "tables"))
    assert page.count("<audio") == 4
    assert "data:audio/wav;base64," in page
    assert "Talkers nobody was trained on" in page


def test_a_file_is_extracted_as_by_the_network(world, tmp_path):
    sound = noise_file(tmp_path / "mix.wav")
    voice = noise_file(tmp_path / "voice.wav", ears=1, seed=1)
    assert attend("extract", "--sound", sound, "--voice", voice, "--weights", world / "weights",
                  "--out", tmp_path / "out.wav") == 0  # fmt: skip
    rate, found = wavfile.read(tmp_path / "out.wav")
    assert (rate, found.shape) == (8000, (12000, 2))
    import torch

    with torch.inference_mode():
        enrolled = torch.as_tensor(wavfile.read(voice)[1] / 32768).float()[None]
        wish = load_encoder(world / "weights")(enrolled)[0]
    expected = extract(load_extractor(world / "weights"), read_binaural(sound), wish)
    expected *= min(1.0, 0.99 / np.abs(expected).max())
    assert np.abs(found.T / 32767 - expected).max() < 1e-3


def test_a_posterior_steers_and_a_sure_one_is_the_voice_alone(world, tmp_path):
    sound = noise_file(tmp_path / "mix.wav")
    files = [noise_file(tmp_path / f"{name}.wav", ears=1, seed=i) for i, name in enumerate("ab")]
    posterior = tmp_path / "p.csv"
    posterior.write_text("second,a,b\n0.5,0,1\n1.0,0,1\n1.5,0,1\n")
    common = ("--weights", world / "weights", "--sound", sound, "--out")
    assert attend("extract", *common, tmp_path / "soft.wav", "--voice", *files,
                  "--posterior", posterior) == 0  # fmt: skip
    assert attend("extract", *common, tmp_path / "b.wav", "--voice", *files,
                  "--wanted", "b") == 0  # fmt: skip
    assert attend("extract", *common, tmp_path / "self.wav", "--candidates", *files,
                  "--posterior", posterior) == 0  # fmt: skip
    soft, alone, learned = (
        wavfile.read(tmp_path / f"{name}.wav")[1].astype(float) for name in ("soft", "b", "self")
    )
    # until the first window has ended nobody knows; the networks remember that for a while
    early, late = np.abs(soft - alone)[:4000].max(), np.abs(soft - alone)[9000:].max()
    assert late < 0.5 * early
    assert np.abs(learned - soft)[9000:].max() > 0


def test_the_attended_voice_is_described(world, tmp_path):
    talkers = [world / "talkers" / name / "speech.wav" for name in ("t0000", "t0001")]
    sounds = [f"left={talkers[0]}", f"right={talkers[1]}"]
    (tmp_path / "p.csv").write_text("second,left,right\n1,.5,.5\n2,.9,.1\n3,.2,.8\n")
    (tmp_path / "one.tsv").write_text("onset_s\tword\n0.2\tonce\n1.1\tupon\n")
    assert attend("describe", "--sound", *sounds, "--posterior", tmp_path / "p.csv", "--at", 2.5,
                  "--transcripts", tmp_path / "one.tsv", "--out",
                  tmp_path / "d.json") == 0  # fmt: skip
    said = json.loads((tmp_path / "d.json").read_text())
    assert said["attended"] == "left"
    assert said["talkers"]["right"]["probability"] == 0.1
    assert said["talkers"]["left"]["pitch_hz"] != said["talkers"]["right"]["pitch_hz"]
    assert said["transcripts"][0]["text"] == "once upon"


def broken(folder, name):
    """A sound that cannot be used."""
    if name == "mono":
        return noise_file(folder / "mono.wav", ears=1)
    if name == "slow":
        return noise_file(folder / "slow.wav", rate=6000)
    sound = 0.1 * np.random.default_rng(0).standard_normal((9000, 2))
    if name == "deaf":
        sound[:, 1] = 0
    if name == "clipped":
        sound = np.clip(sound, -0.1, 0.1)
    wavfile.write(folder / f"{name}.wav", 8000, sound.astype(np.float32))
    return folder / f"{name}.wav"


@pytest.mark.parametrize(("name", "words"), [
    ("mono", "1 channel where both ears are needed"),
    ("slow", "6000 Hz; 8000 Hz at least"),
    ("deaf", "right ear: the talker is silent"),
    ("clipped", "left ear: the sound is clipped"),
    ("missing", "the sound is missing"),
])  # fmt: skip
def test_a_sound_that_cannot_be_used_is_one_line(world, tmp_path, capsys, name, words):
    sound = tmp_path / "missing.wav" if name == "missing" else broken(tmp_path, name)
    voice = noise_file(tmp_path / "v.wav", ears=1, seed=1)
    assert attend("extract", "--sound", sound, "--voice", voice, "--weights", world / "weights",
                  "--out", tmp_path / "out.wav") == 2  # fmt: skip
    error = capsys.readouterr().err
    assert words in error
    assert str(sound) in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(("options", "words"), [
    (["--voice", "VOICE", "--wanted", "c"], "--wanted c: the voices are v"),
    (["--voice", "VOICE", "VOICE"], "say which by --wanted"),
    (["--voice", "VOICE", "VOICE", "--wanted", "v"], "two voices are named 'v'"),
    (["--voice", "SHORT"], "0.40 s of a voice"),
    (["--voice", "SILENT"], "the talker is silent"),
    (["--voice", "VOICE", "--posterior", "ABSENT"], "the posterior is missing"),
    (["--voice", "VOICE", "--posterior", "COLUMN"], "no column of numbers 'v'"),
    (["--voice", "VOICE", "--posterior", "SUM"], "at 1 s the probabilities are 0.7"),
    (["--voice", "VOICE", "--posterior", "BACK"], "seconds do not go on"),
    (["--candidates", "VOICE"], "--candidates needs --posterior"),
    ([], "give either --voice"),
])  # fmt: skip
def test_options_that_do_not_fit_are_one_line(world, tmp_path, capsys, options, words):
    wavfile.write(tmp_path / "silent.wav", 8000, np.zeros(9000, dtype=np.int16))
    files = {
        "VOICE": noise_file(tmp_path / "v.wav", ears=1, seed=1),
        "SHORT": noise_file(tmp_path / "short.wav", 0.4, ears=1),
        "SILENT": tmp_path / "silent.wav",
        "ABSENT": tmp_path / "absent.csv",
    }
    for name, text in (("COLUMN", "second,w\n1,1\n"), ("SUM", "second,v\n1,0.7\n"),
                       ("BACK", "second,v\n2,1\n1,1\n")):  # fmt: skip
        files[name] = tmp_path / f"{name}.csv"
        files[name].write_text(text)
    sound = noise_file(tmp_path / "mix.wav")
    given = [files.get(each, each) for each in options]
    assert attend("extract", "--sound", sound, *given, "--weights", world / "weights",
                  "--out", tmp_path / "out.wav") == 2  # fmt: skip
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1
