"""Time-resolved decoding, from stores to records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sensor_world import EARLY, LATE, MEG, REPEATS, SFREQ, TMIN, make_sensor_world

from neurodecode.cli import main
from neurodecode.errors import ConfigError
from neurodecode.evaluation.timecourse import time_course
from neurodecode.linear import EpochTimes, growing_windows, sliding_windows
from neurodecode.metrics.functional.clusters import cluster_p_values
from neurodecode.metrics.functional.latency import half_peak_latency
from neurodecode.metrics.records import read_records
from neurodecode.splits import read_split
from neurodecode.store import EmbeddingStore, Prediction, read_predictions, write_predictions
from neurodecode.store.predictions import PredictionFile

EARLY_S, LATE_S = (TMIN + k / SFREQ for k in (EARLY, LATE))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_sensor_world(tmp_path_factory.mktemp("sensors"), noise=0.6)


def timecourse(world, out, *words):
    files = [str(world.root / f"{name}.h5") for name in ("energy", "tokens")]
    return main(["timecourse", "--stores", str(world.meg), "--embeddings", *files,
                 "--splits", str(world.meg / "splits.json"), "--target", "energy", "tokens",
                 "--window", "40", "--step", "20", "--components", "4", "--jobs", "1", "--quiet",
                 "--out", str(out), *words])  # fmt: skip


def evaluate(world, out, *files):
    (world.root / "embeddings" / "tiny-meg").mkdir(parents=True, exist_ok=True)
    code = main(["evaluate", "--profile", "tiny", "--dataset", "tiny-meg", "--quiet",
                 "--stores", str(world.root), "--embeddings", str(world.root / "embeddings"),
                 "--predictions", *map(str, files), "--out", str(out)])  # fmt: skip
    assert code == 0
    return read_records(out / "metrics.json")


def test_windows_of_time():
    times = EpochTimes(tmin=-0.1, sfreq=100.0, n_times=31)  # -.1 to .2 s
    sliding = sliding_windows(times, 0.05, 0.02)
    assert [(w.first, w.last) for w in sliding[:2]] == [(0, 5), (2, 7)]
    assert (sliding[1].t_start_s, sliding[1].t_stop_s) == (-0.08, -0.04)
    assert sliding[-1].last == 31
    inside = sliding_windows(times, 0.05, 0.02, (0.0, 0.1))
    assert (inside[0].t_start_s, inside[-1].t_stop_s) == (0.0, 0.1)
    growing = growing_windows(times, 0.1, (0.0, 10.0))
    assert [(w.t_start_s, w.t_stop_s) for w in growing] == [(0.0, 0.09), (0.0, 0.19)]
    series = np.arange(2 * 3 * 31).reshape(2, 3, 31)
    np.testing.assert_array_equal(sliding[1].cut(series)[1], series[1, :, 2:7].ravel())
    with pytest.raises(ConfigError, match=r"no window of 400 ms fits between -0\.1 and 0\.2 s"):
        sliding_windows(times, 0.4, 0.02)
    with pytest.raises(ConfigError, match="--step 4 ms is less than a sample at 100 Hz"):
        growing_windows(times, 0.004)


def test_what_is_decoded_can_be_kept_to_be_drawn(world, tmp_path):
    assert timecourse(world, tmp_path, "--decoded", "--from", "0.06") == 0
    content = read_predictions(tmp_path / "sliding-tokens.h5")
    stored = EmbeddingStore(world.root / "tokens.h5")
    assert content.attrs["embedding_fingerprint"] == stored.fingerprint
    split = read_split(world.meg / "splits.json").folds[0]
    centre = stored.read("tokens", [*split.train, *split.validation]).mean(axis=0)
    last = [each for each in content.predictions if each.subject == "01"][-1]
    true = stored.read("tokens", list(last.stimulus_id))
    assert last.arrays["tokens"].shape == true.shape
    decoded, true = (values - centre for values in (last.arrays["tokens"], true))
    # in the units of the target, and of these pictures
    assert np.corrcoef(decoded.ravel(), true.ravel())[0, 1] > 0.5
    assert 0.2 < decoded.std() / true.std() < 1.2
    # `reconstruct` takes a few of the pictures of each window, and leaves it its window
    drawn = [
        replace(each, arrays={"images": np.full((len(each.stimulus_id), 4, 4, 3), k / 99)})
        for k, each in enumerate(content.predictions)
    ]
    write_predictions(tmp_path / "all.h5", "ridge", drawn, content.attrs)
    words = ["--predictions", str(tmp_path / "all.h5"), "--out", str(tmp_path / "film.h5")]
    assert main(["reconstruct", *words, "--first", "2", "--quiet"]) == 0
    film = read_predictions(tmp_path / "film.h5").predictions
    assert [each.window for each in film] == [each.window for each in content.predictions]
    assert list(film[0].stimulus_id) == sorted(last.stimulus_id)[:2]
    assert film[3].arrays["images"].shape == (2, 4, 4, 3)
    assert main(["reconstruct", *words, "--first", "0", "--quiet"]) == 2


def test_low_level_comes_before_high_level_and_nothing_before_onset(world, tmp_path):
    assert timecourse(world, tmp_path, "--generalise") == 0
    files = [tmp_path / f"sliding-{name}.h5" for name in ("energy", "tokens")]
    records = evaluate(world, tmp_path / "report", *files)
    curves = [r for r in records if r.metric == "two_way"]
    assert {r.subject for r in curves} == {*MEG, "mean"}
    assert len(curves) == 2 * 3 * 15
    assert all(r.n_averaged == REPEATS and r.extra["test_over"] == "stimuli" for r in curves)
    for target, onset in (("energy", EARLY_S), ("tokens", LATE_S)):
        mean = [r for r in curves if r.subject == "mean" and r.extra["target"] == target]
        before = [r for r in mean if r.extra["t_stop_s"] < 0]
        after = [r for r in mean if r.extra["t_start_s"] > onset - 1e-6]
        assert len(before) > 2
        assert all(r.extra["p_cluster"] > 0.05 for r in before)
        assert all(r.extra["p_cluster"] <= 0.05 and r.value > 0.8 for r in after)
    (later,) = (r for r in records if r.metric == "latency_difference" and r.subject == "mean")
    assert (later.extra["target"], later.extra["baseline"]) == ("tokens", "energy")
    assert 0 < later.ci_low <= later.value <= later.ci_high
    assert later.value == pytest.approx(LATE_S - EARLY_S, abs=0.03)
    table = pd.read_csv(
        tmp_path / "report" / "tables" / "generalisation.csv", dtype={"subject": str}
    )
    assert len(table) == 2 * 2 * 15 * 15
    own = table[(table["subject"] == "01") & (table["target"] == "tokens")]
    square = own.pivot(index="trained_s", columns="tested_s", values="two_way").to_numpy()
    # what is constant from its onset on generalises over time, and to no time before
    assert square[-3:, -3:].mean() > 0.8
    assert abs(square[-3:, :3].mean() - 0.5) < 0.2
    single = {
        r.extra["t_start_s"]: r.value
        for r in curves
        if (r.subject, r.extra["target"]) == ("01", "tokens")
    }
    np.testing.assert_allclose(np.diag(square), [single[t] for t in sorted(single)], atol=0.02)


def test_growing_windows_of_single_trials(world, tmp_path):
    assert timecourse(world, tmp_path, "--growing", "--from", "0", "--repeats", "1") == 0
    content = read_predictions(tmp_path / "growing-tokens.h5")
    windows = [each.window for each in content.predictions if each.subject == "01"]
    assert {start for start, _ in windows} == {0.0}
    first = content.predictions[0]
    assert len(first.stimulus_id) == REPEATS * len(first.candidate_id) == 27
    course = time_course(content)
    values = course.subjects["01"].values["two_way"]
    assert values.shape == (9, len(windows))
    assert values[:, -1].mean() > values[:, 0].mean() + 0.1
    assert course.subjects["01"].n_averaged == 1
    # the mean over the responses to a stimulus
    scores = first.arrays["scores"]
    truth = [first.candidate_id.index(name) for name in first.stimulus_id]
    shares = [(np.sum(row < row[t]) / 8) for row, t in zip(scores, truth, strict=True)]
    np.testing.assert_allclose(values[0, 0], np.mean(shares[:REPEATS]), atol=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--window", "400"), "no window of 400 ms fits"),
        (("--growing", "--generalise"), "leave --growing out"),
        (("--from", "0.2", "--to", "0.1"), "--from 0.2 is not before --to 0.1"),
        (("--target", "tokens", "tokens"), "name each only once"),
        (("--subjects", "07"), "unknown subject; known: 01, 02"),
    ],
)
def test_mistakes_are_named(world, tmp_path, capsys, words, message):
    assert timecourse(world, tmp_path / "out", *words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_fmri_has_no_time_axis(world, tmp_path, capsys):
    assert timecourse(world, tmp_path, "--stores", str(world.root / "stores"),
                      "--splits", str(world.root / "stores" / "splits.json")) == 2  # fmt: skip
    assert "fmri responses without a time axis; time-resolved decoding" in capsys.readouterr().err


def test_clusters_by_hand(rng):
    values = rng.normal(size=(12, 9)) * 0.1
    values[:, 3:6] += 1.0
    p = cluster_p_values(values)
    assert (p[3:6] < 0.01).all()
    assert (p[[0, 1, 8]] > 0.05).all()
    # three rows have eight signs, four up to that of all: nothing can be rarer than one in four
    assert cluster_p_values(np.array([[1.0], [1.1], [0.9]]), level=0.2) == pytest.approx(1 / 4)
    assert (cluster_p_values(np.zeros((7, 5))) == 1).all()
    # below chance is no finding
    assert (cluster_p_values(-values)[3:6] == 1).all()


def test_latency_by_hand():
    times = np.array([0.0, 0.1, 0.2, 0.3])
    assert half_peak_latency(np.array([0.5, 0.5, 0.9, 0.9]), times, 0.5) == pytest.approx(0.15)
    assert half_peak_latency(np.array([0.5, 0.6, 0.7, 0.9]), times, 0.5) == pytest.approx(0.2)
    assert half_peak_latency(np.array([0.9, 0.5, 0.5, 0.5]), times, 0.5) == 0.0
    assert half_peak_latency(np.array([0.8, 0.5, 0.9, 0.9]), times, 0.5) == pytest.approx(0.15)
    assert np.isnan(half_peak_latency(np.array([0.5, 0.4, 0.5, 0.2]), times, 0.5))


def noise_course(seed: int):
    """Scores that know nothing, of a decoder that has favourites among the pictures."""
    rng = np.random.default_rng(seed)
    names = [f"{k:02d}" for k in range(30)]
    favourites = rng.normal(size=30)
    drift = np.cumsum(rng.normal(size=(15, 30, 30)), axis=0) * 0.5
    predictions = [
        Prediction("01", names, {"scores": favourites + drift[k] + rng.normal(size=(30, 30))},
                   names, window=(k / 50, k / 50 + 0.04))
        for k in range(15)
    ]  # fmt: skip
    attrs = {"windows": "sliding", "target": "tokens"}
    return time_course(PredictionFile("ridge", predictions, attrs))


def test_noise_is_not_significant():
    """Twenty curves of autocorrelated noise: at most one may be called significant."""
    courses = [noise_course(seed).pooled("two_way") for seed in range(20)]
    wrong = sum((cluster_p_values(values - 0.5) <= 0.05).any() for values in courses)
    assert wrong <= 1


@pytest.mark.slow
def test_noise_is_not_significant_from_store_to_record(tmp_path):
    """The same from recordings of nothing, decoded and evaluated as any other."""
    wrong = 0
    for seed in range(20):
        world = make_sensor_world(tmp_path / str(seed), seed=100 + seed, noise=1e6)
        assert timecourse(world, world.root / "out", "--target", "tokens") == 0
        records = evaluate(world, world.root / "report", world.root / "out" / "sliding-tokens.h5")
        mean = [r for r in records if (r.metric, r.subject) == ("two_way", "mean")]
        assert len(mean) == 15
        wrong += any(r.extra["p_cluster"] <= 0.05 for r in mean)
        assert (
            not any(r.metric == "half_peak_latency" and r.subject == "mean" for r in records)
            or wrong
        )
    assert wrong <= 1
