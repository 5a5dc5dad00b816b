"""Scores of scanpath models: leak-free, ceilings without self-comparison, by other routes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodecode.datasets.gaze.base import GazeData
from neurodecode.errors import ConfigError, DataError
from neurodecode.evaluation.scanpath.evaluate import EvaluateOptions, evaluate
from neurodecode.evaluation.scanpath.items import PairOptions, density_items, pair_items
from neurodecode.evaluation.scanpath.predict import PredictOptions, predict, predict_others
from neurodecode.evaluation.scanpath.search import behaviour_table, found_curve
from neurodecode.gaze.baselines import CentreBias, Uniform
from neurodecode.gaze.model import ScanpathModel
from neurodecode.gaze.saliency import SaliencyWithInhibition
from neurodecode.metrics.functional import scanpath as fn
from neurodecode.scanpaths import Objects, Scanpath, Scanpaths
from neurodecode.splits.pictures import picture_names, split_pictures
from neurodecode.store.gaze_predictions import read_gaze_prediction, write_gaze_prediction

SIZE = (90, 70)
OPTIONS = PredictOptions(n_samples=2, cell=10, seed=3)
VIEWERS, NAMES = "1234", [f"{k}.png" for k in range(8)]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    pictures = {n: rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8) for n in NAMES}
    objects, paths = {}, []
    for name in NAMES:
        corner = rng.uniform(5, 40, 2)
        boxes = np.array([[*corner, 14, 12], [60, 45, 15, 13]])
        objects[name] = Objects(boxes, np.array(["cup", "tree"]))
        for viewer in VIEWERS:
            n = int(rng.integers(3, 7))
            xy = np.clip(corner + rng.normal(7, 5, (n, 2)), 1, (88, 68))
            paths.append(
                Scanpath(*xy.T, rng.uniform(90, 300, n), viewer, name, "search_present", "cup",
                         size=SIZE)
            )  # fmt: skip
    return GazeData("toy", Scanpaths.from_list(paths), pictures, objects)


@pytest.fixture(scope="module")
def split(data):
    return split_pictures(NAMES, data.pictures, n_folds=4)


@pytest.fixture(scope="module")
def predictions(data, split):
    return {
        "uniform": predict("uniform", Uniform, data, split, OPTIONS),
        "centre_bias": predict("centre_bias", CentreBias, data, split, OPTIONS),
        "other_viewers": predict_others(data, split, OPTIONS),
    }


def test_predictions_are_stored(predictions, tmp_path):
    wanted = predictions["centre_bias"]
    write_gaze_prediction(tmp_path / "p.h5", wanted)
    found = read_gaze_prediction(tmp_path / "p.h5")
    np.testing.assert_array_equal(found.scanpaths.x, wanted.scanpaths.x)
    np.testing.assert_array_equal(found.fixations["nss"], wanted.fixations["nss"])
    assert found.attrs == wanted.attrs
    assert set(found.maps) == set(wanted.maps)
    (tmp_path / "bad.h5").write_bytes(b"HDF")
    with pytest.raises(DataError, match=r"bad.h5"):
        read_gaze_prediction(tmp_path / "bad.h5")


def test_every_test_scanpath_is_asked_about_once(data, predictions):
    for prediction in predictions.values():
        assert sorted(prediction.human.tolist()) == list(range(len(data.scanpaths)))
    assert len(predictions["uniform"].scanpaths) == 2 * len(NAMES)


def test_models_learn_from_training_pictures_alone(data, split, predictions):
    """What viewers did on the test pictures of a fold does not change its predictions."""
    tested = picture_names(split, 0)["test"]
    on_test = np.isin(data.scanpaths.stimulus, tested)[data.scanpaths.owner]
    moved = replace(data.scanpaths, x=np.where(on_test, 85.0, data.scanpaths.x))
    first = replace(split, folds=split.folds[:1])
    changed = predict("centre_bias", CentreBias, replace(data, scanpaths=moved), first, OPTIONS)
    before = predictions["centre_bias"]
    for name, values in changed.maps.items():
        np.testing.assert_array_equal(values, before.maps[name])
    same = changed.scanpaths.x
    np.testing.assert_array_equal(same, before.scanpaths.select(before.fold == 0).x)


def test_lengths_are_those_of_training_viewers(data, split, predictions):
    lengths = predictions["centre_bias"].scanpaths.n_fixations
    assert set(lengths) <= set(data.scanpaths.n_fixations)
    short = predict("u", Uniform, data, split, replace(OPTIONS, longest=2))
    assert (short.scanpaths.n_fixations == 2).all()


def test_information_gain_is_worked_out_by_another_route(data, predictions):
    centre, others = predictions["centre_bias"], predictions["other_viewers"]
    items = density_items(others, data, centre)
    gain = items[items["metric"] == "information_gain_bits"]
    mean = {
        name: np.average(own["value"], weights=own["weight"])
        for name, own in gain.groupby("reference")
    }
    bits = {p: predictions[p].fixations["log_density"].mean() / np.log(2) for p in predictions}
    assert mean["uniform"] == pytest.approx(bits["other_viewers"] - bits["uniform"])
    assert mean["centre_bias"] == pytest.approx(bits["other_viewers"] - bits["centre_bias"])
    assert bits["uniform"] == pytest.approx(-np.log2(90 * 70))


def test_nobody_is_compared_with_himself(data, predictions):
    options = PairOptions(names=("string_similarity", "sequence_score"))
    table = pair_items(predictions["other_viewers"], data, options)
    name = NAMES[2]
    paths = [p.xyt for p in data.scanpaths.select(data.scanpaths.stimulus == name)]
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    wanted = fn.string_similarity(
        [paths[j] for _, j in pairs], [paths[i] for i, _ in pairs], SIZE
    ).mean()
    row = table[(table["stimulus"] == name) & (table["metric"] == "string_similarity")]
    assert row["value"].item() == pytest.approx(wanted)
    alone = replace(data, scanpaths=data.scanpaths.select(data.scanpaths.viewer == "1"))
    one = predictions["other_viewers"]
    mine = replace(one, scanpaths=one.scanpaths.select(one.scanpaths.viewer == "1"))
    assert len(pair_items(mine, alone, options)) == 0


def test_clusters_do_not_know_the_viewer_who_is_scored(data, predictions):
    """Who looks elsewhere has no cluster of his own: his fixations fall into the others'."""
    options = PairOptions(names=("sequence_score",), bandwidth=0.5)
    s = data.scanpaths
    mine = (s.viewer == "1")[s.owner]
    far = replace(s, x=np.where(mine, 88.0, s.x), y=np.where(mine, 68.0, s.y))
    one = predictions["other_viewers"]
    moved = replace(one, scanpaths=far.select(far.viewer == "1"))
    table = pair_items(moved, replace(data, scanpaths=far), options)
    # the others look at one place, one cluster at this bandwidth: then all labels are the same
    assert table["value"].mean() > 0.5


