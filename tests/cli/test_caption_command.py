"""`caption` by what its captions are taken from, and by what they are sought with."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from neurodecode.banks import Bank
from neurodecode.cli import main
from neurodecode.embed import EMBEDDERS
from neurodecode.recording import StimulusSet, content_id
from neurodecode.splits import Fold, Split, write_split
from neurodecode.store import (
    EmbeddingStore,
    Prediction,
    read_predictions,
    write_predictions,
    write_stimuli,
)

CAPTIONS = ["a red house", "a blue boat", "the sun over trees", "a red house", "  ", "two cats"]
#: Pooled embeddings, how red, green and blue; the third is equally near to all colours.
DECODED = np.array([[0, 0, 9.0], [7, 0, 1], [3, 3, 3]])
EXPECTED = ["a blue boat", "a red house", "two cats"]


class WordTower:
    """Texts and pictures in a space of three; it pools no tokens."""

    name = "word-tower"

    def __init__(self, weights: str = "first") -> None:
        self.provenance = {"model": "word-tower", "weights": weights}

    def encode_texts(self, texts):
        colours = ("red", "trees", "blue")
        return np.array([[1 + 5 * (c in text) for c in colours] for text in texts], np.float32)

    def encode_images(self, images):
        return {"pooled": images.reshape(len(images), -1, 3).mean(axis=1)}


@pytest.fixture(autouse=True)
def tower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EMBEDDERS, "word-tower", lambda variant, download: WordTower())


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    (tmp_path / "captions.txt").write_text("\n".join(CAPTIONS), encoding="utf-8")
    words = ["bank", "build", "--captions", str(tmp_path / "captions.txt"), "--model",
             "word-tower", "--out", str(tmp_path / "bank"), "--quiet"]  # fmt: skip
    assert main(words) == 0
    return tmp_path / "bank"


def caption(folder: Path, arrays: dict, *words: str, attrs: dict | None = None) -> int:
    each = Prediction("s", ["x", "y", "z"], arrays, n_averaged=2.0)
    write_predictions(folder / "decoded.h5", "decoder", [each], attrs)
    return main(["caption", "--predictions", str(folder / "decoded.h5"), "--out",
                 str(folder / "out.h5"), "--quiet", *map(str, words)])  # fmt: skip


def given(folder: Path) -> list[str]:
    each = read_predictions(folder / "out.h5").predictions[0]
    return [text.decode("utf-8") for text in each.arrays["captions"]]


@pytest.mark.parametrize(
    ("arrays", "array"),
    [
        ({"pooled": DECODED}, "pooled"),
        ({"tokens": DECODED[:, None]}, "tokens"),  # one token is a pooled embedding
        ({"images": np.tile(DECODED[:, None, None], (1, 4, 5, 1)).astype(np.uint8)}, "images"),
    ],
)
def test_captions_of_a_bank(bank: Path, tmp_path: Path, arrays: dict, array: str) -> None:
    assert caption(tmp_path, arrays, "--bank", bank, "--array", array) == 0
    assert given(tmp_path) == EXPECTED
    content = read_predictions(tmp_path / "out.h5")
    # by hand: (1, 1, 6) has length sqrt(38); float32
    similarity = content.predictions[0].arrays["similarity"]
    np.testing.assert_allclose(similarity[[0, 2]], [6 / 38**0.5, 1.0], rtol=1e-6)
    assert content.attrs["task"] == "captioning"
    assert content.attrs["array"] == array
    assert content.attrs["captions"]["bank"] == "bank"
    assert content.attrs["captions"]["n"] == 5
    assert content.predictions[0].n_averaged == 2.0


def test_pictures_of_another_decoder_are_looked_at(bank: Path, tmp_path: Path, capsys) -> None:
    images = np.full((3, 4, 5, 3), (250, 3, 3), np.uint8)
    arrays, attrs = {"images": images, "tokens": DECODED}, {"embedding_model": "mini-clip"}
    words = ["--bank", bank, "--array", "images"]
    assert caption(tmp_path, arrays, *words, attrs=attrs) == 0
    assert given(tmp_path) == ["a red house"] * 3
    assert caption(tmp_path, arrays, "--bank", bank, attrs=attrs) == 2
    said = capsys.readouterr().err
    assert "decoded are embeddings of mini-clip, captions are in the space of word-tower" in said
    assert "--array images" in said


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Training, validation, test, one that nobody saw, a look-alike of the test picture."""
    colours = [(200, 3, 3), (3, 3, 200), (3, 200, 3), (99, 99, 99), (3, 199, 3)]
    images = np.array([np.full((4, 5, 3), colour) for colour in colours], np.uint8)
    ids = [content_id(image) for image in images]
    words = ["a red ball", "a blue ball", "trees", "a cat", "two trees"]
    write_stimuli(tmp_path / "stimuli.h5", StimulusSet(ids, images, [[w] for w in words]))
    fold = Fold((ids[0],), (ids[1],), (ids[2],))
    split = Split("test", "stimulus", (fold,), duplicates=((ids[2], ids[4]),))
    write_split(tmp_path / "splits.json", split)
    return ids


