"""What a user runs: simulate, attend prepare, fit, evaluate, follow."""

from __future__ import annotations

import numpy as np
import pytest
from listening import listeners

from neurodecode.analysis.profile import Profile
from neurodecode.auditory.decisions import switches
from neurodecode.cli import main
from neurodecode.evaluation.auditory.outcomes import Outcomes, read_truth
from neurodecode.metrics.records import read_records
from neurodecode.report.figures.topography import head_maps
from neurodecode.report.sections.attention import attention_panels
from neurodecode.report.svg import drawing
from neurodecode.store.attention import TrialScores, read_attention
from neurodecode.store.auditory import write_auditory


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Three listeners as `attend prepare` leaves them."""
    folder = tmp_path_factory.mktemp("stores")
    trials = listeners()
    for subject in ("S1", "S2", "S3"):
        own = [trial for trial in trials if trial.subject == subject]
        about = {"low_hz": None, "high_hz": None}
        write_auditory(folder / f"sub-{subject}.h5", "tiny", own, about)
    return folder


def run(*words):
    return main(["--quiet", "attend", *map(str, words)])


def test_from_recordings_to_scores(tmp_path):
    world = ["--listeners", "1", "--trials", "2", "--heard-again", "0", "--trial-seconds", "24"]
    assert main(["--quiet", "simulate", "--world", "speech", "--out", str(tmp_path / "raw"), *world,
                 "--seed", "3"]) == 0  # fmt: skip
    assert run("prepare", "--dataset", "kul", "--root", tmp_path / "raw", "--name", "mini-speech",
               "--sfreq", "20", "--out", tmp_path / "stores") == 0  # fmt: skip
    assert run("fit", "--stores", tmp_path / "stores", "--windows", "3", "--mismatch", "3",
               "--shifts", "2", "--scheme", "block", "--out", tmp_path / "s.h5") == 0  # fmt: skip
    attrs, scores = read_attention(tmp_path / "s.h5")
    assert (attrs["dataset"], attrs["scheme"], attrs["leak"]) == ("mini-speech", "block", "")
    assert len(scores) == 4
    assert scores[1].windows[3.0].shape == (3, 2)


def test_records_say_how_they_were_obtained(stores, tmp_path):
    for training in ("same-subject", "other-subjects"):
        assert run("fit", "--stores", stores, "--training", training, "--windows", 2, 6, "--shifts",
                   9, "--mismatch", 6, "--out", tmp_path / f"{training}.h5") == 0  # fmt: skip
    assert run("evaluate", "--profile", "tiny", "--stores", stores, "--scores",
               *sorted(tmp_path.glob("*.h5")), "--out", tmp_path / "out") == 0  # fmt: skip
    records = read_records(tmp_path / "out" / "metrics.json")
    table = {
        (r.metric, r.extra["training"], r.extra.get("window_s"), r.extra.get("null")): r
        for r in records
        if r.subject == "S1+S2+S3" and "condition" not in r.extra and "decision" not in r.extra
    }
    for training, scheme in (("same-subject", "trial"), ("other-subjects", "subject-story")):
        six = table["attention_accuracy", training, 6.0, None]
        assert six.value > 0.8
        assert six.extra["scheme"] == scheme
        assert six.n == 18
        assert six.extra["n_windows"] == 72
        assert six.value > six.extra["chance_limit"] > 0.5
        assert six.extra["p_permuted"] < 0.01
        assert six.value > table["attention_accuracy", training, 2.0, None].value
        assert table["match_mismatch_accuracy", training, 6.0, None].value > 0.8
        r, null = (table["pearson_r", training, None, n] for n in (None, "shifted_envelope"))
        assert r.value > 0.3 > 0.1 > abs(null.value)
        assert r.extra["p_shifted"] == 0.1
        assert table["itr_bits_per_min", training, 6.0, None].value > 0
        assert table["mesd_s", training, None, None].value > 2
    by_condition = [r for r in records if r.extra.get("condition") == "plain"]
    assert {r.metric for r in by_condition} >= {"attention_accuracy", "d_prime"}
    smooth = [r for r in records if r.extra.get("decision") == "markov-smoothed"]
    assert max(r.value for r in smooth) > 0.9
    assert all(r.selection_split == "train" for r in records)
    metrics, page = tmp_path / "out" / "metrics.json", tmp_path / "page.html"
    words = ["--profile", "tiny", "--metrics", str(metrics), "--out", str(page)]
    assert main(["--quiet", "report", *words]) == 0
    text = page.read_text()
    for words in ("Who is listened to", "Minimal expected switch duration", "shifted_envelope",
                  "subject-story", "markov-smoothed", "Activation patterns of the backward model",
                  "trained on the same subject; at most"):  # fmt: skip
        assert words in text
    assert f"{100 * six.value:.1f}" in text


def test_leaks_stand_beside_the_honest_score(stores, tmp_path):
    common = ["--stores", stores, "--windows", 2, "--shifts", 0, "--mismatch"]
    assert run("fit", *common, "--out", tmp_path / "a.h5") == 0
    leak = ["--protocol", "within-trial", "--allow-leak"]
    assert run("fit", *common, *leak, "--out", tmp_path / "b.h5") == 0
    assert run("evaluate", "--profile", "tiny", "--stores", stores, "--scores", tmp_path / "a.h5",
               tmp_path / "b.h5", "--out", tmp_path) == 0  # fmt: skip
    profile = Profile("tiny", tmp_path / "metrics.json", tmp_path / "tables")
    (panel,) = attention_panels(profile, ["tiny"])
    ((_, heads, ((method, protocol, metric, window, honest, forced),)),) = [
        table for table in panel.tables if table[0].startswith("What leaks do")
    ]
    assert heads[-2:] == ["Honest", "Leaking"]
    assert (method, protocol, metric, window) == (
        "Backward TRF", "within-trial", "attention_accuracy", "2",
    )  # fmt: skip
    records = {r.extra.get("leak", ""): r for r in read_records(tmp_path / "metrics.json")
               if "+" in r.subject and r.metric == "attention_accuracy"
               and not {"condition", "decision"} & set(r.extra)}  # fmt: skip
    assert honest.startswith(f"{100 * records[''].value:.1f}")
    assert forced.startswith(f"{100 * records['within-trial'].value:.1f}")


def test_maps_of_the_head_need_channels_that_have_a_place():
    values = {"10 ms": np.arange(6.0), "20 ms": -np.arange(6.0)}
    with drawing():
        figure = head_maps(values, ("Fz", "Cz", "Pz", "C3", "C4", "elsewhere"), "uV")
    assert [axis.get_title(loc="left") for axis in figure.axes[:2]] == ["10 ms", "20 ms"]
    assert head_maps(values, tuple("abcdef"), "uV") is None


def test_leaks_are_refused_with_one_line_and_nothing_written(stores, tmp_path, capsys):
    out = tmp_path / "s.h5"
    assert run("fit", "--stores", stores, "--protocol", "within-trial", "--out", out) == 2
    error = capsys.readouterr().err
    assert error.startswith("neurodecode: error: protocol within-trial: ")
    assert error.count("\n") == 1
    assert run("fit", "--stores", stores, "--scheme", "subject", "--out", out) == 2
    assert "its sound is in training, too" in capsys.readouterr().err
    assert not out.exists()
    assert run("fit", "--stores", stores, "--scheme", "subject", "--allow-leak", "--windows", 6,
               "--shifts", 0, "--mismatch", "--out", out) == 0  # fmt: skip
    assert run("evaluate", "--profile", "tiny", "--stores", stores, "--scores", out,
               "--out", tmp_path) == 0  # fmt: skip
    assert {r.extra["leak"] for r in read_records(tmp_path / "metrics.json")} == {"shared-stimulus"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--windows", "90"], "longer than the longest trial (24 s)"),
        (["--method", "magic"], "unknown attention decoder 'magic'"),
        (["--options", '{"depth": 3}'], "--options of trf_backward: "),
        (["--condition", "loud"], "no trial of condition loud"),
        (["--subjects", "S9"], "no store of S9"),
    ],
)
def test_requests_that_cannot_be_met(stores, tmp_path, capsys, words, message):
    assert run("fit", "--stores", stores, *words, "--out", tmp_path / "s.h5") == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_following_is_tabled_and_drawn(stores, tmp_path):
    assert run("follow", "--stores", stores, "--segment", 2, "--shifts", 19, "--longest-lag", 0.2,
               "--out", tmp_path) == 0  # fmt: skip
    lines = (tmp_path / "following.csv").read_text().splitlines()
    assert lines[0].startswith("subject,channel,band,coherence,null,p,gain")
    assert len(lines) == 1 + 3 * 7 * 2


def test_a_change_of_attention_is_followed_over_time(stores):
    """The chain against a trial whose label changes half way; windows across it do not count."""
    truth = read_truth(stores)
    trial = truth["S1", "0"]
    trial.attended[trial.n_times // 2 - 3 :] = 1
    trial.attended[: trial.n_times // 2 - 3] = 0
    like = np.zeros((12, 2))
    like[:6, 0], like[6:, 1] = 2.0, 2.0
    scores = TrialScores("S1", "0", "0", "f", 0.0, 24.0, {6.0: like[::3] - 1}, log_likelihood=like)
    outcomes = Outcomes({"decision_s": 2.0, "method": "x"}, [scores], truth)
    windows = outcomes.windows()
    assert len(windows) == 3  # the second of four has two labels
    assert windows["credit"].tolist() == [1, 1, 1]
    over_time = outcomes.posteriors()
    assert over_time["attended"].tolist() == [0] * 5 + [1] * 7
    (at,) = np.flatnonzero(over_time["switched"])
    assert 6 <= at <= 8
    posterior = np.where(over_time["attended"], over_time["filtered"], 1 - over_time["filtered"])
    assert switches(np.stack([1 - posterior, posterior], 1)).tolist() == [at]


@pytest.mark.slow
@pytest.mark.realdata
def test_the_bars_on_real_eeg(real_data, tmp_path):
    """Subject and half of the time held out, penalty chosen within training."""
    root = real_data / "dtu_speech_eeg"
    assert run("prepare", "--dataset", "dtu", "--root", root, "--sfreq", 32,
               "--out", tmp_path / "dtu") == 0  # fmt: skip
    assert run("fit", "--stores", tmp_path / "dtu", "--training", "other-subjects", "--options",
               '{"tmax": 0.3, "penalties": [0.01, 1, 100]}', "--shifts", 8, "--windows", 10,
               "--mismatch", 10, "--out", tmp_path / "s.h5") == 0  # fmt: skip
    assert run("evaluate", "--profile", "t", "--stores", tmp_path / "dtu", "--scores",
               tmp_path / "s.h5", "--out", tmp_path) == 0  # fmt: skip
    records = [r for r in read_records(tmp_path / "metrics.json") if "+" in r.subject]
    found = {(r.metric, r.extra.get("null")): r for r in records}
    assert found["pearson_r", None].extra["scheme"] == "subject-block"
    assert found["pearson_r", None].value > 0.05
    assert found["pearson_r", "shifted_envelope"].value < 0.02
    assert found["match_mismatch_accuracy", None].value >= 0.65