def test_an_oracle_beats_the_others_who_beat_chance(data, predictions):
    done = evaluate(data, list(predictions.values()), EvaluateOptions("test", n_examples=2))
    value = {(r.method, r.metric, r.extra.get("reference", "")): r.value for r in done.records}
    gain = "information_gain_bits"
    assert value["uniform", gain, "uniform"] == pytest.approx(0)
    assert value["other_viewers", gain, "centre_bias"] > 0.3
    assert value["other_viewers", "nss", ""] > value["centre_bias", "nss", ""] > 0.2
    assert value["other_viewers", "scanmatch", ""] > value["uniform", "scanmatch", ""]
    assert value["uniform", "auc_judd", ""] == pytest.approx(0.5, abs=0.12)
    for record in done.records:
        assert record.task == "scanpath"
        assert record.extra["viewing"] == "search_present"
        if record.ci_low is not None:
            assert record.ci_low <= record.value <= record.ci_high
    differences = done.differences
    row = differences[
        (differences["method"] == "other_viewers") & (differences["metric"] == "nss")
    ].iloc[0]
    wanted = value["other_viewers", "nss", ""] - value["centre_bias", "nss", ""]
    assert row["difference"] == pytest.approx(wanted)
    assert len(done.examples) == 2


def test_search_behaviour(data):
    table = behaviour_table(data.scanpaths, data)
    assert len(table) == len(data.scanpaths)
    np.testing.assert_allclose(table[["search", "refixation", "revisit"]].sum(axis=1), 1)
    curve = found_curve(table, 5)
    wanted = [(table["first"] <= n).mean() for n in range(1, 6)]
    np.testing.assert_allclose(curve["found"], wanted)
    assert (curve["ci_low"] <= curve["found"] + 1e-9).all()
    unknown = replace(data, objects={})
    assert len(behaviour_table(data.scanpaths, unknown)) == 0
    wrong = replace(data, objects={n: Objects([[1, 1, 5, 5]], ["dog"]) for n in NAMES})
    with pytest.raises(DataError, match="target 'cup' is not among the objects"):
        behaviour_table(data.scanpaths, wrong)