def test_held_out_pictures_and_their_look_alikes_tell_nothing(
    pictures: list[str], tmp_path: Path
) -> None:
    decoded = {"pooled": np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])}
    attrs = {"embedding_model": "word-tower"}  # needs no --embedder then
    words = ["--stimuli", tmp_path / "stimuli.h5", "--splits", tmp_path / "splits.json"]
    assert caption(tmp_path, decoded, *words, "--array", "pooled", attrs=attrs) == 0
    assert given(tmp_path) == ["a cat", "a cat", "a red ball"]
    assert read_predictions(tmp_path / "out.h5").attrs["captions"]["scheme"] == "test"


def stimuli_bank(folder: Path, ids: list[str], array: str) -> Path:
    """A bank of what `embed` wrote, whose rows bear the stimuli's ids."""
    texts = WordTower().encode_texts(["a red ball", "a blue ball", "trees", "a cat", "two trees"])
    attrs = {"embedder": "word-tower", **WordTower().provenance}
    store = EmbeddingStore.create(folder / "e.h5", ids, {array: (3,)}, attrs)
    store.write(np.arange(5), {array: texts})
    words = ["bank", "build", "--embeddings", str(folder / "e.h5"), "--array", array, "--stimuli",
             str(folder / "stimuli.h5"), "--out", str(folder / "bank"), "--quiet"]  # fmt: skip
    assert main(words) == 0
    return folder / "bank"


def test_a_bank_that_tells_the_truth_is_refused(
    pictures: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank = stimuli_bank(tmp_path, pictures, "text")
    each = Prediction("s", [pictures[2]], {"pooled": np.array([[0, 1.0, 0]])})
    write_predictions(tmp_path / "decoded.h5", "decoder", [each])
    words = ["caption", "--predictions", str(tmp_path / "decoded.h5"), "--bank", str(bank),
             "--array", "pooled", "--out", str(tmp_path / "out.h5"), "--quiet"]  # fmt: skip
    assert main(words) == 2
    assert "holds the captions of 1 of the stimuli" in capsys.readouterr().err
    assert not (tmp_path / "out.h5").exists()


def test_a_bank_of_pictures_is_refused(pictures: list[str], tmp_path: Path, capsys) -> None:
    bank = stimuli_bank(tmp_path, pictures, "pooled")
    assert caption(tmp_path, {"pooled": DECODED}, "--bank", bank, "--array", "pooled") == 2
    assert "holds pooled, not captions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "arrays", "says"),
    [
        (["--bank", "bank"], {"tokens": np.ones((3, 2, 3))}, "word-tower does not pool such"),
        (["--bank", "bank"], {"tokens": np.ones((3, 4))}, "embeddings of 4 numbers, the bank has"),
        (["--bank", "bank", "--splits", "s.json"], {}, "--splits belongs to --stimuli"),
        (["--bank", "bank", "--embedder", "mini-clip"], {}, "--embedder belongs to --stimuli"),
        (["--bank", "none"], {}, "no finished bank"),
        (["--stimuli", "stimuli.h5"], {}, "--stimuli needs --splits"),
    ],
)
def test_what_does_not_fit_is_one_line(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], words: list[str], arrays: dict, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert caption(tmp_path, arrays or {"tokens": DECODED}, *words) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out.h5").exists()


def test_a_bank_of_other_weights_is_refused(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setitem(EMBEDDERS, "word-tower", lambda variant, download: WordTower("other"))
    assert caption(tmp_path, {"tokens": DECODED}, "--bank", bank) == 2
    assert "was built with other weights than word-tower has now" in capsys.readouterr().err


def test_a_bank_needs_captions_and_readable_text(tmp_path: Path, capsys) -> None:
    words = ["bank", "build", "--captions", str(tmp_path / "c.txt"), "--quiet", "--out",
             str(tmp_path / "bank"), "--model"]  # fmt: skip
    for content, model, says in [
        (b" \n\n", "word-tower", "no captions in this file"),
        (b"\xff\xfe", "word-tower", "not UTF-8 text"),
        (b"a cat", "gabor", "gabor does not embed texts"),
    ]:
        (tmp_path / "c.txt").write_bytes(content)
        assert main([*words, model]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1
        assert not (tmp_path / "bank").exists()


def test_a_bank_without_captions_of_its_rows(bank: Path, tmp_path: Path, capsys) -> None:
    with h5py.File(bank / "items.h5", "r+") as file:
        file["caption"][...] = np.array([b""] * Bank(bank).n, dtype=object)
    assert caption(tmp_path, {"tokens": DECODED}, "--bank", bank) == 2
    assert "rows have no caption" in capsys.readouterr().err
