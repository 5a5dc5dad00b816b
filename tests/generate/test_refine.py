"""Refinement by captions, from the pictures to the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_pipelines import PublicWorld

from neurodecode.cli import main
from neurodecode.errors import DataError
from neurodecode.generate.refine import SdxlRefiner, blend
from neurodecode.store import Prediction, read_predictions, write_predictions
from neurodecode.tasks.refine import Refining, refine


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


@pytest.fixture
def captioned() -> Prediction:
    texts = [text.encode() for text in ("a blue boat", "a red house", "the sea, \u00e0 midi")]
    return Prediction("s", ["a", "b", "c"], {"captions": np.array(texts)}, fold=1)


def _row(each: Prediction, row: int) -> Prediction:
    arrays = {name: values[row : row + 1] for name, values in each.arrays.items()}
    return Prediction(each.subject, [each.stimulus_id[row]], arrays, fold=each.fold)


def test_refined_prediction(refiner: SdxlRefiner, drawn: Prediction, captioned: Prediction) -> None:
    found = refine(drawn, captioned, refiner, Refining(n_steps=4)).arrays
    np.testing.assert_array_equal(found["captions"], captioned.arrays["captions"])
    np.testing.assert_array_equal(found["first"], drawn.arrays["images"])
    np.testing.assert_array_equal(
        found["images"], blend(found["refined"], drawn.arrays["low_level"], 0.75)
    )
    how = Refining(n_steps=4, blend=1.0)
    one = refine(_row(drawn, 1), _row(captioned, 1), refiner, how).arrays
    assert np.abs(one["images"].astype(int) - found["refined"][1]).max() <= 2
    # told otherwise, it draws otherwise
    other = refine(_row(drawn, 1), _row(captioned, 0), refiner, how).arrays
    assert np.abs(other["images"].astype(int) - one["images"]).mean() > 1
    bare = Prediction("s", ["a"], {"images": drawn.arrays["images"][:1]})
    with pytest.raises(DataError, match="no array 'low_level' to mix in; use --blend 1"):
        refine(bare, _row(captioned, 0), refiner, Refining())


def _words(public: PublicWorld, folder: Path) -> list[str]:
    weights = public.folders["sdxl-ip-adapter"]
    return ["refine", "--predictions", str(folder / "first.h5"), "--captioned",
            str(folder / "captions.h5"), "--steps", "4", "--out", str(folder / "out.h5"),
            "--generator-options", f"weights={weights}", "device=cpu", "--quiet"]  # fmt: skip


def test_command(
    public: PublicWorld, drawn: Prediction, captioned: Prediction, tmp_path: Path
) -> None:
    attrs = {"task": "reconstruction", "seed": 8}
    write_predictions(tmp_path / "first.h5", "decoder", [drawn], attrs)
    told = {"task": "captioning", "array": "images", "captions": {"source": "bank"}}
    # other subjects and folds beside do no harm
    others = [Prediction("s", ["a"], _row(captioned, 0).arrays), captioned]
    write_predictions(tmp_path / "captions.h5", "decoder", others, told)
    options = tmp_path / "options.yaml"
    options.write_text("batch_size: 2\nvae_slicing: true\n")
    words = [*_words(public, tmp_path), "--generator-config", str(options)]
    assert main(words) == 0
    found = read_predictions(tmp_path / "out.h5")
    assert found.method == "refined"
    assert (found.attrs["task"], found.attrs["seed"]) == ("reconstruction", 8)
    assert found.attrs["captions"] == {"source": "bank"}
    assert found.attrs["captioned_by"] == "images"
    assert found.attrs["refining"]["blend"] == 0.75
    arrays = found.predictions[0].arrays
    assert arrays["images"].shape == (3, 32, 32, 3)
    assert arrays["captions"].tolist() == captioned.arrays["captions"].tolist()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stimulus_id": ["a", "c", "b"]}, "subject s, field stimulus_id: captions of other"),
        ({"subject": "t"}, "subject s, field stimulus_id: captions of other stimuli"),
        ({"fold": 0}, "subject s, field stimulus_id: captions of other stimuli"),
        ({"arrays": {"tokens": np.ones((3, 4))}}, "no array 'captions' (found: tokens)"),
    ],
)
def test_captions_that_do_not_fit(
    public: PublicWorld, drawn: Prediction, captioned: Prediction, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], change: dict, says: str,
) -> None:  # fmt: skip
    write_predictions(tmp_path / "first.h5", "decoder", [drawn])
    write_predictions(tmp_path / "captions.h5", "decoder", [replace(captioned, **change)])
    assert main(_words(public, tmp_path)) == 2
    said = capsys.readouterr().err
    assert says in said
    assert f"file {tmp_path / 'captions.h5'}" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out.h5").exists()
