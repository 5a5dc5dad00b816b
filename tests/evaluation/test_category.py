"""Category of reconstructions: what the read-out may learn from, and what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.embed.base import EMBEDDERS
from neurodecode.errors import DataError
from neurodecode.evaluation.category import (
    TRUE_PICTURES,
    category_chance,
    category_scores,
    ceiling_scores,
)
from neurodecode.evaluation.picture_features import PictureFeatures, token_features
from neurodecode.evaluation.predictions import Evaluator
from neurodecode.evaluation.readout import open_readout
from neurodecode.metrics.records import read_records
from neurodecode.recording import StimulusSet
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import EmbeddingStore, Prediction, write_predictions, write_stimuli

#: Red, green and blue pictures: the channel is the category.
LABELS = ["red", "green", "blue"]
N_TRAIN, N_UNSHOWN, N_TEST = 12, 6, 7
N = N_TRAIN + N_UNSHOWN + N_TEST
IDS = [f"{number:032x}" for number in range(N)]
TEST = IDS[-N_TEST:]


class Colours:
    """Stands for an embedder: 4 tokens of width 3, mean colours of the picture and of stripes."""

    name = "colours"

    def __init__(self, provenance=None):
        self.provenance = provenance or {"sha256": "1"}
        self.seen = 0

    def encode_images(self, images):
        self.seen += len(images)
        values = images.astype(np.float32) / 255
        stripes = [values[:, row::3].mean(axis=(1, 2)) for row in range(3)]
        tokens = np.stack([values.mean(axis=(1, 2)), *stripes], axis=1)
        return {"tokens": tokens, "pooled": tokens[:, 0]}


def paint(labels, rng):
    """Pictures of 9 x 8 in which the channel of the category is bright."""
    images = rng.integers(0, 60, (len(labels), 9, 8, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[..., LABELS.index(label)] += 150
    return images


class World:
    """A data set on disk: training, unshown and test pictures; test is red 4, green 2, blue 1."""

    def __init__(self, root, monkeypatch):
        self.root, self.embedder = root, Colours()
        monkeypatch.setitem(EMBEDDERS, "colours", lambda variant, download: self.embedder)
        self.stores, self.embeddings = root / "stores" / "tiny", root / "embeddings" / "tiny"
        self.tokens = self.embeddings / "colours.h5"
        self.labels = [LABELS[i % 3] for i in range(N - N_TEST)]
        self.labels += ["red", "red", "green", "blue", "red", "green", "red"]
        self.images = paint(self.labels, np.random.default_rng(4))
        self.split = Split("shared-test", "stimulus", (Fold(tuple(IDS[:10]), tuple(IDS[10:12]),
                                                            tuple(TEST)),))  # fmt: skip
        self.write()

    def write(self, categories=True, embed=True):
        stimuli = StimulusSet(IDS, self.images, categories=self.labels if categories else None)
        write_stimuli(self.stores / "stimuli.h5", stimuli)
        write_split(self.stores / "splits.json", self.split)
        self.tokens.unlink(missing_ok=True)
        if embed:
            arrays = Colours().encode_images(self.images)
            shapes = {name: values.shape[1:] for name, values in arrays.items()}
            store = EmbeddingStore.create(self.tokens, IDS, shapes, {"sha256": "1"})
            store.write(np.arange(N), arrays)
        self.stimuli = stimuli
        return self

    def open(self):
        return open_readout(self.stores, self.stimuli, self.tokens, self.embedder)

    def predict(self, name, drawn, subjects=("1", "2"), **attrs):
        """Reconstructions of the test pictures: pictures of the colours `drawn`."""
        images = paint(drawn, np.random.default_rng(len(name)))
        made = {"task": "reconstruction", "selection_split": "validation", "seed": 3, **attrs}
        each = [Prediction(s, TEST, {"images": images}, n_averaged=2.5) for s in subjects]
        write_predictions(self.root / f"{name}.h5", name, each, made)
        return self.root / f"{name}.h5"

    def evaluate(self, *files, words=()):
        code = main(["evaluate", "--profile", "p", "--dataset", "tiny", "--predictions",
                     *map(str, files), "--stores", str(self.stores.parent), "--clip", "colours",
                     "--embeddings", str(self.embeddings.parent), "--quiet", *words,
                     "--out", str(self.root)])  # fmt: skip
        return code or {
            (record.method, record.subject): record
            for record in read_records(self.root / "metrics.json")
            if record.metric == "category_accuracy"
        }


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path, monkeypatch)


# red red green blue red green red were seen; drawn are four of them in their colour
DRAWN = ["red", "green", "green", "blue", "blue", "red", "red"]


def test_token_features_of_a_case_worked_by_hand():
    tokens = np.array([[[1, 2], [3, 5], [5, 6], [7, 7]], [[0, 9], [1, 1], [1, 1], [1, 4]]])
    np.testing.assert_allclose(token_features(tokens), [[1, 2, 5, 6], [0, 9, 1, 2]])


def test_every_picture_is_embedded_once(world):
    pictures = PictureFeatures(world.embedder.encode_images)
    first = pictures.pooled(world.images[:5])
    again = pictures.tokens(world.images[[4, 0, 5, 5]])
    assert world.embedder.seen == 6
    fresh = Colours().encode_images(world.images[[4, 0, 5, 5]])
    np.testing.assert_allclose(first, Colours().encode_images(world.images[:5])["pooled"])
    np.testing.assert_allclose(again, token_features(fresh["tokens"]))


def test_pictures_of_the_same_bytes_and_another_shape_are_not_the_same(world):
    pictures = PictureFeatures(world.embedder.encode_images)
    image = np.arange(54, dtype=np.uint8)
    wide, high = (pictures.pooled(image.reshape(1, *s, 3)) for s in ((3, 6), (6, 3)))
    assert world.embedder.seen == 2
    assert wide.shape == high.shape == (1, 3)


def test_chance_is_the_largest_share_over_all_folds():
    categories = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "y"}
    folds = [Prediction("1", ["a", "b"], {}), Prediction("1", ["c", "d", "nameless"], {}, fold=1)]
    others = [Prediction("2", ["c", "d", "e", "a"], {}), Prediction("3", ["nameless"], {})]
    # x twice and y twice, though each is alone in its fold; y three times of four
    assert category_chance(folds + others, categories) == {"1": 0.5, "2": 0.75}


def test_scores_of_a_case_worked_by_hand(world):
    readout = world.open()
    each = Prediction("1", TEST, {}, n_averaged=2.5)
    features = token_features(
        Colours().encode_images(paint(DRAWN, np.random.default_rng(9)))["tokens"]
    )
    (score,) = category_scores(each, features, "m", readout, {"1": 4 / 7})
    assert score.values.tolist() == [1, 0, 1, 1, 0, 0, 1]
    assert (score.metric, score.task) == ("category_accuracy", "reconstruction")
    assert (score.n_candidates, score.chance, score.n_averaged) == (3, 4 / 7, 2.5)


def test_readout_learns_from_the_training_side_and_unshown_pictures_alone(world):
    # the validation and test pictures carry wrong labels: whoever learns from them is misled
    lying = dict(zip(IDS, world.labels, strict=True))
    lying |= {name: "a lie" for name in IDS[10:12] + TEST}
    honest = world.open()
    readout = replace(honest, categories=lying, _fitted={})
    assert readout.n_categories(0) == 3
    # and what nobody was shown takes part: without it blue is unknown
    seen = {name: "blue" if name in IDS[12:18] else "red" for name in IDS[:10] + IDS[12:18]}
    assert replace(honest, categories=seen, _fitted={}).n_categories(0) == 2


def test_unshown_look_alikes_of_test_pictures_are_left_out(world):
    labels = dict(zip(IDS, world.labels, strict=True)) | {IDS[12]: "alone"}
    readout = replace(world.open(), categories=labels, _fitted={})
    assert readout.n_categories(0) == 4
    alike = replace(world.split, duplicates=((IDS[12], TEST[0]),))
    assert replace(readout, split=alike, _fitted={}).n_categories(0) == 3


def test_pictures_without_a_category_are_left_out(world):
    world.labels[-1] = ""
    world.labels[0] = ""
    readout = world.write().open()
    each = Prediction("1", TEST, {})
    features = token_features(Colours().encode_images(world.images[-N_TEST:])["tokens"])
    (score,) = category_scores(each, features, "m", readout, {"1": 0.5})
    assert list(score.stimulus_id) == TEST[:-1]
    assert score.n_candidates == 3
    assert category_scores(Prediction("1", TEST[-1:], {}), features, "m", readout, {}) == []


def test_true_pictures_are_scored_once_however_often_they_were_shown(world):
    rows = [3, 0, 0, 5]
    each = Prediction("1", [TEST[row] for row in rows], {}, n_averaged=3)
    features = token_features(Colours().encode_images(world.images[-N_TEST:][rows])["tokens"])
    (score,) = ceiling_scores(each, features, world.open(), {"1": 0.5})
    assert (score.method, list(score.stimulus_id)) == (TRUE_PICTURES, [TEST[i] for i in (0, 3, 5)])
    # each with the picture that belongs to it
    assert score.values.tolist() == [1, 1, 1]
    assert np.isnan(score.n_averaged)


def test_category_that_training_never_saw(world):
    world.labels[-2] = "ultraviolet"
    each = world.write().open()
    with pytest.raises(DataError, match="no training picture of fold 0 is of category 'ultraviol"):
        each.right(0, TEST, np.zeros((N_TEST, 6)))


def test_predictions_of_another_split(world):
    readout = world.open()
    with pytest.raises(DataError, match="2 stimuli are not on the test side of fold 0 of 1"):
        readout.right(0, [*IDS[11:13], TEST[0]], np.zeros((3, 6)))
    with pytest.raises(DataError, match="7 stimuli are not on the test side of fold 1 of 1"):
        readout.right(1, TEST, np.zeros((N_TEST, 6)))


def test_a_single_category_is_nothing_to_read_out(world):
    world.labels = ["red"] * N
    with pytest.raises(DataError, match="1 categories among the training pictures"):
        world.write().open().n_categories(0)


def test_embeddings_of_other_weights(world):
    world.embedder.provenance = {"sha256": "2"}
    with pytest.raises(DataError, match="not made with the weights of colours"):
        world.open()


def test_absent_where_there_is_nothing_to_fit_on(world):
    assert world.open() is not None
    assert world.write(categories=False).open() is None
    assert world.write(embed=False).open() is None
    world.write().split = Split("runs", "run", world.split.folds)
    assert world.write().open() is None
    (world.stores / "splits.json").unlink()
    assert world.open() is None
    for shape in ((1, 3), (6,)):  # no patch tokens; no tokens at all
        EmbeddingStore.create(world.tokens, IDS, {"tokens": shape}, {"sha256": "1"})
        assert world.open() is None


def test_command_writes_records_and_the_ceiling_once(world):
    files = [world.predict("drawn", DRAWN), world.predict("shuffled", DRAWN[::-1])]
    found = world.evaluate(*files)
    assert set(found) == {
        (method, subject)
        for method in ("drawn", "shuffled", TRUE_PICTURES)
        for subject in ("1", "2", "mean")
    }
    drawn, ceiling = found["drawn", "mean"], found[TRUE_PICTURES, "mean"]
    assert (drawn.value, drawn.n, drawn.chance) == (pytest.approx(4 / 7), 14, pytest.approx(4 / 7))
    assert (drawn.n_candidates, drawn.n_averaged, drawn.seed) == (3, 2.5, 3)
    assert drawn.selection_split == "validation"
    assert drawn.extra == {"features": "colours"}
    assert drawn.ci_low < drawn.value < drawn.ci_high
    # backwards: red red blue blue green green red
    assert found["shuffled", "1"].value == pytest.approx(5 / 7)
    # the read-out chose nothing and saw no response
    assert (ceiling.value, ceiling.n, ceiling.n_averaged) == (1, 14, None)
    assert ceiling.selection_split == "none"
    # seven true pictures and two files of seven, for two subjects who saw the same
    assert world.embedder.seen == 3 * N_TEST


def test_command_is_silent_without_embeddings_and_on_demand(world):
    file = world.predict("drawn", DRAWN)
    assert world.evaluate(file, words=["--no-readout"]) == {}
    assert world.write(embed=False).evaluate(file) == {}


def test_command_says_what_training_never_saw(world, capsys):
    world.labels[-2] = "ultraviolet"
    world.write()
    file = world.predict("drawn", DRAWN)
    assert world.evaluate(file) == 2
    line = capsys.readouterr().err.strip()
    assert f"file {file}, field categories: no training picture of fold 0" in line
    assert line.endswith("divide the stimuli otherwise, or evaluate with --no-readout")


def test_evaluator_names_low_level_pictures_too(world):
    images = paint(DRAWN, np.random.default_rng(1))
    right = world.images[-N_TEST:]
    each = Prediction("1", TEST, {"images": images, "low_level": right})
    made = {"task": "reconstruction"}
    write_predictions(world.root / "p.h5", "drawn", [each], made)
    from neurodecode.store import read_predictions

    done = Evaluator("tiny", world.stores, world.embeddings, "colours")(
        read_predictions(world.root / "p.h5")
    )
    found = {s.method: s.values.mean() for s in done.scores if s.metric == "category_accuracy"}
    assert found == {"drawn": pytest.approx(4 / 7), "low_level": 1}
