"""Captions by retrieval: the bank holds no held-out caption, and the scores say what was used."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.embed import EMBEDDERS
from neurodecode.evaluation.captioning import caption_wholes
from neurodecode.metrics.functional import bleu, bleu_counts, rouge_l
from neurodecode.metrics.records import read_records
from neurodecode.recording import StimulusSet
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import Prediction, read_predictions, write_predictions, write_stimuli

COLOURS = ("red", "green", "blue")
#: Number -> caption; 0 to 8 training, 9 and 10 unshown, 11 to 17 test.
WORDS = [f"a {COLOURS[n % 3]} {('ball', 'boat')[n % 2]}" for n in range(18)]
IDS = [f"{number:032x}" for number in range(18)]
TEST = IDS[11:]
#: Only pictures of the test set say so.
SECRET = "a purple elephant"


class Letters:
    """Stands for an image-text model: counts of some letters, and tokens that are twice them."""

    name = "letters"
    provenance = {"model": "letters", "sha256": "0123456789abcdef"}

    def encode_texts(self, texts):
        return np.array([[text.count(c) + 0.1 for c in "rgbloent"] for text in texts])

    def encode_images(self, images):
        return {"pooled": self.encode_texts([WORDS[image[0, 0, 0]] for image in images])}

    def pool_tokens(self, tokens):
        return tokens.mean(axis=1) / 2


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setitem(EMBEDDERS, "letters", lambda variant, download: Letters())
    images = np.arange(18, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 9, 3), np.uint8)
    captions = [[words, f"{words} there"] for words in WORDS]
    captions[11].append(SECRET)
    stores = tmp_path / "stores" / "tiny"
    write_stimuli(stores / "stimuli.h5", StimulusSet(IDS, images, captions=captions))
    fold = Fold(tuple(IDS[:7]), tuple(IDS[7:9]), tuple(TEST))
    write_split(stores / "splits.json", Split("shared-test", "stimulus", (fold,)))
    return tmp_path


def caption(world, stimuli=TEST, texts=None, array="tokens", words=()):
    """Decode the embeddings of texts, by default the true ones."""
    decoded = Letters().encode_texts(texts or [WORDS[IDS.index(name)] for name in stimuli])
    if array == "tokens":
        decoded = np.stack([decoded, 3 * decoded, 2 * decoded], axis=1)
    made = {"task": "identification", "selection_split": "train", "seed": 3}
    each = [Prediction(s, list(stimuli), {array: decoded}, n_averaged=2) for s in ("1", "2")]
    write_predictions(world / "decoded.h5", "ridge", each, made)
    stores = world / "stores" / "tiny"
    return main(["caption", "--predictions", str(world / "decoded.h5"), "--stimuli",
                 str(stores / "stimuli.h5"), "--splits", str(stores / "splits.json"),
                 "--embedder", "letters", "--array", array, "--out", str(world / "captions.h5"),
                 "--quiet", *words])  # fmt: skip


def given(world):
    each = read_predictions(world / "captions.h5").predictions[0]
    return [text.decode() for text in each.arrays["captions"]]


@pytest.mark.parametrize("array", ["tokens", "pooled"])
def test_the_closest_caption_is_given(world, array):
    assert caption(world, array=array) == 0
    assert given(world) == [WORDS[IDS.index(name)] for name in TEST]
    each = read_predictions(world / "captions.h5").predictions[0]
    np.testing.assert_allclose(each.arrays["similarity"], np.ones(7), rtol=1e-6)


def test_captions_of_test_pictures_are_not_in_the_bank(world):
    assert caption(world, texts=[SECRET] * 7) == 0
    assert SECRET not in given(world)


def test_scores_of_the_command(world):
    texts = [*[WORDS[11]] * 3, *[WORDS[14]] * 4]
    assert caption(world, texts=texts) == 0
    code = main(["evaluate", "--profile", "p", "--dataset", "tiny", "--predictions",
                 str(world / "captions.h5"), "--stores", str(world / "stores"), "--clip",
                 "letters", "--out", str(world), "--quiet"])  # fmt: skip
    assert code == 0
    records = read_records(world / "metrics.json")
    assert {record.task for record in records} == {"captioning"}
    mean = {record.metric: record for record in records if record.subject == "mean"}
    truths = [[WORDS[n], f"{WORDS[n]} there"] for n in range(11, 18)]
    truths[0].append(SECRET)
    got = given(world)
    assert mean["rouge_l"].value == pytest.approx(rouge_l(got, truths).mean())
    totals = bleu_counts(got, truths).sum(axis=0)
    for n in (1, 2, 3):
        record = mean[f"bleu{n}"]
        assert record.value == pytest.approx(float(bleu(totals, n)))
        assert record.ci_low <= record.value <= record.ci_high
        assert record.n == 14
        assert (record.selection_split, record.seed, record.n_averaged) == ("train", 3, 2)
    assert mean["rouge_l"].value > mean["rouge_l"].chance
    images, words = Letters().encode_texts(WORDS[11:]), Letters().encode_texts(got)
    cosine = (
        (images * words).sum(1) / np.linalg.norm(images, axis=1) / np.linalg.norm(words, axis=1)
    )
    assert mean["clip_score"].value == pytest.approx(2.5 * cosine.mean())
    assert mean["clip_score"].extra["weights"] == "letters sha256:0123456789ab"
    if mean["meteor"].value is None:
        assert mean["meteor"].extra == {"missing": "nltk and its wordnet"}


def test_subjects_who_saw_the_same_are_resampled_together():
    captions, truths = ["a b c", "a b", "c d"], [["a b c"], ["a c"], ["c d"]]
    order = [2, 0, 1]
    one = caption_wholes(Prediction("1", list("xyz"), {}), "m", captions, truths)
    two = caption_wholes(
        Prediction("2", list("zxy"), {}), "m",
        [captions[i] for i in order], [truths[i] for i in order],
    )  # fmt: skip
    np.testing.assert_allclose(one[1].resampled, two[1].resampled)
    assert one[1].resampled.std() > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stimuli": IDS[4:9], "texts": WORDS[4:9]}, "3 stimuli are training stimuli"),
        ({"words": ["--array", "latent"]}, "no array 'latent' (found: tokens)"),
        ({"words": ["--array", "pooled"]}, "no array 'pooled'"),
        ({"words": ["--embedder", "gabor"]}, "gabor embeds pictures alone"),
    ],
)
def test_what_cannot_be_captioned_is_one_line(world, capsys, options, message):
    assert caption(world, **options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (world / "captions.h5").exists()