def test_files_that_do_not_belong_together_are_refused(data, predictions):
    with pytest.raises(ConfigError, match="of one method"):
        evaluate(data, [predictions["uniform"]] * 2, EvaluateOptions("test"))
    other = replace(predictions["centre_bias"], attrs={"side": "validation"})
    with pytest.raises(ConfigError, match="some of test"):
        evaluate(data, [predictions["uniform"], other], EvaluateOptions("test"))
    fewer = replace(data, scanpaths=data.scanpaths.select(np.arange(16)))
    with pytest.raises(DataError, match="do not belong together"):
        density_items(predictions["uniform"], fewer, None)
    with pytest.raises(ConfigError, match="has no task reading; it has search_present"):
        predict("u", Uniform, data, split_pictures(NAMES, {}), replace(OPTIONS, tasks=("reading",)))


def test_densities_along_a_scanpath_are_those_one_by_one(data):
    model = SaliencyWithInhibition(strength=0.6).fit(data.scanpaths, data.pictures)
    path, image = data.scanpaths[0].xyt, data.pictures[NAMES[0]]
    together = model.log_densities(image, path, cell=10)
    for step in range(len(path)):
        alone = model.log_density(image, path[:step], cell=10)
        np.testing.assert_allclose(together[step], alone)
    assert (together[1] != together[0]).any()


class Stopping(ScanpathModel):
    """Looks at the middle twice, whatever is asked; it has no density."""

    stops = True

    def predict(self, image, *, n_fixations, n_samples=1, seed=0, **about):
        size = (image.shape[1], image.shape[0])
        x, y = np.full((2, 2), np.array(size)[:, None] / 2)
        path = Scanpath(x, y, np.full(2, np.nan), "sample-0", size=size)
        return Scanpaths.from_list([path] * n_samples)


def test_models_may_stop_and_need_no_density(data, split, predictions):
    few = replace(data, pictures={n: data.pictures[n] for n in NAMES[:5]})
    made = predict("stopping", Stopping, few, split, OPTIONS)
    # it looks at pictures, so that it is not asked about stimuli without one
    assert set(made.scanpaths.stimulus) == set(NAMES[:5])
    assert (made.scanpaths.n_fixations == 2).all()
    assert set(made.scanpaths.target) == {"cup"}
    done = evaluate(data, [made, predictions["other_viewers"]], EvaluateOptions("test"))
    metrics = {r.metric for r in done.records if r.method == "stopping"}
    assert "scanmatch" in metrics
    assert "found_mismatch" in metrics
    assert not metrics & {"nss", "information_gain_bits", "multimatch_shape"}


def test_lengths_are_those_of_the_same_task(data, split):
    """Free viewing lasts longer than search here; a drawn scanpath is as long as its task."""
    s = data.scanpaths
    free = replace(s, task=np.full(len(s), "free_viewing"), target=np.full(len(s), ""))
    short = Scanpaths.from_list(
        [replace(p, x=p.x[:1], y=p.y[:1], duration=p.duration[:1]) for p in s]
    )
    both = replace(data, scanpaths=Scanpaths.concatenate([free, short]))
    drawn = predict("uniform", Uniform, both, split, OPTIONS).scanpaths
    assert (drawn.n_fixations[drawn.task == "search_present"] == 1).all()
    assert (drawn.n_fixations[drawn.task == "free_viewing"] >= 3).all()
