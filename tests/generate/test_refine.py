"""Refinement by retrieved captions, from the bank to the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_pipelines import PublicWorld

from neurodecode.cli import main
from neurodecode.embed import CaptionBank, make_embedder
from neurodecode.errors import ConfigError, DataError
from neurodecode.generate.refine import SdxlRefiner, blend
from neurodecode.store import Prediction, read_predictions, write_predictions
from neurodecode.tasks.refine import Refining, refine

CAPTIONS = ["a red house", "a blue boat", "the sun over trees", "a red house", "  ", "two cats"]


class WordTower:
    """Texts and pictures in a space of three: how red, green and blue."""

    name, provenance = "word-tower", {"model": "word-tower"}

    def encode_texts(self, texts):
        colours = ("red", "trees", "blue")
        return np.array([[1 + 5 * (c in text) for c in colours] for text in texts], np.float32)

    def encode_images(self, images):
        return {"pooled": images.reshape(len(images), -1, 3).mean(axis=1)}


@pytest.fixture
def bank(tmp_path: Path) -> CaptionBank:
    return CaptionBank.write(tmp_path / "bank.h5", CAPTIONS, WordTower(), {"source": "test"})


def test_nearest_caption(bank: CaptionBank) -> None:
    assert sorted(bank.store.ids) == [
        "a blue boat", "a red house", "the sun over trees", "two cats"
    ]  # fmt: skip
    found, cosine = bank.nearest(np.array([[0, 0, 9.0], [7, 0, 1], [3, 3, 3]]))
    assert found == ["a blue boat", "a red house", "two cats"]
    # by hand: (1, 1, 6) has length sqrt(38)
    np.testing.assert_allclose(cosine[[0, 2]], [6 / 38**0.5, 1.0], rtol=1e-6)
    assert CaptionBank(bank.store.path).embedder == "word-tower"


def test_bank_refuses(bank: CaptionBank, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"shape \(2, 4\) for captions of width 3; .* word-tower"):
        bank.nearest(np.zeros((2, 4)))
    with pytest.raises(DataError, match="no captions"):
        CaptionBank.write(tmp_path / "b.h5", [" "], WordTower(), {})
    with pytest.raises(ConfigError, match="gabor embeds no texts"):
        CaptionBank.write(tmp_path / "b.h5", CAPTIONS, make_embedder("gabor"), {})
    assert not (tmp_path / "b.h5").exists()


def test_blend_by_hand() -> None:
    bright, dark = np.full((2, 6, 8, 3), 200, np.uint8), np.full((2, 3, 4, 3), 40, np.uint8)
    np.testing.assert_array_equal(blend(bright, dark), np.full((2, 6, 8, 3), 160))
    np.testing.assert_array_equal(blend(bright, dark, 1.0), bright)
    np.testing.assert_array_equal(blend(bright, dark, 0.0), np.full((2, 6, 8, 3), 40))
    with pytest.raises(DataError, match=r"1\.5 is not between 0 and 1"):
        blend(bright, dark, 1.5)
    with pytest.raises(DataError, match="1 low-level pictures for 2"):
        blend(bright, dark[:1])


@pytest.fixture(scope="session")
def refiner(public: PublicWorld) -> SdxlRefiner:
    return SdxlRefiner.load(str(public.folders["sdxl-ip-adapter"]), device="cpu", batch_size=2)


@pytest.fixture
def drawn() -> Prediction:
    rng = np.random.default_rng(5)
    arrays = {
        "images": rng.integers(0, 256, (3, 24, 24, 3), np.uint8),
        "low_level": rng.integers(0, 256, (3, 16, 16, 3), np.uint8),
    }
    return Prediction("s", ["a", "b", "c"], arrays, n_averaged=2.0, fold=1)


def test_caption_seed_and_picture_decide(refiner: SdxlRefiner, drawn: Prediction) -> None:
    images, texts = drawn.arrays["images"], ["a cat", "dogs", "the sea"]
    found = refiner.refine(images, texts, n_steps=4, seed=3)
    assert found.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(found, refiner.refine(images, texts, n_steps=4, seed=[3] * 3))
    for changed in (
        refiner.refine(images, ["a dog", "cats", "a hill"], n_steps=4, seed=3),
        refiner.refine(images, texts, n_steps=4, seed=4),
        refiner.refine(images[::-1].copy(), texts, n_steps=4, seed=3),
    ):
        assert np.abs(changed.astype(int) - found).mean() > 1
    kept = refiner.refine(images, texts, strength=0.0)
    np.testing.assert_array_equal(kept, refiner.decode(refiner.encode(images)))
    assert refiner.refine(images[:0], []).shape == (0, 32, 32, 3)
    with pytest.raises(DataError, match="2 captions for 3 pictures"):
        refiner.refine(images, texts[:2])


def test_refined_prediction(refiner: SdxlRefiner, drawn: Prediction, bank: CaptionBank) -> None:
    query = np.array([[0, 0, 9.0], [7, 0, 1], [3, 3, 3]])
    found = refine(drawn, query, bank, refiner, Refining(n_steps=4)).arrays
    assert [text.decode() for text in found["caption"]] == bank.nearest(query)[0]
    np.testing.assert_array_equal(found["first"], drawn.arrays["images"])
    np.testing.assert_array_equal(
        found["images"], blend(found["refined"], drawn.arrays["low_level"], 0.75)
    )
    alone = Prediction("s", ["b"], {k: v[1:2] for k, v in drawn.arrays.items()})
    one = refine(alone, query[1:2], bank, refiner, Refining(n_steps=4, blend=1.0)).arrays
    assert np.abs(one["images"].astype(int) - found["refined"][1]).max() <= 2
    bare = Prediction("s", ["a"], {"images": drawn.arrays["images"][:1]})
    with pytest.raises(DataError, match="no array 'low_level' to mix in; use --blend 1"):
        refine(bare, query[:1], bank, refiner, Refining())


def test_commands(
    public: PublicWorld, drawn: Prediction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neurodecode import embed

    monkeypatch.setattr(embed, "make_embedder", lambda name, download=False: WordTower())
    texts = tmp_path / "captions.txt"
    texts.write_text("\n".join(CAPTIONS), encoding="utf-8")
    words = ["captions", "--texts", str(texts), "--model", "word-tower", "--quiet"]
    assert main([*words, "--out", str(tmp_path / "bank.h5")]) == 0
    write_predictions(tmp_path / "first.h5", "decoder", [drawn], {"task": "reconstruction"})
    options = tmp_path / "options.yaml"
    options.write_text(f"weights: {public.folders['sdxl-ip-adapter']}\ndevice: cpu\n")
    words = ["refine", "--predictions", str(tmp_path / "first.h5"), "--captions",
             str(tmp_path / "bank.h5"), "--steps", "4", "--generator-config", str(options),
             "--generator-options", "batch_size=2", "vae_slicing=true", "--quiet"]  # fmt: skip
    assert main([*words, "--out", str(tmp_path / "refined.h5")]) == 0
    found = read_predictions(tmp_path / "refined.h5")
    assert found.method == "refined"
    assert found.attrs["task"] == "reconstruction"
    assert found.attrs["captions"]["source"] == "captions.txt"
    assert found.attrs["caption_from"] == "first picture"
    assert found.attrs["refining"]["blend"] == 0.75
    assert found.predictions[0].arrays["images"].shape == (3, 32, 32, 3)
    # by the decoded embedding, one token of width 3, instead of the picture's
    tokens = np.array([[[0, 0, 9.0]], [[7, 0, 1]], [[0, 8, 0]]])
    decoded = Prediction("s", drawn.stimulus_id, {"tokens": tokens}, fold=1)
    attrs = {"embedding_model": "word-tower"}
    write_predictions(tmp_path / "decoded.h5", "decoder", [decoded], attrs)
    words += ["--decoded", str(tmp_path / "decoded.h5"), "--out", str(tmp_path / "other.h5")]
    assert main(words) == 0
    captions = read_predictions(tmp_path / "other.h5").predictions[0].arrays["caption"]
    assert captions.tolist() == [b"a blue boat", b"a red house", b"the sun over trees"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"embedding_model": "openclip:other"}, "captions are in the space of word-tower"),
        ({"stimulus_id": ["a", "c", "b"]}, "subject s, field stimulus_id: other stimuli"),
        ({"tokens": np.zeros((3, 1, 4))}, "captions of width 3"),
    ],
)
def test_decoded_embeddings_that_do_not_fit(
    public: PublicWorld, drawn: Prediction, bank: CaptionBank, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], change: dict, says: str,
) -> None:  # fmt: skip
    decoded = Prediction(
        "s", change.get("stimulus_id", ["a", "b", "c"]),
        {"tokens": change.get("tokens", np.ones((3, 3)))}, fold=1,
    )  # fmt: skip
    attrs = {"embedding_model": change.get("embedding_model", "word-tower")}
    write_predictions(tmp_path / "decoded.h5", "decoder", [decoded], attrs)
    write_predictions(tmp_path / "first.h5", "decoder", [drawn], {})
    folder = public.folders["sdxl-ip-adapter"]
    words = ["refine", "--predictions", tmp_path / "first.h5", "--captions", bank.store.path,
             "--decoded", tmp_path / "decoded.h5", "--out", tmp_path / "out.h5", "--quiet",
             "--generator-options", f"weights={folder}", "device=cpu"]  # fmt: skip
    assert main([str(word) for word in words]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out.h5").exists()
